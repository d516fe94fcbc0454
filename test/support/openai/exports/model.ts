import { DAY_MS } from '../../../../src/lib/clock.ts';
import { SeededRandom } from './random.ts';
import { LANGUAGES, type Language, titleText } from './texts.ts';

/**
 * What happens in a turn. The first conversations of an account take one theme each, in this order, so that a small
 * account already holds every kind of message; after that they are drawn at random.
 */
export const THEMES = [
  'image-upload',
  'plain',
  'voice',
  'code-interpreter',
  'browsing',
  'web-search',
  'image-generation',
  'reasoning',
  'canvas',
  'edited',
  'regenerated',
  'system-error',
  'live-video',
] as const;
export type Theme = (typeof THEMES)[number];

/** A run of turns: the original conversation, or what a later change made of it. */
export interface Segment {
  readonly seed: string;
  readonly turns: number;
  readonly theme: Theme;
  /** The first turn's time, and the time between turns, in Unix seconds. */
  readonly startTime: number;
  readonly gapSeconds: number;
  /** How many of the turns before it are left aside: 0 appends, more makes a branch that becomes the main path. */
  readonly rewind: number;
}

/** All that is held of a conversation; its messages are made from the seeds each time they are written. */
export interface ConversationRecipe {
  readonly id: string;
  readonly seed: string;
  readonly title: string | null;
  readonly language: Language;
  /** Unix seconds, with a fraction. */
  readonly createTime: number;
  /** Unix seconds; in about a third of the conversations older than the newest message, as in real exports. */
  readonly updateTime: number;
  readonly archived: boolean;
  readonly starred: boolean;
  readonly segments: readonly [Segment, ...Segment[]];
}

/** One account at one moment. */
export interface AccountModel {
  readonly seed: string;
  /** `user-…` */
  readonly userId: string;
  readonly email: string;
  readonly phone: string | undefined;
  readonly birthYear: number;
  /** The 64 hex digits that all its exports' names start with. */
  readonly exportKey: string;
  /** The newest moment in it, ms UTC. */
  readonly asOf: number;
  readonly conversations: readonly ConversationRecipe[];
}

export interface AccountOptions {
  readonly seed: string;
  /** How many. */
  readonly conversations: number;
  readonly email?: string;
  readonly phone?: string;
  /** The newest moment in the account; 2026-03-01T00:00:00Z unless told. */
  readonly asOf?: Date;
}

export interface NextExportOptions {
  readonly seed: string;
  /** New conversations, conversations with new messages or an edited branch, conversations gone. */
  readonly add?: number;
  readonly change?: number;
  readonly delete?: number;
  /** How much later; one day unless told. */
  readonly days?: number;
}

const DEFAULT_AS_OF = new Date('2026-03-01T00:00:00Z');
const ACCOUNT_AGE_DAYS = 900;
/** 146 of 495 conversations of a real export had an `update_time` older than their newest message. */
const STALE_SHARE = 146 / 495;

/** Describes an account; the same options give the same account, byte for byte. */
export function createAccount(options: AccountOptions): AccountModel {
  const random = new SeededRandom(`account/${options.seed}`);
  const userId = `user-${random.base62(24)}`;
  const exportKey = random.hex(64);
  const birthYear = random.between(1950, 2005);
  const asOf = (options.asOf ?? DEFAULT_AS_OF).getTime();
  const conversations: ConversationRecipe[] = [];
  for (let index = 0; index < options.conversations; index += 1) {
    const seed = `${options.seed}/${index}`;
    conversations.push(makeRecipe({ seed, index, asOf, ageDays: ACCOUNT_AGE_DAYS, earlier: conversations }));
  }
  return {
    seed: options.seed,
    userId,
    email: options.email ?? `${options.seed.replace(/[^A-Za-z0-9]+/g, '.')}@example.com`,
    phone: options.phone,
    birthYear,
    exportKey,
    asOf,
    conversations,
  };
}

/**
 * The same account some time later. Conversations that are neither changed nor deleted are the very same recipes, and
 * so are byte-identical in every later export of the same generation. The first added conversation brings a new asset.
 *
 * @throws RangeError if more is to be changed and deleted than there is
 */
export function nextExport(model: AccountModel, options: NextExportOptions): AccountModel {
  const { add = 0, change = 0, delete: gone = 0, days = 1 } = options;
  if (change + gone > model.conversations.length) {
    throw new RangeError(`cannot change ${change} and delete ${gone} of ${model.conversations.length} conversations`);
  }
  const random = new SeededRandom(`next/${model.seed}/${options.seed}`);
  const asOf = model.asOf + days * DAY_MS;
  const chosen = drawDistinct(random, model.conversations.length, change + gone);
  const toDelete = new Set(chosen.slice(0, gone));
  const toChange = new Map(chosen.slice(gone).map((position, order) => [position, order] as const));
  const kept = model.conversations.flatMap((recipe, position) => {
    if (toDelete.has(position)) return [];
    const order = toChange.get(position);
    return [order === undefined ? recipe : changed(recipe, `${options.seed}/${order}`, order, model.asOf)];
  });
  const added: ConversationRecipe[] = [];
  for (let index = 0; index < add; index += 1) {
    const seed = `${model.seed}/${options.seed}/added/${index}`;
    added.push(makeRecipe({ seed, index, asOf, ageDays: days, earlier: [] }));
  }
  return { ...model, asOf, conversations: [...kept, ...added] };
}

/**
 * Further long conversations of plain text, without assets, to bring an export to a size. Number `index` is the same in
 * every export of the account.
 */
export function fillerRecipe(model: AccountModel, index: number): ConversationRecipe {
  const seed = `${model.seed}/filler/${index}`;
  const random = new SeededRandom(`recipe/${seed}`);
  const createTime = DEFAULT_AS_OF.getTime() / 1000 - random.between(400, ACCOUNT_AGE_DAYS) * 86_400;
  const language = random.pick(LANGUAGES);
  const turns = random.between(30, 90);
  const segment: Segment = { seed, turns, theme: 'plain', startTime: createTime, gapSeconds: 95, rewind: 0 };
  return {
    id: random.uuid(),
    seed,
    title: titleText(random, language),
    language,
    createTime,
    updateTime: createTime + turns * segment.gapSeconds,
    archived: false,
    starred: false,
    segments: [segment],
  };
}

interface RecipeOptions {
  readonly seed: string;
  readonly index: number;
  readonly asOf: number;
  readonly ageDays: number;
  readonly earlier: readonly ConversationRecipe[];
}

function makeRecipe({ seed, index, asOf, ageDays, earlier }: RecipeOptions): ConversationRecipe {
  const random = new SeededRandom(`recipe/${seed}`);
  const id = random.uuid();
  // A third of the account is in English, the rest in turn: real accounts mix two or three languages.
  const language = index % 3 === 0 ? 'en' : random.pick(LANGUAGES);
  const createTime = Math.floor(asOf / 1000 - (0.1 + 0.9 * random.fraction()) * ageDays * 86_400) + 0.123456;
  const gapSeconds = random.between(20, 400);
  const own: Segment = {
    seed,
    turns: random.between(2, 14),
    theme: THEMES[index] ?? random.pick(THEMES),
    startTime: createTime,
    gapSeconds,
    rewind: 0,
  };
  const source = index >= THEMES.length && index % 11 === 0 ? earlier[index - THEMES.length] : undefined;
  const segments: readonly [Segment, ...Segment[]] = source === undefined ? [own] : branchOf(source, own);
  return {
    id,
    seed,
    title: titleFor(random, { index, language, source }),
    language: source?.language ?? language,
    createTime,
    updateTime: updateTimeOf(random, segments),
    archived: random.chance(0.1),
    starred: random.chance(0.05),
    segments,
  };
}

/** "Branch into new chat": the new conversation starts with the other one's first messages, ids and all. */
function branchOf(source: ConversationRecipe, own: Segment): readonly [Segment, Segment] {
  const [first] = source.segments;
  return [{ ...first, turns: Math.min(2, first.turns) }, own];
}

function titleFor(
  random: SeededRandom,
  { index, language, source }: { index: number; language: Language; source: ConversationRecipe | undefined },
): string | null {
  if (index % 13 === 7) return null;
  if (source !== undefined) return `Branch · ${source.title ?? 'New chat'}`;
  return titleText(random, language);
}

function updateTimeOf(random: SeededRandom, segments: readonly Segment[]): number {
  const newest = Math.max(...segments.map((segment) => segment.startTime + segment.turns * segment.gapSeconds));
  return random.chance(STALE_SHARE) ? newest - random.between(600, 86_400) : newest + 1.5;
}

function changed(recipe: ConversationRecipe, seed: string, order: number, asOf: number): ConversationRecipe {
  const random = new SeededRandom(`change/${recipe.seed}/${seed}`);
  const segment: Segment = {
    seed: `${recipe.seed}/changed/${seed}`,
    turns: random.between(1, 3),
    theme: order % 3 === 1 ? 'image-upload' : 'plain',
    startTime: asOf / 1000 + random.between(60, 7_200),
    gapSeconds: random.between(20, 400),
    rewind: order % 2,
  };
  const segments: readonly [Segment, ...Segment[]] = [...recipe.segments, segment];
  const stale = random.chance(STALE_SHARE);
  return { ...recipe, segments, updateTime: stale ? recipe.updateTime : updateTimeOf(random, segments) };
}

function drawDistinct(random: SeededRandom, size: number, howMany: number): number[] {
  const drawn = new Set<number>();
  while (drawn.size < howMany) drawn.add(random.below(size));
  return [...drawn];
}
