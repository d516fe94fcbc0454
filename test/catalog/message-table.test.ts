import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { indexedText } from '../../src/catalog/indexed-text.ts';
import {
  areWorthKeeping,
  buffersOf,
  type MessageRow,
  MessageTable,
  MessageTableMaker,
  type TableBuffers,
} from '../../src/catalog/indexing/message-table.ts';

const row: fc.Arbitrary<MessageRow> = fc.record(
  {
    key: fc.nat({ max: 2 ** 48 - 1 }),
    content: fc.nat({ max: 2 ** 32 - 1 }),
    time: fc.integer({ min: -1e12, max: 4e12 }),
    dated: fc.boolean(),
    role: fc.nat({ max: 4 }),
    model: fc.option(fc.constantFrom('gpt-4o', 'o3', ''), { nil: undefined }),
    hidden: fc.boolean(),
    place: fc.option(fc.nat(), { nil: undefined }),
  },
  { noNullPrototype: true },
);
const messages = fc.array(fc.tuple(row, fc.string({ unit: fc.constantFrom('a', 'é', '東', '😀', '\ud800', ' ') })));

function filled(maker: MessageTableMaker, list: readonly (readonly [MessageRow, string])[]): MessageTable {
  for (const [one, text] of list) {
    maker.encode(text);
    maker.add(one);
  }
  return new MessageTable(maker.take());
}

function contentOf(table: MessageTable, rows: number): [MessageRow, string][] {
  return Array.from({ length: rows }, (_, number) => [table.row(number), Buffer.from(table.text(number)).toString()]);
}

const asIndexed = (list: readonly (readonly [MessageRow, string])[]) =>
  list.map(([one, text]) => [one, Buffer.from(indexedText(text)).toString()]);

const MANY: readonly [MessageRow, string][] = Array.from({ length: 3000 }, (_, number) => [
  { key: number, content: 1, time: 2, dated: true, role: 0, model: `m${number % 7}`, hidden: false, place: number },
  `${number} ${'word '.repeat(100)}`,
]);

describe('A table of messages', () => {
  it('gives back every row and every text that was put in', () => {
    fc.assert(
      fc.property(messages, (list) => {
        assert.deepEqual(contentOf(filled(new MessageTableMaker([]), list), list.length), asIndexed(list));
      }),
    );
  });

  it('grows with its rows, and with a text of any size', () => {
    const list: [MessageRow, string][] = [...MANY, [MANY[0]?.[0] as MessageRow, '東'.repeat(1_000_000)]];
    assert.deepEqual(contentOf(filled(new MessageTableMaker([]), list), list.length), asIndexed(list));
  });

  it('gives the text as it is in UTF-8 when it takes it, whatever the index is told', () => {
    const maker = new MessageTableMaker([]);
    for (const text of ['plain', '東京都 é', '']) assert.equal(Buffer.from(maker.encode(text)).toString(), text);
  });

  it('holds the last text alone where several were taken for one row', () => {
    const maker = new MessageTableMaker([]);
    maker.encode('a longer one that is not meant');
    const table = filled(maker, MANY.slice(0, 2));
    assert.deepEqual(contentOf(table, 2), MANY.slice(0, 2));
  });

  it('is made in the memory of one that nobody needs any more, and is then as any other', () => {
    const spare: TableBuffers[] = [];
    const maker = new MessageTableMaker(spare);
    for (const message of MANY.toReversed()) {
      maker.encode(message[1]);
      maker.add(message[0]);
    }
    const buffers = buffersOf(maker.take());
    assert.ok(areWorthKeeping(buffers));
    filled(maker, MANY);
    spare.push(buffers);
    filled(maker, MANY);
    assert.deepEqual(spare, [], 'it was taken');
    for (const one of MANY) {
      maker.encode(one[1]);
      maker.add(one[0]);
    }
    const data = maker.take();
    assert.equal(data.texts.buffer, buffers[1]);
    assert.deepEqual(contentOf(new MessageTable(data), MANY.length), MANY);
  });

  it('takes no more memory than it needs where it holds little, so that many can wait', () => {
    const maker = new MessageTableMaker([]);
    for (const list of [[], MANY.slice(0, 3)]) {
      for (const [one, text] of list) {
        maker.encode(text);
        maker.add(one);
      }
      const buffers = buffersOf(maker.take());
      assert.ok(buffers[0].byteLength + buffers[1].byteLength < 4000);
      assert.equal(areWorthKeeping(buffers), false);
    }
  });
});
