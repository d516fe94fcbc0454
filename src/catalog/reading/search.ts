import { join } from 'node:path';
import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import {
  type Message,
  messagesOf,
  ROLES,
  type Role,
  readConversationAt,
  readMessageAt,
  textOfMessage,
} from '../../chatgpt/index.ts';
import { DAY_MS } from '../../lib/clock.ts';
import { contentOf, firstIdAt, keyOf, momentOfId } from '../message-ids.ts';
import { parseQuestion, type Question, remarkOn } from '../words.ts';
import {
  type CatalogConversation,
  type ConversationFilter,
  conversationByNumber,
  listConversations,
  numbersQuery,
  placesOf,
  type VersionPlace,
} from './conversations.ts';
import { numberOf, numberOrNone, type Row, textOrNone } from './rows.ts';
import { type Snippet, snippetOf } from './snippet.ts';

export interface SearchFilter extends ConversationFilter {
  readonly role?: Role | undefined;
}

export interface SearchOptions {
  readonly filter?: SearchFilter;
  /** How many hits are given, and how many before them are passed over. */
  readonly limit?: number;
  readonly offset?: number;
  /** `best` unless told: by relevance, and newer ones before older ones that are as good. */
  readonly order?: 'best' | 'newest';
  /** The last word may go on: somebody is still typing. */
  readonly typing?: boolean;
  /** ms UTC; from here on backwards messages get old. */
  readonly now: number;
}

/** A message that was found. */
export interface Hit {
  readonly conversation: CatalogConversation;
  /** The provider's ids, of the message and of its place in the tree. Undefined where the text could not be read. */
  readonly message: string | undefined;
  readonly role: Role;
  readonly model: string | undefined;
  /** To the minute, ms UTC; undefined where the export gives none. */
  readonly at: number | undefined;
  /** The state of the conversation in which it is to be read, and the newest snapshot that has that. */
  readonly version: number;
  readonly snapshot: string | undefined;
  /** It is not in the conversation's newest state: edited, deleted, or no longer carried. */
  readonly earlier: boolean;
  /** Undefined where the snapshot's file cannot be read. */
  readonly snippet: Snippet | undefined;
  /** The other conversations that hold the same message: "branch into new chat" copies them. */
  readonly alsoIn: readonly CatalogConversation[];
}

export interface SearchResult {
  readonly hits: readonly Hit[];
  /** How many messages were found, each once; `more` if that is only where the counting ended. */
  readonly found: number;
  readonly more: boolean;
  /** Conversations whose titles have the words. */
  readonly titles: readonly CatalogConversation[];
  /** A sentence, where not all that was typed can be searched for. */
  readonly remark: string | undefined;
}

const DEFAULT_LIMIT = 20;
/** As many of the newest hits are put in order; where there are more, the older ones are not looked at. */
const CANDIDATES = 1000;
const TITLES = 5;
/** A message of that age has lost half of what being new adds to it, and it adds half of its relevance at the most. */
const HALF_LIFE_MS = 180 * DAY_MS;
const MOST_ADDED = 0.5;

interface Candidate {
  readonly id: number;
  readonly conversation: number;
  readonly key: number;
  readonly content: number;
  readonly role: Role;
  readonly model: string | undefined;
  readonly dated: boolean;
  readonly version: number;
  readonly head: number;
  readonly place: number | undefined;
}

/** Candidates that are the same message; the first is shown. */
type Group = readonly [Candidate, ...Candidate[]];

/**
 * Finds messages by what somebody typed ({@link parseQuestion}): never an error, whatever it is. Copies of a message, and
 * messages of the same text, are one hit.
 */
export async function search(database: DatabaseSync, typed: string, options: SearchOptions): Promise<SearchResult> {
  const { filter = {}, limit = DEFAULT_LIMIT, offset = 0, order = 'best', typing = false, now } = options;
  const question = parseQuestion(typed, { lastIsPrefix: typing });
  const remark = remarkOn(typed);
  if (question === undefined) return { hits: [], found: 0, more: false, titles: [], remark };
  const candidates = findCandidates(database, question, filter);
  const more = candidates.length === CANDIDATES;
  // The relevance of what is found everywhere says nothing, and takes long to find out.
  const ordered = order === 'best' && !more ? byRelevance(database, question, candidates, now) : candidates;
  const groups = grouped(ordered);
  const shown = groups.slice(offset, offset + limit);
  return {
    hits: await Promise.all(shown.map((group) => hitOf(database, group, question))),
    found: groups.length,
    more,
    titles: titlesOf(database, typed, filter),
    remark,
  };
}

function findCandidates(database: DatabaseSync, { match }: Question, filter: SearchFilter): Candidate[] {
  const { role, model, from, to, ...ofConversation } = filter;
  const conditions = ['text_index MATCH ?'];
  const values: SQLInputValue[] = [match];
  const add = (condition: string, ...more: SQLInputValue[]) => {
    conditions.push(condition);
    values.push(...more);
  };
  if (from !== undefined) add('text_index.rowid >= ?', firstIdAt(from));
  if (to !== undefined) add('text_index.rowid < ?', firstIdAt(to + 60_000));
  if (role !== undefined) add('m.role = ?', ROLES.indexOf(role));
  if (model !== undefined) add('m.model = (SELECT id FROM model WHERE name = ?)', model);
  if (Object.values(ofConversation).some((value) => value !== undefined)) {
    const { query, values: more } = numbersQuery(ofConversation);
    add(`m.conversation IN (${query})`, ...more);
  }
  return database
    .prepare(
      `SELECT m.id, m.conversation, m.key, m.content, m.role, model.name AS model, m.dated, m.version, m.place, c.head
       FROM text_index CROSS JOIN message m ON m.id = text_index.rowid JOIN conversation c ON c.id = m.conversation
       LEFT JOIN model ON model.id = m.model
       WHERE ${conditions.join(' AND ')} ORDER BY text_index.rowid DESC LIMIT ${CANDIDATES}`,
    )
    .all(...values)
    .map(candidateOf);
}

function candidateOf(row: Row): Candidate {
  return {
    id: numberOf(row.id),
    conversation: numberOf(row.conversation),
    key: numberOf(row.key),
    content: numberOf(row.content),
    role: ROLES[numberOf(row.role)] ?? 'other',
    model: textOrNone(row.model),
    dated: row.dated === 1,
    version: numberOf(row.version),
    head: numberOf(row.head),
    place: numberOrNone(row.place),
  };
}

function byRelevance(
  database: DatabaseSync,
  { match }: Question,
  candidates: readonly Candidate[],
  now: number,
): Candidate[] {
  const [newest, oldest] = [candidates[0]?.id ?? 0, candidates.at(-1)?.id ?? 0];
  const rows = database
    .prepare(
      'SELECT rowid, bm25(text_index) AS rank FROM text_index WHERE text_index MATCH ? AND rowid BETWEEN ? AND ?',
    )
    .all(match, oldest, newest);
  const ranks = new Map(rows.map(({ rowid, rank }) => [numberOf(rowid), numberOf(rank)] as const));
  const score = ({ id }: Candidate) => {
    const age = Math.max(0, now - momentOfId(id));
    return (ranks.get(id) ?? 0) * (1 + MOST_ADDED * 2 ** (-age / HALF_LIFE_MS));
  };
  // The smaller, the better.
  return candidates.toSorted((a, b) => score(a) - score(b));
}

/** The same message in several conversations, and several messages of the same text, are one. */
function grouped(candidates: readonly Candidate[]): Group[] {
  const groups = new Map<string, [Candidate, ...Candidate[]]>();
  for (const candidate of candidates) {
    const names = [`key ${candidate.key}`, `content ${candidate.role} ${candidate.content}`];
    const group = names.map((name) => groups.get(name)).find((one) => one !== undefined);
    if (group === undefined) {
      const begun: [Candidate] = [candidate];
      for (const name of names) groups.set(name, begun);
    } else {
      group.push(candidate);
      for (const name of names) groups.set(name, group);
    }
  }
  return [...new Set(groups.values())].map(bestFirst);
}

/** What is in a conversation's newest state is shown before what was in it. */
function bestFirst(group: Group): Group {
  const current = group.find(({ version, head }) => version === head);
  return current === undefined ? group : [current, ...group.filter((one) => one !== current)];
}

async function hitOf(database: DatabaseSync, [first, ...copies]: Group, question: Question): Promise<Hit> {
  const conversation = conversationByNumber(database, first.conversation);
  if (conversation === undefined) throw new Error('A message of no conversation was found.');
  const places = placesOf(database, first.version);
  const message = await messageOf(places, first);
  const others = new Set(copies.map((copy) => copy.conversation).filter((number) => number !== first.conversation));
  return {
    conversation,
    message: message?.id,
    role: first.role,
    model: first.model,
    at: first.dated ? (message?.createdAt ?? momentOfId(first.id)) : undefined,
    version: first.version,
    snapshot: places[0]?.snapshot,
    earlier: first.version !== first.head,
    snippet: message === undefined ? undefined : snippetOf(textOfMessage(message), question.terms),
    alsoIn: [...others].flatMap((number) => conversationByNumber(database, number) ?? []),
  };
}

/** Reads the message where it stands; where that was not noted, its whole conversation. */
async function messageOf(places: readonly VersionPlace[], candidate: Candidate): Promise<Message | undefined> {
  const isIt = (message: Message) =>
    keyOf(message.id) === candidate.key && contentOf(message, textOfMessage(message)) === candidate.content;
  for (const { directory, file, offset, bytes } of places) {
    const path = join(directory, file);
    const message = candidate.place === undefined ? undefined : await readMessageAt(path, offset + candidate.place);
    if (message !== undefined && isIt(message)) return message;
    const conversation = await readConversationAt(path, { offset, bytes });
    const found = conversation === undefined ? undefined : messagesOf(conversation).find(isIt);
    if (found !== undefined) return found;
  }
  return undefined;
}

function titlesOf(database: DatabaseSync, typed: string, filter: SearchFilter): CatalogConversation[] {
  if (filter.role !== undefined || filter.title !== undefined) return [];
  return listConversations(database, { ...filter, title: typed }, { limit: TITLES });
}
