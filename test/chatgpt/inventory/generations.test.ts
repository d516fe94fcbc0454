import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Inventory, takeInventory } from '../../../src/chatgpt/index.ts';
import { createAccount, type ExportKind, GENERATIONS } from '../../support/openai/exports/index.ts';
import { type UnpackedExport, unpackedExport } from '../unpacked.ts';

const KINDS: readonly ExportKind[] = [...GENERATIONS, 'portal'];
const account = createAccount({ seed: 'inventory', conversations: 130 });

interface Taken extends UnpackedExport {
  readonly inventory: Inventory;
  readonly plain: PlainCount;
}

/** The same, counted in the plainest way: everything parsed at once. */
interface PlainCount {
  readonly conversations: number;
  readonly roles: Readonly<Record<string, number>>;
  readonly voice: number;
  readonly branches: number;
  readonly pointers: ReadonlySet<string>;
  readonly files: readonly string[];
}

interface PlainNode {
  readonly parent: string | null;
  readonly message: {
    readonly author: { readonly role: string };
    readonly metadata?: { readonly attachments?: { id: string }[] };
  } | null;
}

async function countPlainly(directory: string): Promise<PlainCount> {
  const files = (await readdir(directory, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const roles: Record<string, number> = {};
  const pointers = new Set<string>();
  let [conversations, voice, branches] = [0, 0, 0];
  for (const path of files.filter((file) => /\/conversations(-\d+)?\.json$/.test(file))) {
    const list: { mapping: Record<string, PlainNode> }[] = JSON.parse(await readFile(path, 'utf8'));
    conversations += list.length;
    for (const conversation of list) {
      const text = JSON.stringify(conversation);
      if (text.includes('"audio_transcription"')) voice += 1;
      for (const [, id] of text.matchAll(/:\/\/(file[-_][0-9A-Za-z]+)"/g)) pointers.add(id ?? '');
      const nodes = Object.entries(conversation.mapping);
      branches += nodes.filter(([id]) => !nodes.some(([, node]) => node.parent === id)).length - 1;
      for (const [, { message }] of nodes) {
        if (message === null) continue;
        roles[message.author.role] = (roles[message.author.role] ?? 0) + 1;
        for (const { id } of message.metadata?.attachments ?? []) pointers.add(id);
      }
    }
  }
  return { conversations, roles, voice, branches, pointers, files };
}

const taken = new Map<ExportKind, Taken>();
function of(kind: ExportKind): Taken {
  const one = taken.get(kind);
  assert.ok(one !== undefined);
  return one;
}

before(async () => {
  for (const kind of KINDS) {
    const unpacked = await unpackedExport(account, kind);
    const [inventory, plain] = [await takeInventory(unpacked.path), await countPlainly(unpacked.path)];
    taken.set(kind, { ...unpacked, inventory, plain, [Symbol.asyncDispose]: () => unpacked[Symbol.asyncDispose]() });
  }
});
after(async () => {
  for (const one of taken.values()) await one[Symbol.asyncDispose]();
});

for (const kind of KINDS) {
  describe(`The inventory of an export of ${kind === 'portal' ? 'the Privacy Portal' : kind}`, () => {
    it('counts what the export holds, no more and no less', () => {
      const { inventory, facts, plain } = of(kind);
      const { counts } = inventory;
      assert.deepEqual([counts.conversations, counts.messages], [facts.conversations, facts.messages]);
      assert.equal(plain.conversations, counts.conversations);
      const { user, assistant, system = 0, tool = 0 } = plain.roles;
      assert.deepEqual(counts.messagesByRole, { user, assistant, system, tool, other: 0 });
      assert.equal(counts.voiceConversations, plain.voice);
      assert.equal(counts.branches, plain.branches);
    });

    it('has a ledger that adds up, and nothing to report', () => {
      const { ledger, reports } = of(kind).inventory;
      for (const { found, kept, repeated, unread } of [ledger.conversations, ledger.messages])
        assert.deepEqual([found, repeated, unread], [kept, 0, 0]);
      assert.deepEqual(reports, {});
    });

    it('counts the files of assets by what they are, and those that are missing', () => {
      const { inventory, plain } = of(kind);
      const names = plain.files.map((file) => file.slice(file.lastIndexOf('/') + 1));
      const isThere = (id: string) => names.some((name) => name.startsWith(id));
      assert.equal(inventory.counts.missingAssets, [...plain.pointers].filter((id) => !isThere(id)).length);
      const { image, audio, video, other } = inventory.counts.assets;
      const assets = plain.files.filter((file) => /\/file[-_][^/]+$|_data\/[^/]+$/.test(file));
      assert.equal(image + audio + video + other, assets.length);
      if (kind === 'G1') return;
      const ending = (pattern: RegExp) =>
        assets.filter((file) => pattern.test(file) && !file.includes('_data/')).length;
      if (kind !== 'G5' && kind !== 'portal')
        assert.deepEqual([image, audio], [ending(/\.(png|jpg|webp)$/), ending(/\.wav$/)]);
      assert.ok(image > 0 && audio > 0 && other > 0);
    });

    it('guesses the generation', () => {
      assert.equal(of(kind).inventory.generation, kind === 'portal' ? 'G5' : kind);
    });

    it('tells when the newest message was written, which update_time often does not', () => {
      for (const entry of of(kind).inventory.conversations.values()) {
        assert.ok(entry.newestMessageAt !== undefined && entry.createdAt !== undefined);
        assert.ok(entry.newestMessageAt > entry.createdAt);
        assert.ok(entry.newestMessageAt <= account.asOf);
      }
    });
  });
}

describe('The inventories of one account in several generations', () => {
  it('have the same messages of the same content in G3 and G4, though the schema grows', () => {
    const [g3, g4] = [of('G3').inventory, of('G4').inventory];
    for (const [id, entry] of g3.conversations) assert.deepEqual(g4.conversations.get(id)?.messages, entry.messages);
  });

  it('have the same in a plain G5 export and in the parts of the portal', () => {
    const [g5, portal] = [of('G5').inventory, of('portal').inventory];
    assert.equal(g5.conversations.size, portal.conversations.size);
    for (const [id, entry] of g5.conversations) assert.deepEqual(portal.conversations.get(id), entry);
  });
});
