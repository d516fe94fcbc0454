import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  type Comparison,
  compareInventories,
  type Inventory,
  type MessageChanges,
  takeInventory,
} from '../../../src/chatgpt/index.ts';
import { type AccountModel, createAccount, type ExportKind, nextExport } from '../../support/openai/exports/index.ts';
import { directoryOf, unpackedExport } from '../unpacked.ts';

const account = createAccount({ seed: 'compared', conversations: 80 });
const later = nextExport(account, { seed: 'tuesday', add: 3, change: 5, delete: 2 });

const taken = new Map<string, Promise<Inventory>>();
async function take(model: AccountModel, kind: ExportKind): Promise<Inventory> {
  await using unpacked = await unpackedExport(model, kind);
  return await takeInventory(unpacked.path);
}
/** Each is taken once. */
function inventory(which: 'account' | 'later', kind: ExportKind): Promise<Inventory> {
  const key = `${which} ${kind}`;
  const one = taken.get(key) ?? take(which === 'account' ? account : later, kind);
  taken.set(key, one);
  return one;
}

function sizes({ conversations }: Comparison): Record<string, number> {
  const { added, changed, gone, noLongerCarried, unchanged } = conversations;
  return {
    added: added.length,
    changed: changed.length,
    gone: gone.length,
    noLongerCarried: noLongerCarried.length,
    unchanged,
  };
}

/** Every older and every newer message is in exactly one of the numbers. */
function assertNothingLost(older: Inventory, newer: Inventory, { messages, conversations }: Comparison): void {
  const kept = messages.unchanged + messages.changed;
  assert.equal(kept + messages.gone + messages.noLongerCarried, older.counts.messages);
  assert.equal(kept + messages.added + messages.carriedAgain, newer.counts.messages);
  const both = conversations.changed.length + conversations.unchanged;
  assert.equal(both + conversations.gone.length + conversations.noLongerCarried.length, older.counts.conversations);
  assert.equal(both + conversations.added.length, newer.counts.conversations);
}

describe('Two exports of one account', () => {
  it('of the same day are the same, in every generation', async () => {
    for (const kind of ['G1', 'G3', 'G5', 'portal'] as const) {
      const one = await inventory('account', kind);
      const comparison = compareInventories(one, one);
      assert.deepEqual(sizes(comparison), { added: 0, changed: 0, gone: 0, noLongerCarried: 0, unchanged: 80 });
      assert.deepEqual(comparison.assets, { added: [], gone: [], noLongerCarried: [] });
      assert.equal(comparison.messages.unchanged, one.counts.messages);
    }
  });

  it('of two days differ by what was added, changed and deleted between them', async () => {
    for (const kind of ['G1', 'G2', 'G3', 'G4', 'G5', 'portal'] as const) {
      const [older, newer] = [await inventory('account', kind), await inventory('later', kind)];
      const comparison = compareInventories(older, newer);
      assert.deepEqual(sizes(comparison), { added: 3, changed: 5, gone: 2, noLongerCarried: 0, unchanged: 73 }, kind);
      assertNothingLost(older, newer, comparison);
      const { changed, gone } = comparison.conversations;
      assert.ok(changed.every(({ messages }) => messages.added > 0 && messages.gone === 0 && messages.changed === 0));
      assert.ok(gone.every(({ messages }) => messages.gone > 0 && messages.noLongerCarried === 0));
      assert.deepEqual([comparison.formatChange, comparison.unread], [undefined, 0]);
      const ids = new Set(
        account.conversations.filter((one) => !later.conversations.some(({ id }) => id === one.id)).map(({ id }) => id),
      );
      assert.deepEqual(new Set(gone.map(({ id }) => id)), ids);
    }
  });

  it('tell new files and files that are gone', async () => {
    const comparison = compareInventories(await inventory('account', 'G4'), await inventory('later', 'G4'));
    assert.ok(comparison.assets.added.length > 0);
    assert.deepEqual(comparison.assets.noLongerCarried, []);
  });
});

describe('A change of the format between two exports', () => {
  it('to one that carries more is no change of a conversation', async () => {
    const comparison = compareInventories(await inventory('account', 'G3'), await inventory('account', 'G4'));
    assert.equal(comparison.conversations.unchanged, 80);
    assert.deepEqual(comparison.formatChange, { from: 'G3', to: 'G4' });
  });

  it('to the slim one is no deletion', async () => {
    const [older, newer] = [await inventory('account', 'G4'), await inventory('account', 'G5')];
    const comparison = compareInventories(older, newer);
    assert.deepEqual(sizes(comparison), { added: 0, changed: 0, gone: 0, noLongerCarried: 0, unchanged: 80 });
    const { messages, assets, formatChange } = comparison;
    assert.deepEqual([messages.gone, messages.added, messages.changed, assets.gone, assets.added], [0, 0, 0, [], []]);
    assert.equal(messages.noLongerCarried, older.counts.messages - newer.counts.messages);
    assert.ok(assets.noLongerCarried.length > 0);
    assert.deepEqual(formatChange, { from: 'G4', to: 'G5' });
    assertNothingLost(older, newer, comparison);
  });

  it('does not hide what was deleted, changed and added at the same time', async () => {
    const [older, newer] = [await inventory('account', 'G4'), await inventory('later', 'G5')];
    const comparison = compareInventories(older, newer);
    assert.deepEqual(sizes(comparison), { added: 3, changed: 5, gone: 2, noLongerCarried: 0, unchanged: 73 });
    assert.ok(comparison.messages.gone > 0 && comparison.messages.noLongerCarried > comparison.messages.gone);
    assertNothingLost(older, newer, comparison);
  });

  it('back to the full one brings back what is not new', async () => {
    const [older, newer] = [await inventory('account', 'G5'), await inventory('account', 'G4')];
    const comparison = compareInventories(older, newer);
    assert.deepEqual([comparison.conversations.unchanged, comparison.messages.added], [80, 0]);
    assert.equal(comparison.messages.carriedAgain, newer.counts.messages - older.counts.messages);
    assertNothingLost(older, newer, comparison);
  });
});

interface Mapped {
  readonly id: string;
  readonly title: string | null;
  readonly is_archived: boolean;
  readonly mapping: Readonly<Record<string, unknown>>;
}

async function inventoryOfList(list: readonly unknown[]): Promise<Inventory> {
  await using directory = await directoryOf({ 'conversations.json': JSON.stringify(list) });
  return await takeInventory(directory.path);
}

describe('Two exports of any content', () => {
  const node = fc
    .record({ role: fc.constantFrom('user', 'assistant', 'tool'), text: fc.constantFrom('a', 'b', 'c') })
    .map(({ role, text }) => ({
      parent: null,
      message: { author: { role }, content: { content_type: 'text', parts: [text] } },
    }));
  const withChildren = (mapping: Readonly<Record<string, object>>) =>
    Object.fromEntries(Object.entries(mapping).map(([id, one]) => [id, { ...one, children: [] }]));
  const mapping = fc
    .dictionary(fc.constantFrom('1', '2', '3', '4', '5'), node)
    .chain((one) => fc.constantFrom<Mapped['mapping']>(one, withChildren(one)));
  const list = fc.array(
    fc.record({
      id: fc.constantFrom('a', 'b', 'c', 'd'),
      title: fc.constantFrom(null, 'x', 'y'),
      is_archived: fc.boolean(),
      mapping,
    }),
    { maxLength: 6 },
  );
  const NOTHING: MessageChanges = { unchanged: 0, changed: 0, added: 0, gone: 0, noLongerCarried: 0, carriedAgain: 0 };

  it('have every message and every conversation accounted for', async () => {
    await fc.assert(
      fc.asyncProperty(list, list, async (before, after) => {
        const [older, newer] = [await inventoryOfList(before), await inventoryOfList(after)];
        assertNothingLost(older, newer, compareInventories(older, newer));
      }),
      { numRuns: 150 },
    );
  });

  it('are the same as themselves', async () => {
    await fc.assert(
      fc.asyncProperty(list, async (before) => {
        const one = await inventoryOfList(before);
        const { messages, conversations, assets } = compareInventories(one, one);
        assert.deepEqual(messages, { ...NOTHING, unchanged: one.counts.messages });
        assert.equal(conversations.unchanged, one.counts.conversations);
        assert.deepEqual(assets, { added: [], gone: [], noLongerCarried: [] });
      }),
      { numRuns: 60 },
    );
  });

  it('tell a conversation with another title, one that was archived, and a message with other words', async () => {
    const one = (title: string, archived: boolean, text: string) => ({
      id: 'a',
      title,
      is_archived: archived,
      mapping: { m: { parent: null, children: [], message: { author: { role: 'user' }, content: { parts: [text] } } } },
    });
    const older = await inventoryOfList([one('x', false, 'words')]);
    const changeTo = async (title: string, archived: boolean, text: string) => {
      const [change] = compareInventories(older, await inventoryOfList([one(title, archived, text)])).conversations
        .changed;
      return change === undefined ? undefined : [change.renamed, change.archived, change.messages.changed];
    };
    assert.deepEqual(await changeTo('x', false, 'words'), undefined);
    assert.deepEqual(await changeTo('y', false, 'words'), [true, undefined, 0]);
    assert.deepEqual(await changeTo('x', true, 'words'), [false, 'archived', 0]);
    assert.deepEqual(await changeTo('x', false, 'other words'), [false, undefined, 1]);
  });

  it('say how much of the newer one could not be read, which may hold what seems gone', async () => {
    const conversation = { id: 'a', mapping: {} };
    const comparison = compareInventories(
      await inventoryOfList([conversation, { ...conversation, id: 'b' }]),
      await inventoryOfList([conversation, 3]),
    );
    assert.deepEqual([comparison.conversations.gone.length, comparison.unread], [1, 1]);
  });
});
