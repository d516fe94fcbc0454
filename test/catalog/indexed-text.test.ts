import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { indexedText, RUN, wordsOfRun } from '../../src/catalog/indexed-text.ts';

/** What is written for it, text by text: slow, and plain to see. */
function plainly(text: string): string {
  return text.toWellFormed().replace(RUN, (run) => ` ${wordsOfRun(run).join(' ')} `);
}

/** Characters of runs, of all lengths in UTF-8, and what stands around them. */
const character = fc.constantFrom(
  ...'東京都のカーﾊ한국ไทยລາວខ្មែမြ々〆𠀀𪜀𛀀',
  ...'aZ9 \n"éßяعא“…😀❤️\u0000\uffff\ud800',
);

describe('What the index is told of a text', () => {
  it('is each two neighbouring characters of a run, and the last one alone', () => {
    const [first, second, last] = wordsOfRun('東京都');
    assert.equal(indexedText('in 東京都!'), `in  ${first} ${second} ${last} !`);
    assert.ok(second?.startsWith(wordsOfRun('京')[0] ?? 'nothing'));
    assert.equal(last, wordsOfRun('都')[0]);
  });

  it('is the text itself where there are no runs', () => {
    for (const text of ['', 'plain', 'Über “naïve” café', 'мир עולם', '😀❤️ …']) assert.equal(indexedText(text), text);
  });

  it('is the same for all texts as if they were taken run by run', () => {
    fc.assert(
      fc.property(fc.oneof(fc.array(character), fc.array(fc.string({ unit: 'binary' }))), (characters) => {
        const text = characters.join('');
        assert.equal(indexedText(text).toWellFormed(), plainly(text));
      }),
    );
  });

  it('has different words for different characters', () => {
    const seen = new Set<string>();
    let characters = 0;
    for (let code = 0; code < 0x110000; code += 1) {
      if (code === 0xd800) code = 0xe000;
      const text = String.fromCodePoint(code);
      if (text.search(RUN) === -1) continue;
      characters += 1;
      for (const word of wordsOfRun(text)) seen.add(word);
    }
    assert.ok(characters > 40_000);
    assert.equal(seen.size, characters);
  });
});
