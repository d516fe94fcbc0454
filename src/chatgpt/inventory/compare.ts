import type { Generation } from './generation.ts';
import type { ConversationEntry, Inventory } from './inventory.ts';
import { countRecords, readRecords } from './records.ts';

/**
 * What became of the messages of one export in a later one of the same account. Every older message is unchanged,
 * changed, gone or no longer carried; every newer one unchanged, changed, added or carried again.
 */
export interface MessageChanges {
  readonly unchanged: number;
  /** The same message with other content. */
  readonly changed: number;
  readonly added: number;
  readonly gone: number;
  /** Gone, and of a kind that the newer export's schema does not hold: nobody has deleted them. */
  readonly noLongerCarried: number;
  /** Added, and of a kind that the older export's schema did not hold: they need not be new. */
  readonly carriedAgain: number;
}

export interface ConversationChange {
  readonly id: string;
  /** In the newer export; of a conversation that is gone, in the older one. */
  readonly title: string | undefined;
  readonly messages: MessageChanges;
}

export interface ChangedConversation extends ConversationChange {
  readonly renamed: boolean;
  readonly archived: 'archived' | 'unarchived' | undefined;
}

export interface Comparison {
  readonly conversations: {
    readonly added: readonly ConversationChange[];
    /** Other messages, another title, archived or not: only what people did, never what the format does. */
    readonly changed: readonly ChangedConversation[];
    readonly gone: readonly ConversationChange[];
    /** Gone, and all their messages of kinds that the newer schema does not hold. */
    readonly noLongerCarried: readonly ConversationChange[];
    readonly unchanged: number;
  };
  /** Over all conversations. */
  readonly messages: MessageChanges;
  /** Ids of assets whose files are in one of the two exports only. */
  readonly assets: {
    readonly added: readonly string[];
    readonly gone: readonly string[];
    /** Generated images, which exports no longer hold since G5. */
    readonly noLongerCarried: readonly string[];
  };
  /** Set where the two exports are of different formats. */
  readonly formatChange: { readonly from: Generation; readonly to: Generation } | undefined;
  /**
   * How much of the newer export's lists could not be read. As long as it is not 0, what seems gone may be in there.
   */
  readonly unread: number;
}

/**
 * Compares two exports of one account by message ids and contents; no time is looked at. A change of the format is told
 * apart from deletions: of a conversation that went from the full to the slim schema, only what the slim one can hold
 * is missed.
 */
export function compareInventories(older: Inventory, newer: Inventory): Comparison {
  const added: ConversationChange[] = [];
  const changed: ChangedConversation[] = [];
  const gone: ConversationChange[] = [];
  const noLongerCarried: ConversationChange[] = [];
  let messages = NO_CHANGES;
  let unchanged = 0;
  for (const after of newer.conversations.values()) {
    const before = older.conversations.get(after.id);
    if (before === undefined) {
      added.push(addedOne(after));
      continue;
    }
    const change = changeOf(before, after);
    messages = sum(messages, change.messages);
    if (isChanged(before, after, change)) changed.push(change);
    else unchanged += 1;
  }
  for (const before of older.conversations.values()) {
    if (newer.conversations.has(before.id)) continue;
    const change = goneOne(before, newer);
    (change.messages.gone === 0 && change.messages.noLongerCarried > 0 ? noLongerCarried : gone).push(change);
  }
  for (const change of [...added, ...gone, ...noLongerCarried]) messages = sum(messages, change.messages);
  return {
    conversations: { added, changed, gone, noLongerCarried, unchanged },
    messages,
    assets: compareAssets(older, newer),
    formatChange: older.generation === newer.generation ? undefined : { from: older.generation, to: newer.generation },
    unread: newer.ledger.conversations.unread + newer.ledger.messages.unread,
  };
}

const NO_CHANGES: MessageChanges = {
  unchanged: 0,
  changed: 0,
  added: 0,
  gone: 0,
  noLongerCarried: 0,
  carriedAgain: 0,
};

function sum(a: MessageChanges, b: MessageChanges): MessageChanges {
  return {
    unchanged: a.unchanged + b.unchanged,
    changed: a.changed + b.changed,
    added: a.added + b.added,
    gone: a.gone + b.gone,
    noLongerCarried: a.noLongerCarried + b.noLongerCarried,
    carriedAgain: a.carriedAgain + b.carriedAgain,
  };
}

function addedOne({ id, title, messages }: ConversationEntry): ConversationChange {
  return { id, title, messages: { ...NO_CHANGES, added: countRecords(messages) } };
}

/** Of a conversation that was deleted, too, the newer schema would not have held everything. */
function goneOne({ id, title, messages, schema }: ConversationEntry, newer: Inventory): ConversationChange {
  const isNarrower = schema === 'full' && newer.generation === 'G5';
  const all = countRecords(messages);
  const carried = isNarrower ? [...readRecords(messages)].filter(({ inSlimSchema }) => inSlimSchema).length : all;
  return { id, title, messages: { ...NO_CHANGES, gone: carried, noLongerCarried: all - carried } };
}

function changeOf(before: ConversationEntry, after: ConversationEntry): ChangedConversation {
  const { archived } = after;
  const isArchivedAnew = archived !== undefined && before.archived !== undefined && before.archived !== archived;
  return {
    id: after.id,
    title: after.title,
    renamed: before.title !== after.title,
    archived: isArchivedAnew ? (archived ? 'archived' : 'unarchived') : undefined,
    messages: messageChanges(before, after),
  };
}

function messageChanges(before: ConversationEntry, after: ConversationEntry): MessageChanges {
  if (before.messages.equals(after.messages)) return { ...NO_CHANGES, unchanged: countRecords(before.messages) };
  const narrowed = before.schema === 'full' && after.schema === 'slim';
  const widened = before.schema === 'slim' && after.schema === 'full';
  const missing = new Map(Array.from(readRecords(before.messages), (record) => [record.id, record] as const));
  let [unchanged, changed, added, gone, noLongerCarried, carriedAgain] = [0, 0, 0, 0, 0, 0];
  for (const record of readRecords(after.messages)) {
    const same = missing.get(record.id);
    missing.delete(record.id);
    if (same === undefined) {
      if (widened && !record.inSlimSchema) carriedAgain += 1;
      else added += 1;
    } else if (same.content === record.content) unchanged += 1;
    else changed += 1;
  }
  for (const { inSlimSchema } of missing.values()) {
    if (narrowed && !inSlimSchema) noLongerCarried += 1;
    else gone += 1;
  }
  return { unchanged, changed, added, gone, noLongerCarried, carriedAgain };
}

/**
 * Whether anybody did something to it. Messages keep their content for good (an edit is a new message), so that another
 * content in another schema is the schema's doing.
 */
function isChanged(before: ConversationEntry, after: ConversationEntry, change: ChangedConversation): boolean {
  const { added, gone, changed } = change.messages;
  if (change.renamed || change.archived !== undefined || added + gone > 0) return true;
  return changed > 0 && before.schema === after.schema;
}

function compareAssets(older: Inventory, newer: Inventory): Comparison['assets'] {
  const missing = [...older.assets].filter(([id]) => !newer.assets.has(id));
  const isNarrower = older.generation !== 'G5' && newer.generation === 'G5';
  return {
    added: [...newer.assets.keys()].filter((id) => !older.assets.has(id)),
    gone: missing.filter(([, { generated }]) => !(isNarrower && generated)).map(([id]) => id),
    noLongerCarried: missing.filter(([, { generated }]) => isNarrower && generated).map(([id]) => id),
  };
}
