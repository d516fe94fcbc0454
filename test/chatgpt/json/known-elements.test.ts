import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Fingerprint } from '../../../src/chatgpt/index.ts';
import { readElements } from '../../../src/chatgpt/json/elements.ts';
import { isObject } from '../../../src/chatgpt/json/values.ts';
import { directoryOf } from '../unpacked.ts';

const NOTHING_EXPECTED = { expected: () => undefined, has: () => false };

async function read(path: string, known: { expected(): Fingerprint | undefined; has(digest: string): boolean }) {
  const found = [];
  for await (const reading of readElements(path, { isElement: isObject, known })) found.push(reading);
  return found;
}

async function fingerprintsOf(path: string): Promise<Fingerprint[]> {
  return (await read(path, NOTHING_EXPECTED)).flatMap((reading) =>
    reading.kind === 'element' && reading.fingerprint !== undefined ? [reading.fingerprint] : [],
  );
}

const list = [{ name: 'one' }, { name: 'two' }, { name: 'three' }, { name: 'four' }];

describe('Elements that are known', () => {
  it('are passed over where they are expected, and wherever their digest is known; the others are parsed', async () => {
    await using directory = await directoryOf({ 'list.json': JSON.stringify(list, null, 2) });
    const path = join(directory.path, 'list.json');
    const fingerprints = await fingerprintsOf(path);
    await writeFile(path, JSON.stringify([list[0], { name: 'new' }, { name: 'TWO' }, list[3], list[2]], null, 2));
    let next = 0;
    const readings = await read(path, {
      expected: () => fingerprints[next++],
      has: (digest) => fingerprints.some((one) => one.digest === digest),
    });
    assert.deepEqual(
      readings.map((reading) => (reading.kind === 'element' ? reading.value : reading.kind)),
      ['known', { name: 'new' }, { name: 'TWO' }, 'known', 'known'],
    );
    assert.deepEqual(
      readings.flatMap((reading) => (reading.kind === 'known' ? [fingerprints.indexOf(reading.fingerprint)] : [])),
      [0, 3, -1],
      'the last one was not where it was expected',
    );
  });

  it('are not taken for elements of the same length with other bytes', async () => {
    await using directory = await directoryOf({ 'list.json': JSON.stringify(list) });
    const path = join(directory.path, 'list.json');
    const [first] = await fingerprintsOf(path);
    await writeFile(path, JSON.stringify([{ name: 'eno' }]));
    const readings = await read(path, { expected: () => first, has: () => false });
    assert.deepEqual(
      readings.map(({ kind }) => kind),
      ['element'],
    );
  });

  it('have no influence on where the other elements stand, nor on the end of the list', async () => {
    await using directory = await directoryOf({ 'list.json': JSON.stringify(list, null, 1) });
    const path = join(directory.path, 'list.json');
    const places = (readings: Awaited<ReturnType<typeof read>>) => readings.map((one) => ('at' in one ? one.at : one));
    const fingerprints = await fingerprintsOf(path);
    const plain = await read(path, NOTHING_EXPECTED);
    let next = 0;
    assert.deepEqual(
      places(await read(path, { expected: () => fingerprints[next++], has: () => false })),
      places(plain),
    );
  });
});
