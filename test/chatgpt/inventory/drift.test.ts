import assert from 'node:assert/strict';
import { readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Inventory, type ReportReason, takeInventory } from '../../../src/chatgpt/index.ts';
import { createAccount } from '../../support/openai/exports/index.ts';
import { directoryOf, unpackedExport } from '../unpacked.ts';

async function inventoryOf(content: string | Buffer, name = 'conversations.json'): Promise<Inventory> {
  await using directory = await directoryOf({ [name]: content });
  return await takeInventory(directory.path);
}

/** How often each reason was reported. */
function reported({ reports }: Inventory): Partial<Record<ReportReason, number>> {
  return Object.fromEntries(Object.entries(reports).map(([reason, { count }]) => [reason, count]));
}

function assertBalanced({ ledger, counts, conversations }: Inventory): void {
  for (const { found, kept, repeated, unread } of [ledger.conversations, ledger.messages])
    assert.equal(kept + repeated + unread, found);
  assert.deepEqual([ledger.conversations.kept, ledger.messages.kept], [conversations.size, counts.messages]);
}

const message = (id: string, text = 'Hello') => ({
  id,
  author: { role: 'user' },
  create_time: 1.7e9,
  content: { content_type: 'text', parts: [text] },
});
const conversation = (id: string, ...messages: { readonly id: string }[]) => ({
  id,
  title: id,
  current_node: messages.at(-1)?.id ?? 'root',
  mapping: Object.fromEntries([
    ['root', { id: 'root', parent: null, message: null }],
    ...messages.map((one, index) => [one.id, { id: one.id, parent: messages[index - 1]?.id ?? 'root', message: one }]),
  ]),
});
const good = [conversation('c1', message('m1'), message('m2')), conversation('c2', message('m3'))];

describe('An export of a format that is not known', () => {
  it('is never silently empty', async () => {
    const cases: readonly (readonly [string, Partial<Record<ReportReason, number>>])[] = [
      ['', { 'file-empty': 1 }],
      ['null', { 'file-not-a-list': 1 }],
      ['{"items":[1]}', { 'file-not-a-list': 1 }],
      ['[', { 'file-truncated': 1 }],
      ['[1,"two",null,[],{}]', { 'conversation-not-understood': 5 }],
      ['[{"id":"a","messages":[]}]', { 'conversation-not-understood': 1 }],
      ['[{"id":"a","mapping":[]}]', { 'conversation-not-understood': 1 }],
      ['[{"id":"a","mapping":{}},nope]', { 'conversation-broken': 1 }],
      ['[{"mapping":{}}]', { 'conversation-without-id': 1 }],
    ];
    for (const [content, expected] of cases) {
      const inventory = await inventoryOf(content);
      assert.deepEqual(reported(inventory), expected, content);
      assertBalanced(inventory);
    }
    assert.deepEqual(reported(await inventoryOf('[]', 'chats.json')), { 'no-conversations-file': 1 });
    assert.deepEqual(reported(await inventoryOf('PK', 'Conversations__ab-chatgpt-0001.zip')), {
      'no-conversations-file': 1,
      'archive-unopened': 1,
    });
  });

  it('of no conversation at all is simply empty', async () => {
    const inventory = await inventoryOf('[]');
    assert.deepEqual([reported(inventory), inventory.counts.conversations, inventory.generation], [{}, 0, 'unknown']);
  });

  it('is read where the list stands in an object', async () => {
    assert.equal((await inventoryOf(JSON.stringify({ version: 6, conversations: good }))).counts.messages, 3);
  });

  it('tells the place of what it did not understand', async () => {
    const strange = conversation('c3', { ...message('m4'), content: { content_type: 'hologram' } } as { id: string });
    const { reports } = await inventoryOf(JSON.stringify([...good, strange]));
    assert.deepEqual(reports, {
      'content-not-understood': { count: 1, places: [{ file: 'conversations.json', index: 2, detail: 'hologram' }] },
    });
  });

  it('keeps a few places of what is reported a thousand times', async () => {
    const strange = Array.from({ length: 1000 }, (_, index) => ({
      ...message(`m${index}`),
      author: { role: 'x'.repeat(500) },
    }));
    const { reports } = await inventoryOf(JSON.stringify([conversation('c', ...strange)]));
    const entry = reports['role-not-understood'];
    assert.deepEqual([entry?.count, entry?.places.length, entry?.places[0]?.detail?.length], [1000, 10, 100]);
  });

  it('with a message of 50 MB is read', async () => {
    const inventory = await inventoryOf(
      JSON.stringify([...good, conversation('c3', message('m4', 'é'.repeat(25_000_000)))]),
    );
    assert.deepEqual([inventory.counts.messages, reported(inventory)], [4, {}]);
  });

  it('with a conversation beyond the budget is read without it', async () => {
    await using directory = await directoryOf({
      'conversations.json': JSON.stringify([conversation('big', message('m0', 'x'.repeat(9000))), ...good]),
    });
    const inventory = await takeInventory(directory.path, { budget: { bytes: 5000, values: 5000 } });
    assert.deepEqual([inventory.counts.messages, reported(inventory)], [3, { 'conversation-too-large': 1 }]);
    assertBalanced(inventory);
  });

  it('never makes the reader throw, and every node is kept or reported', async () => {
    const mapping = fc.dictionary(
      fc.string(),
      fc.oneof(
        fc.jsonValue(),
        fc.record({ parent: fc.jsonValue(), message: fc.oneof(fc.jsonValue(), fc.constant(message('m'))) }),
      ),
    );
    const element = fc.oneof(
      fc.jsonValue(),
      fc.record({
        id: fc.oneof(fc.constantFrom('a', 'b'), fc.jsonValue()),
        mapping: fc.oneof(mapping, fc.jsonValue()),
      }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(element), async (list) => {
        const inventory = await inventoryOf(JSON.stringify(list));
        assertBalanced(inventory);
        assert.equal(inventory.ledger.conversations.found, list.length);
      }),
      { numRuns: 200 },
    );
  });
});

describe('A conversation that is there twice', () => {
  it('is counted once, with the messages of both', async () => {
    const twice = [...good, conversation('c1', message('m1'), message('m9'))];
    const inventory = await inventoryOf(JSON.stringify(twice));
    assert.deepEqual([inventory.counts.conversations, inventory.counts.messages], [2, 4]);
    assert.deepEqual(reported(inventory), { 'conversation-repeated': 1 });
    assert.deepEqual(inventory.ledger.messages, { found: 5, kept: 4, repeated: 1, unread: 0 });
  });
});

describe('An export that is damaged', () => {
  const account = createAccount({ seed: 'damaged', conversations: 120 });

  it('loses what is cut off, and says so', async () => {
    await using unpacked = await unpackedExport(account, 'G5');
    const shard = join(unpacked.path, 'conversations-001.json');
    await truncate(shard, (await readFile(shard)).length - 100);
    const inventory = await takeInventory(unpacked.path);
    assert.equal(inventory.counts.conversations, 119);
    assert.deepEqual(reported(inventory), { 'file-wrong-size': 1, 'conversation-cut-off': 1, 'file-truncated': 1 });
    assertBalanced(inventory);
  });

  it('loses one conversation with a quote too many, and no other, in every generation', async () => {
    for (const generation of ['G1', 'G3', 'G4', 'G5'] as const) {
      await using unpacked = await unpackedExport(account, generation);
      const shard = join(
        unpacked.path,
        generation === 'G1' || generation === 'G3' ? 'conversations.json' : 'conversations-000.json',
      );
      const text = await readFile(shard, 'utf8');
      const at = text.indexOf('"content"', text.length / 2);
      await writeFile(shard, `${text.slice(0, at)}"${text.slice(at)}`);
      const inventory = await takeInventory(unpacked.path);
      assert.equal(inventory.counts.conversations, 119, generation);
      assert.ok((inventory.reports['conversation-broken']?.count ?? 0) > 0);
      assertBalanced(inventory);
    }
  });

  it('keeps a conversation with bytes that are no UTF-8, and says so', async () => {
    await using unpacked = await unpackedExport(account, 'G4');
    const shard = join(unpacked.path, 'conversations-000.json');
    const bytes = await readFile(shard);
    bytes[bytes.indexOf('"title":"') + 10] = 0xff;
    await writeFile(shard, bytes);
    const inventory = await takeInventory(unpacked.path);
    assert.deepEqual([inventory.counts.conversations, reported(inventory)], [120, { 'invalid-utf8': 1 }]);
  });
});
