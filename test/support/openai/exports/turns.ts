import type { ConversationRecipe, Segment, Theme } from './model.ts';
import { SeededRandom } from './random.ts';

/** The generations of the export's format, by the export page of the facts. */
export const GENERATIONS = ['G1', 'G2', 'G3', 'G4', 'G5'] as const;
export type Generation = (typeof GENERATIONS)[number];

/** Whether `generation` is as new as `since` or newer. */
export function isSince(generation: Generation, since: Generation): boolean {
  return GENERATIONS.indexOf(generation) >= GENERATIONS.indexOf(since);
}

/** A file that a conversation points to. */
export interface Asset {
  readonly kind: 'upload' | 'dalle' | 'generated' | 'voice';
  /** What follows `://` in the pointer: `file-…` (older) or `file_…`. */
  readonly fileId: string;
  readonly name: string;
  readonly mime: string;
  readonly uuid: string;
  readonly conversationId: string;
  /** Named by the conversation, and yet not in the export, as happens with real ones. */
  readonly missing: boolean;
}

/** One turn: what the user asks and what comes of it. */
export interface Turn {
  readonly seed: string;
  readonly theme: Theme;
  /** Unix seconds. */
  readonly time: number;
  readonly assets: readonly Asset[];
  /** The turns before it that it leaves aside. */
  readonly rewind: number;
}

const SINCE: Readonly<Partial<Record<Theme, Generation>>> = {
  'image-generation': 'G2',
  voice: 'G2',
  'web-search': 'G3',
  reasoning: 'G3',
  canvas: 'G3',
  'live-video': 'G3',
};

const LATER_THEMES: readonly [Theme, ...Theme[]] = ['plain', 'plain', 'plain', 'plain', 'regenerated', 'edited'];

/** The turns of a conversation as a generation knows them: a theme before its time is plain text. */
export function turnsOf(recipe: ConversationRecipe, generation: Generation): Turn[] {
  return recipe.segments.flatMap((segment) =>
    Array.from({ length: segment.turns }, (_, index) => turnOf(recipe, segment, index, generation)),
  );
}

/** The files of a conversation, present or missing, in the order of their messages; no text is made for it. */
export function assetsOf(recipe: ConversationRecipe, generation: Generation): Asset[] {
  return recipe.segments.flatMap((segment) =>
    Array.from({ length: segment.turns }, (_, index) => turnOf(recipe, segment, index, generation).assets).flat(),
  );
}

function turnOf(recipe: ConversationRecipe, segment: Segment, index: number, generation: Generation): Turn {
  const seed = `${segment.seed}#${index}`;
  const drawn = index === 0 ? segment.theme : segment.theme === 'plain' ? 'plain' : laterTheme(seed);
  const since = SINCE[drawn];
  const theme = since === undefined || isSince(generation, since) ? drawn : 'plain';
  return {
    seed,
    theme,
    time: segment.startTime + index * segment.gapSeconds,
    assets: theme === 'plain' ? [] : makeAssets(recipe, seed, theme),
    rewind: index === 0 ? segment.rewind : 0,
  };
}

function laterTheme(seed: string): Theme {
  return new SeededRandom(`theme/${seed}`).pick(LATER_THEMES);
}

/** Names as people's devices give them: spaces, `#`, a narrow no-break space, other scripts. */
const IMAGE_NAMES = [
  'Screenshot 2025-03-04 at 9.41.12\u202fAM.png',
  'IMG_2041.jpg',
  'recipe #2 (final).png',
  '微信图片_20250304.png',
  'Überblick Küche.jpg',
] as const;
const FILE_NAMES = [
  'orders 2024 #3.csv',
  'Lebenslauf – Entwurf.pdf',
  '第三季度报告.pdf',
  'отчёт.txt',
  'train.py',
] as const;

function makeAssets(recipe: ConversationRecipe, seed: string, theme: Theme): Asset[] {
  const random = new SeededRandom(`assets/${seed}`);
  // The first conversation of an account or of an addition has all the awkward names, so that every export has them.
  const isFirst = recipe.seed.endsWith('/0');
  const make = (kind: Asset['kind'], name: string): Asset => ({
    kind,
    fileId: kind === 'upload' || kind === 'dalle' ? `file-${random.base62(22)}` : `file_${random.hex(32)}`,
    name,
    mime: mimeOf(name),
    uuid: random.uuid(),
    conversationId: recipe.id,
    missing: random.chance(1 / 15) && !isFirst,
  });
  switch (theme) {
    case 'image-upload':
      return (isFirst ? IMAGE_NAMES : [random.pick(IMAGE_NAMES)]).map((name) => make('upload', name));
    case 'code-interpreter':
      return [make('upload', random.pick(FILE_NAMES))];
    case 'image-generation':
      return [random.chance(0.5) ? make('dalle', 'image.webp') : make('generated', 'image.png')];
    case 'voice':
    case 'live-video':
      return [make('voice', 'audio.wav'), make('voice', 'audio.wav')];
    default:
      return [];
  }
}

function mimeOf(name: string): string {
  const types: Readonly<Record<string, string>> = {
    png: 'image/png',
    jpg: 'image/jpeg',
    webp: 'image/webp',
    wav: 'audio/wav',
    csv: 'text/csv',
    pdf: 'application/pdf',
    py: 'text/x-python',
  };
  return types[name.slice(name.lastIndexOf('.') + 1)] ?? 'text/plain';
}
