import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { indexedText } from '../../src/catalog/indexed-text.ts';
import { parseQuestion, remarkOn } from '../../src/catalog/words.ts';

function index(...texts: readonly string[]): DatabaseSync {
  const database = new DatabaseSync(':memory:');
  database.exec(`CREATE VIRTUAL TABLE t USING fts5 (text, tokenize = "unicode61 remove_diacritics 2")`);
  const insert = database.prepare('INSERT INTO t (rowid, text) VALUES (?, ?)');
  for (const [at, text] of texts.entries()) insert.run(at, indexedText(text));
  return database;
}

/** Which of the texts are found. */
function found(texts: readonly string[], typed: string, lastIsPrefix = false): string[] {
  using database = index(...texts);
  const match = parseQuestion(typed, { lastIsPrefix })?.match;
  if (match === undefined) return [];
  return database
    .prepare('SELECT rowid FROM t WHERE text MATCH ? ORDER BY rowid')
    .all(match)
    .map(({ rowid }) => texts[Number(rowid)] ?? '');
}

describe('What somebody types', () => {
  const texts = ['The quick brown fox', 'a brown quick fox', 'Über den Fluss', 'naïve café', 'foxes run'];

  it('finds texts with all its words, whatever their case and diacritics', () => {
    assert.deepEqual(found(texts, 'FOX quick'), [texts[0], texts[1]]);
    assert.deepEqual(found(texts, 'uber'), [texts[2]]);
    assert.deepEqual(found(texts, 'Café naive'), [texts[3]]);
  });

  it('finds a phrase in quotes, words that begin so with a star, and leaves out words with a minus', () => {
    assert.deepEqual(found(texts, '"quick brown"'), [texts[0]]);
    assert.deepEqual(found(texts, 'fox*'), [texts[0], texts[1], texts[4]]);
    assert.deepEqual(found(texts, 'fox -the'), [texts[1]]);
    assert.deepEqual(found(texts, 'fox -"brown quick"'), [texts[0]]);
    assert.deepEqual(found(texts, '"quick bro"*'), [texts[0]]);
  });

  it('takes the last word for a beginning while somebody types', () => {
    assert.deepEqual(found(texts, 'quick bro', true), [texts[0], texts[1]]);
    assert.deepEqual(found(texts, 'quick bro ', true), []);
  });

  it('finds words in languages that put no spaces between them', () => {
    const cjk = [
      '東京都の天気',
      '京都の寺',
      '天気',
      '我喜欢北京烤鸭',
      '한국어를 배우다',
      'ฉันรักกรุงเทพ',
      'カタカナ tower',
    ];
    assert.deepEqual(found(cjk, '東京'), [cjk[0]]);
    assert.deepEqual(found(cjk, '京都'), [cjk[0], cjk[1]]);
    assert.deepEqual(found(cjk, '天気'), [cjk[0], cjk[2]]);
    assert.deepEqual(found(cjk, '都'), [cjk[0], cjk[1]]);
    assert.deepEqual(found(cjk, '寺'), [cjk[1]]);
    assert.deepEqual(found(cjk, '北京烤鸭'), [cjk[3]]);
    assert.deepEqual(found(cjk, '京鸭'), []);
    assert.deepEqual(found(cjk, '한국'), [cjk[4]]);
    assert.deepEqual(found(cjk, 'กรุงเทพ'), [cjk[5]]);
    assert.deepEqual(found(cjk, 'カナtower'), [cjk[6]]);
  });

  it('does not find every run by the beginning that their words have in the index', () => {
    const mixed = ['東京都', 'hello 世界', '007 zebras', 'hello 0'];
    for (const typed of ['0', '0*', '0q', '0Q*', '0q9*', '"hello 0', '0\u0301', 'x 0'])
      assert.deepEqual(
        found(mixed, typed, true).filter((text) => /\p{Script=Han}/u.test(text)),
        [],
        typed,
      );
    assert.deepEqual(found(mixed, 'hello -0*'), ['hello 世界']);
    assert.deepEqual(found(mixed, '0', true), ['hello 0']);
    assert.deepEqual(found(mixed, '00', true), ['007 zebras']);
    assert.deepEqual(found(mixed, 'z', true), ['007 zebras']);
  });

  it('is nothing to search for without a word', () => {
    for (const typed of ['', '  ', '"', '++', '-', '*', '-fox', '""', '\u0000'])
      assert.equal(parseQuestion(typed), undefined, typed);
  });

  it('that is not searched for, or not all of it, has a sentence that says so', () => {
    for (const typed of ['', '"', '""', '" ( "', '++ -- !?', '*', '&&&', '💥'.repeat(5_000), '\u0000'])
      assert.match(remarkOn(typed) ?? '', /^There is no word in this/, typed.slice(0, 20));
    for (const typed of ['-fox', '-"red fox" -dog']) assert.match(remarkOn(typed) ?? '', /add a word/, typed);
    for (const typed of ['a'.repeat(10_000), 'word '.repeat(2_000), 'ab '.repeat(33)])
      assert.match(
        remarkOn(typed) ?? '',
        /the first 32 words count, and the first 1,000 characters/,
        typed.slice(0, 20),
      );
    for (const typed of ['fox', '"an unclosed phrase', 'AND OR NOT', 'NEAR(', '東', 'x'.repeat(1_000)])
      assert.equal(remarkOn(typed), undefined, typed.slice(0, 20));
  });

  it('is never an error, whatever it is', () => {
    using database = index('a text');
    const select = database.prepare('SELECT rowid FROM t WHERE text MATCH ?');
    const signs = fc.constantFrom(
      '"',
      '*',
      '-',
      '(',
      ')',
      'AND',
      'OR',
      'NOT',
      'NEAR(',
      ':',
      '^',
      '{',
      '\0',
      '東京',
      'é',
      ' ',
      'a',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.array(signs).map((all) => all.join('')),
        ),
        fc.boolean(),
        (typed, lastIsPrefix) => {
          const match = parseQuestion(typed, { lastIsPrefix })?.match;
          if (match !== undefined) select.all(match);
        },
      ),
      { numRuns: 2000 },
    );
  });
});
