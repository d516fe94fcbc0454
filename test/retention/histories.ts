import fc from 'fast-check';
import type { ConversationEntry } from '../../src/chatgpt/index.ts';
import { sha256 } from '../../src/lib/hash.ts';
import type { Contents } from '../../src/retention/contents.ts';
import type { SnapshotPlace } from '../../src/snapshot/index.ts';

/** A message as an account has it: an id, and a version of its content; `rich` ones are not in the slim schema. */
interface Message {
  readonly id: number;
  readonly version: number;
  readonly rich: boolean;
}

/** What happens to an account between two exports. */
const event = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('write' as const), conversation: fc.nat(5), rich: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('rewrite' as const), conversation: fc.nat(5), message: fc.nat(9) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('unwrite' as const), conversation: fc.nat(5), message: fc.nat(9) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), conversation: fc.nat(5) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('upload' as const), asset: fc.nat(7) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('drop' as const), asset: fc.nat(7) }) },
);

/** Exports of an account, in the order of their times: what happened before each, when, and in which schema it is. */
export const histories = fc
  .array(
    fc.record({
      events: fc.array(event, { maxLength: 6 }),
      hoursLater: fc.integer({ min: 1, max: 2000 }),
      /** Some exports leave everything of an earlier one out, or cannot be read in full. */
      unread: fc.integer({ min: 0, max: 9 }).map((die) => die === 0),
      damaged: fc.integer({ min: 0, max: 14 }).map((die) => die === 0),
    }),
    { minLength: 1, maxLength: 12 },
  )
  .chain((exports) =>
    fc.record({
      exports: fc.constant(exports),
      /** From this export on, they are slim (G5). */
      slimFrom: fc.nat(exports.length),
      /** Exports are taken in in another order than they were made: some are slim among full ones. */
      strays: fc.subarray(exports.map((_, index) => index)),
    }),
  );

export interface Kept {
  readonly snapshot: SnapshotPlace;
  readonly contents: Contents | undefined;
}

/** The snapshots of a history, oldest first. */
export function snapshotsOf(history: typeof histories extends fc.Arbitrary<infer T> ? T : never): Kept[] {
  const conversations = new Map<number, Map<number, Message>>();
  const assets = new Set<number>();
  let time = Date.UTC(2024, 0, 1);
  let nextId = 0;
  return history.exports.map(({ events, hoursLater, unread, damaged }, index) => {
    time += hoursLater * 3_600_000;
    for (const each of events) {
      if (each.kind === 'write') {
        const messages = conversations.get(each.conversation) ?? new Map<number, Message>();
        conversations.set(each.conversation, messages.set(nextId, { id: nextId, version: 0, rich: each.rich }));
        nextId += 1;
      } else if (each.kind === 'rewrite' || each.kind === 'unwrite') {
        const messages = conversations.get(each.conversation);
        const message = [...(messages?.values() ?? [])][each.message];
        if (message === undefined) continue;
        if (each.kind === 'unwrite') messages?.delete(message.id);
        else messages?.set(message.id, { ...message, version: message.version + 1 });
      } else if (each.kind === 'delete') conversations.delete(each.conversation);
      else if (each.kind === 'upload') assets.add(each.asset);
      else assets.delete(each.asset);
    }
    const isSlim = index >= history.slimFrom !== history.strays.includes(index);
    const name = `${new Date(time).toISOString().slice(0, 19).replaceAll(':', '')}Z`;
    const entries = [...conversations].map(([id, messages]) => entryOf(`c${id}`, [...messages.values()], isSlim));
    return {
      snapshot: { id: `ann/${name}`, account: 'ann', name, path: `/backups/ann/${name}` },
      contents: damaged
        ? undefined
        : {
            conversations: new Map(entries.map((entry) => [entry.id, entry])),
            files: new Map([...assets].map((asset) => [sha256(`asset ${asset}`), `file-${asset}.dat`])),
            unread: unread ? 'what is in it could not be read in full' : undefined,
          },
    };
  });
}

const RECORD_BYTES = 17;

function entryOf(id: string, messages: readonly Message[], isSlim: boolean): ConversationEntry {
  const records = messages
    .filter(({ rich }) => !(isSlim && rich))
    .map((message) => {
      const record = Buffer.alloc(RECORD_BYTES);
      record.writeUInt32BE(message.id, 4);
      record.writeUInt32BE(message.version, 12);
      record[16] = message.rich ? 1 : 0b1001;
      return record;
    });
  return {
    id,
    title: undefined,
    createdAt: undefined,
    newestMessageAt: undefined,
    schema: isSlim ? 'slim' : 'full',
    archived: undefined,
    starred: undefined,
    messages: Buffer.concat(records.sort(Buffer.compare)),
  };
}

/** Everything that these snapshots hold, a line each: conversations, messages with their content, files. */
export function holdingsOf(kept: readonly Kept[]): Set<string> {
  const held = new Set<string>();
  for (const { contents } of kept) {
    for (const content of contents?.files.keys() ?? []) held.add(`file ${content}`);
    for (const { id, schema, messages } of contents?.conversations.values() ?? []) {
      held.add(`conversation ${id}`);
      for (let at = 0; at < messages.length; at += RECORD_BYTES) {
        const message = `message ${id} ${messages.toString('hex', at, at + 16)}`;
        held.add(message);
        if (schema === 'full') held.add(`${message} in full`);
      }
    }
  }
  return held;
}
