import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { readInventory, summarize, takeInventory, takeStockApart } from '../../../src/chatgpt/index.ts';
import { createAccount } from '../../support/openai/exports/index.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { directoryOf, unpackedExport } from '../unpacked.ts';

const account = createAccount({ seed: 'summed up', conversations: 110 });

describe('The summary of an export', () => {
  it('of a whole one has its counts, and no findings', async () => {
    await using unpacked = await unpackedExport(account, 'G5');
    const { counts, findings } = summarize(await takeInventory(unpacked.path));
    assert.deepEqual(findings, []);
    assert.deepEqual([counts.conversations, counts.messages], [110, unpacked.facts.messages]);
    const trouble = ['incompleteFiles', 'unreadFiles', 'unreadConversations', 'unreadMessages'].map(
      (key) => counts[key],
    );
    assert.deepEqual(trouble, [0, 0, 0, 0]);
  });

  it('tells what is missing, in words and numbers', async () => {
    await using unpacked = await unpackedExport(account, 'G4');
    await rm(join(unpacked.path, 'shopping.json'));
    await truncate(join(unpacked.path, 'conversations-001.json'), 5);
    const { counts, findings } = summarize(await takeInventory(unpacked.path));
    assert.deepEqual(findings, [
      '1 file with conversations ends too early (conversations-001.json).',
      "1 file that the export's own list names is not in it (shopping.json).",
      `1 file is not of the size that the export's own list says (${findings[2]?.split('(')[1]?.slice(0, -2)}).`,
      '1 conversation could not be read, being cut off (conversations-001.json no. 1).',
    ]);
    assert.deepEqual(
      [counts.incompleteFiles, counts.unreadFiles, counts.unreadConversations, counts.conversations],
      [2, 1, 1, 100],
    );
  });

  it('shows names from the export in a form that can do no harm', async () => {
    const list = [
      { id: 'a', mapping: { m: { message: { author: { role: 'x\u001b[31m\u202e"' }, content: { parts: [] } } } } },
    ];
    await using directory = await directoryOf({ 'conversations.json': JSON.stringify(list) });
    const { findings } = summarize(await takeInventory(directory.path));
    assert.deepEqual(findings, [
      '1 message is from a sender that this version does not know (conversations.json no. 1: x\\u{1b}[31m\\u{202e}\\").',
    ]);
  });

  it('says that a ZIP inside was not looked into', async () => {
    await using directory = await directoryOf({ 'User Online Activity/Conversations__ab-chatgpt-0001.zip': 'PK' });
    const { findings } = summarize(await takeInventory(directory.path));
    assert.deepEqual(findings, [
      'No file with conversations (conversations*.json) is in the export.',
      'Conversations lie in 1 ZIP inside the export, which were kept and not looked into (User Online Activity/Conversations__ab-chatgpt-0001.zip).',
    ]);
  });
});

describe('The process that sums up an export', () => {
  const signal = new AbortController().signal;

  it('gives the same summary', async () => {
    await using unpacked = await unpackedExport(account, 'G3');
    await using place = await tempDir();
    const file = join(place.path, 'taken.jsonl');
    const inventory = await takeInventory(unpacked.path);
    const { summary, unwritten } = await takeStockApart(unpacked.path, file, { signal });
    assert.deepEqual([summary, unwritten], [summarize(inventory), undefined]);
    assert.deepEqual(await readInventory(file), inventory);
  });

  it('gives the summary also where the inventory cannot be written, and says so', async () => {
    await using unpacked = await unpackedExport(account, 'G3');
    await using place = await tempDir();
    await mkdir(join(place.path, 'taken.jsonl'));
    const { summary, unwritten } = await takeStockApart(unpacked.path, join(place.path, 'taken.jsonl'), { signal });
    assert.equal(summary.counts.conversations, 110);
    assert.match(unwritten ?? '', /EISDIR/);
  });

  it('tells that there is nothing to read', async () => {
    await using place = await tempDir();
    await assert.rejects(takeStockApart('/nowhere', join(place.path, 'a'), { signal }), /could not be read \(ENOENT/);
  });

  it('ends alone where an export takes all memory', async () => {
    const many = `[{"id":"a","mapping":{},"more":[${'{},'.repeat(3_000_000)}0]}]`;
    await using directory = await directoryOf({ 'conversations.json': many });
    await assert.rejects(takeStockApart(directory.path, '/nowhere/a', { signal, heapMegabytes: 30 }), /died/);
  });

  it('is ended when it takes too long, and when nobody waits for it any more', async () => {
    await using unpacked = await unpackedExport(account, 'G3');
    await assert.rejects(takeStockApart(unpacked.path, '/nowhere/a', { signal, timeLimitMs: 1 }), {
      name: 'TimeoutError',
    });
    const stop = new AbortController();
    const reason = new Error('enough');
    const summary = takeStockApart(unpacked.path, '/nowhere/a', { signal: stop.signal });
    await delay(10);
    stop.abort(reason);
    await assert.rejects(summary, reason);
    assert.deepEqual(await childrenReading(unpacked.path), []);
  });
});

/** The processes that have the path as an argument. */
async function childrenReading(path: string): Promise<string[]> {
  const running = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(running.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return lines.filter((line) => line.split('\0').includes(path));
}
