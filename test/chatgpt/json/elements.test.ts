import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { type ElementOptions, type ElementReading, readElements } from '../../../src/chatgpt/json/elements.ts';
import { isObject } from '../../../src/chatgpt/json/values.ts';
import { tempDir } from '../../support/temp-dir.ts';

const isConversation = (value: unknown) => isObject(value) && isObject(value.mapping);

let directory: Awaited<ReturnType<typeof tempDir>>;
before(async () => {
  directory = await tempDir();
});
after(() => directory[Symbol.asyncDispose]());

async function readingsOf(
  content: string | Uint8Array,
  options: Partial<ElementOptions> = {},
): Promise<ElementReading[]> {
  const path = join(directory.path, 'list.json');
  await writeFile(path, content);
  const readings: ElementReading[] = [];
  for await (const reading of readElements(path, { isElement: isConversation, ...options })) readings.push(reading);
  return readings;
}

function valuesOf(readings: readonly ElementReading[]): unknown[] {
  return readings.flatMap((reading) => (reading.kind === 'element' ? [reading.value] : []));
}

/** What is there beside elements, in short. */
function troubleOf(readings: readonly ElementReading[]): string[] {
  return readings.flatMap((reading) => {
    if (reading.kind === 'element') return reading.invalidUtf8 ? ['invalid-utf8'] : [];
    if (reading.kind === 'known') return [];
    return reading.kind === 'end' ? [reading.reason] : [`${reading.reason} ${reading.at.index}`];
  });
}

function conversation(title: string, more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return { title, mapping: { a: { id: 'a', message: null, parent: null } }, refs: [{ title: 'a page' }], ...more };
}

const five = ['one', 'two', 'three', 'four', 'five'].map((title) => conversation(title));

describe('The elements of a list in a file', () => {
  it('are what JSON.parse gives, for any list, however it is printed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.jsonValue()), fc.constantFrom(undefined, 1, 2, '\t'), async (list, indent) => {
        const readings = await readingsOf(JSON.stringify(list, null, indent));
        assert.deepEqual(valuesOf(readings), JSON.parse(JSON.stringify(list)));
        assert.deepEqual(troubleOf(readings), []);
      }),
      { numRuns: 200 },
    );
  });

  it('are the same behind a byte order mark, with white space around', async () => {
    const readings = await readingsOf(`\ufeff \r\n\t${JSON.stringify(five)}\n\n`);
    assert.deepEqual([valuesOf(readings), troubleOf(readings)], [five, []]);
  });

  it('are found in an object under the key that is looked for', async () => {
    const wrapped = JSON.stringify({
      version: 2,
      other: [1, { conversations: [0] }],
      text: 'x',
      conversations: five,
      end: [],
    });
    const readings = await readingsOf(wrapped, { listKey: 'conversations' });
    assert.deepEqual([valuesOf(readings), troubleOf(readings)], [five, []]);
    for (const other of ['{"chats":[]}', '{}', '{"conversations":3}', '{"a"', '{3:4}', '{"a":tru'])
      assert.deepEqual(troubleOf(await readingsOf(other, { listKey: 'conversations' })), ['not-a-list'], other);
  });

  it('tell where they stand', async () => {
    const text = '[ {"a":1},\n 22, "é"]';
    const readings = await readingsOf(text);
    const places = readings.map((reading) => {
      assert.ok(reading.kind === 'element');
      const { index, offset, bytes } = reading.at;
      return [
        index,
        Buffer.from(text)
          .subarray(offset, offset + bytes)
          .toString(),
      ];
    });
    assert.deepEqual(places, [
      [0, '{"a":1}'],
      [1, '22'],
      [2, '"é"'],
    ]);
  });

  it('may be larger than what is read at a time', async () => {
    const long = [conversation('x'.repeat(3_000_000)), conversation('é"\\'.repeat(800_000)), ...five];
    assert.deepEqual(valuesOf(await readingsOf(JSON.stringify(long))), long);
  });

  it('are none in an empty file, a word, or an object', async () => {
    for (const [content, reason] of [
      ['', 'empty'],
      [' \n', 'empty'],
      ['\ufeff', 'empty'],
      ['null', 'not-a-list'],
      ['{"a":1}', 'not-a-list'],
      ['PK\x03\x04', 'not-a-list'],
    ] as const)
      assert.deepEqual(troubleOf(await readingsOf(content)), [reason], JSON.stringify(content));
  });

  it('come with invalid UTF-8 replaced, and say so', async () => {
    const bytes = Buffer.from(JSON.stringify(five).replace('three', 'thr\u0001ee').replace('\\u0001', '\u0001'));
    bytes[bytes.indexOf(1)] = 0xff;
    const readings = await readingsOf(bytes);
    assert.deepEqual(troubleOf(readings), ['invalid-utf8']);
    assert.deepEqual(valuesOf(readings)[2], conversation('thr\ufffdee'));
  });
});

describe('A list with something broken in it', () => {
  const damages: readonly (readonly [string, (element: string) => string])[] = [
    ['a value that is no JSON', (element) => element.replace('null', 'nil')],
    ['a brace too few', (element) => element.slice(0, -1)],
    ['a quote too few', (element) => element.replace('"a page"', '"a page')],
    ['a quote too many', (element) => element.replace('a page', 'a "page')],
    ['a bracket too few', (element) => element.replace(']', '')],
    ['a backslash before a quote', (element) => element.replace('"a page"', '"a page\\"')],
    ['nothing but its beginning', (element) => element.slice(0, 9)],
  ];
  for (const [what, damage] of damages) {
    for (const [printed, indent] of [
      ['compact', undefined],
      ['pretty', 2],
    ] as const) {
      it(`loses the element with ${what}, and no other (${printed})`, async () => {
        const parts = five.map((element) => JSON.stringify([element], null, indent).slice(1, -1));
        for (const broken of [1, 2, 3]) {
          const texts = parts.map((part, index) => (index === broken ? damage(part.trim()) : part));
          const readings = await readingsOf(`[${texts.join(',')}]`);
          assert.deepEqual(
            valuesOf(readings),
            five.filter((_, index) => index !== broken),
          );
          const trouble = troubleOf(readings);
          assert.ok(trouble.length > 0 && trouble.every((one) => one.startsWith('broken')), trouble.join());
        }
      });
    }
  }

  it('keeps the others where a brace too many ends one early, and reports the rest of it', async () => {
    for (const indent of [undefined, 2]) {
      const parts = five.map((element) => JSON.stringify([element], null, indent).slice(1, -1));
      const texts = parts.map((part, index) => (index === 2 ? part.replace('null', 'null}}}') : part));
      const readings = await readingsOf(`[${texts.join(',')}]`);
      const values = valuesOf(readings);
      for (const index of [0, 1, 3, 4]) assert.ok(values.some((value) => isDeepStrictEqual(value, five[index])));
      assert.ok(troubleOf(readings).some((one) => one.startsWith('broken')));
    }
  });

  it('and that is the first one, too', async () => {
    const texts = five.map((element, index) => JSON.stringify(element).slice(0, index === 0 ? -1 : undefined));
    const readings = await readingsOf(`[${texts.join(',')}]`);
    assert.deepEqual([valuesOf(readings), troubleOf(readings)], [five.slice(1), ['broken 0']]);
  });

  it('loses what is cut off, and says that the file is', async () => {
    const text = JSON.stringify(five);
    const readings = await readingsOf(text.slice(0, text.indexOf('four') + 2));
    assert.deepEqual([valuesOf(readings), troubleOf(readings)], [five.slice(0, 3), ['cut-off 3', 'truncated']]);
    assert.deepEqual(troubleOf(await readingsOf(text.slice(0, -1))), ['truncated']);
  });

  it('says what stands behind its end', async () => {
    const readings = await readingsOf(`${JSON.stringify(five)}${JSON.stringify(five)}`);
    assert.deepEqual([valuesOf(readings), troubleOf(readings)], [five, ['trailing-data']]);
  });

  it('counts what is missing between two commas', async () => {
    assert.deepEqual(troubleOf(await readingsOf('[1,,2]')), ['broken 1']);
    assert.deepEqual(troubleOf(await readingsOf('[1,2,]')), []);
  });
});

describe('The budget of an element', () => {
  it('passes over one that is too long, and keeps what follows', async () => {
    const list = [five[0], conversation('x'.repeat(3_000_000)), ...five.slice(1)];
    const readings = await readingsOf(JSON.stringify(list), { budget: { bytes: 1000, values: 1000 } });
    assert.deepEqual([valuesOf(readings), troubleOf(readings)], [five, ['too-large 1']]);
  });

  it('passes over one with too many values, which would fill the memory', async () => {
    const list = [five[0], conversation('x', { nothing: Array.from({ length: 5000 }, () => ({})) }), ...five.slice(1)];
    const readings = await readingsOf(JSON.stringify(list), { budget: { bytes: 1e6, values: 1000 } });
    assert.deepEqual([valuesOf(readings), troubleOf(readings)], [five, ['too-large 1']]);
  });

  it('does not count what a missing brace makes of all that follows', async () => {
    const many = Array.from({ length: 300 }, (_, index) => conversation(`${index}`));
    const texts = many.map((element, index) => JSON.stringify(element).slice(0, index === 7 ? -1 : undefined));
    const readings = await readingsOf(`[${texts.join(',')}]`, { budget: { bytes: 2000, values: 1000 } });
    assert.deepEqual(
      valuesOf(readings),
      many.filter((_, index) => index !== 7),
    );
    assert.deepEqual(troubleOf(readings), ['broken 7']);
  });
});

describe('Whatever the bytes are', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.string({ unit: fc.constantFrom(...'[]{},:"\\ \nn1ét'), maxLength: 300 }).map((text) => Buffer.from(text)),
    fc.tuple(fc.nat(), fc.uint8Array({ maxLength: 4 })).map(([at, junk]) => {
      const text = Buffer.from(JSON.stringify(five));
      text.set(junk, at % (text.length - junk.length));
      return text;
    }),
  );

  it('reading them ends, and throws nothing', async () => {
    await fc.assert(
      fc.asyncProperty(bytes, fc.boolean(), async (content, asList) => {
        const all = asList ? Buffer.concat([Buffer.from('['), content]) : content;
        const readings = await readingsOf(all, { listKey: 'conversations', budget: { bytes: 200, values: 50 } });
        let end = 0;
        for (const reading of readings) {
          if (reading.kind === 'end') continue;
          assert.ok(reading.at.offset >= end, 'what was read lies behind one another');
          end = reading.at.offset + reading.at.bytes;
        }
        assert.ok(end <= all.length);
      }),
      { numRuns: 500 },
    );
  });

  it('a list is whole, or something is said', async () => {
    await fc.assert(
      fc.asyncProperty(bytes, async (content) => {
        const all = Buffer.concat([Buffer.from('['), content, Buffer.from(']')]);
        const readings = await readingsOf(all);
        if (troubleOf(readings).length > 0) return;
        // A trailing comma is let pass, which JSON.parse does not.
        assert.deepEqual(valuesOf(readings), JSON.parse(all.toString().replace(/,\s*\]$/, ']')));
      }),
      { numRuns: 500 },
    );
  });
});
