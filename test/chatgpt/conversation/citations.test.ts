import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readMessage } from '../../../src/chatgpt/conversation/message.ts';
import { cleanText } from '../../../src/chatgpt/index.ts';

function clean(text: string, metadata: Readonly<Record<string, unknown>> = {}) {
  const message = readMessage(
    { author: { role: 'assistant' }, content: { content_type: 'text', parts: [text] }, metadata },
    'a',
  );
  assert.ok(message !== undefined);
  return cleanText(text, message);
}

const cite = (what: string) => `\ue200cite\ue202${what}\ue201`;
const page = (name: string) => ({ items: [{ title: name, url: `https://example.org/${name}` }] });

describe('A text with citations', () => {
  it('is shown without the marks, with each page where its mark was', () => {
    const references = [
      { matched_text: cite('b'), ...page('second') },
      { matched_text: cite('a'), ...page('first') },
    ];
    assert.deepEqual(clean(`One${cite('a')}, two${cite('b')}.`, { content_references: references }), {
      text: 'One, two.',
      citations: [
        { at: 3, title: 'first', url: 'https://example.org/first' },
        { at: 8, title: 'second', url: 'https://example.org/second' },
      ],
    });
  });

  it('has its marks resolved in turn where the references do not repeat them', () => {
    const { citations } = clean(`${cite('x')} ${cite('y')}`, { content_references: [page('first'), page('second')] });
    assert.deepEqual(
      citations.map(({ title }) => title),
      ['first', 'second'],
    );
  });

  it('resolves the older marks, too', () => {
    const citations = [{ metadata: { title: 'Hours', url: 'https://example.org/h' } }];
    assert.deepEqual(clean('Open 【12†source】 daily', { citations }), {
      text: 'Open  daily',
      citations: [{ at: 5, title: 'Hours', url: 'https://example.org/h' }],
    });
  });

  it('keeps the words that a mark stands for', () => {
    const entity = '\ue200entity\ue202["city","Lisbon","capital"]\ue201';
    assert.equal(clean(`In ${entity}.`).text, 'In Lisbon.');
    assert.equal(
      clean(`In ${entity}.`, { content_references: [{ matched_text: entity, name: 'Lisboa' }] }).text,
      'In Lisboa.',
    );
    assert.equal(clean('See \ue200url\ue202the docs\ue202turn0search1\ue201.').text, 'See the docs.');
    assert.equal(clean('\ue200entity\ue202not json\ue201!').text, '!');
  });

  it('leaves addresses alone that are no pages', () => {
    const { citations } = clean(cite('a'), { content_references: [{ items: [{ url: 'javascript:alert(1)' }] }] });
    assert.deepEqual(citations, []);
  });

  it('has no mark left, whatever it is', () => {
    const text = fc
      .array(fc.constantFrom('\ue200', '\ue201', '\ue202', '\ue2ff', 'cite', 'entity', 'a', '【', '1', '†', '】', '['))
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(
        text,
        fc.jsonValue(),
        fc.array(fc.record({ matched_text: text, items: fc.jsonValue() })),
        (words, citations, references) => {
          const result = clean(words, { citations, content_references: references });
          assert.ok(!/[\ue200-\ue2ff]/u.test(result.text));
        },
      ),
      { numRuns: 400 },
    );
  });
});
