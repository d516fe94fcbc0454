import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Document, YAMLError } from 'yaml';
import { commandThatLetsUse } from '../lib/access.ts';
import { errorCode, isDenial, pathOf } from '../lib/errors.ts';
import type { Findings } from './findings.ts';
import { absolutePath, isPathKey } from './paths.ts';

/** Where the file is looked for when neither `--config` nor CHATKEEP_CONFIG names one. */
export const DEFAULT_CONFIG_PATH = '/config/chatkeep.yaml';

export interface ConfigFile {
  /** Absolute; undefined when there is no file. */
  readonly path: string | undefined;
  /** What it holds; paths absolute, empty keys left out. Undefined when it cannot be used. */
  readonly tree: object | undefined;
}

export interface FileChoice {
  /** From the command line. */
  readonly path: string | undefined;
  /** From CHATKEEP_CONFIG. */
  readonly environmentPath: string | undefined;
  /** Taken if it exists. */
  readonly defaultPath: string;
  readonly cwd: string;
}

/** Reads the configuration file, wherever it is. What is wrong with it goes into `findings`. */
export async function readConfigFile(choice: FileChoice, findings: Findings): Promise<ConfigFile> {
  const named = choice.path ?? choice.environmentPath;
  const name = choice.path === undefined ? 'CHATKEEP_CONFIG' : '--config';
  const path = resolve(choice.cwd, named ?? choice.defaultPath);
  try {
    return { path, tree: await parse(await readFile(path, 'utf8'), path, findings) };
  } catch (error) {
    if (named === undefined && errorCode(error) === 'ENOENT') return { path: undefined, tree: {} };
    findings.problem(`${named === undefined ? '' : `${name}: `}${path} cannot be read: ${whyUnreadable(error)}`);
    return { path, tree: undefined };
  }
}

/** Why a file cannot be read, in words. */
export function whyUnreadable(error: unknown): string {
  const code = errorCode(error);
  if (code === 'ENOENT') return 'there is no such file';
  if (isDenial(error)) {
    const path = pathOf(error);
    const command = path === undefined ? undefined : commandThatLetsUse(path);
    return `permission is denied: let the user that runs Chatkeep read it${command === undefined ? '' : `; ${command}`}`;
  }
  if (code === 'EISDIR') {
    return 'it is a directory, not a file (Docker makes a directory where the file to be mounted is missing)';
  }
  return code ?? 'it cannot be opened';
}

async function parse(text: string, path: string, findings: Findings): Promise<object | undefined> {
  // Many have no file, and do without what reads it.
  const { LineCounter, parseDocument } = await import('yaml');
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'silent' });
  for (const error of toBeTold(document)) {
    const { line, col } = lines.linePos(error.pos[0]);
    findings.problem(`${path}: line ${line}, column ${col}: ${describeSyntaxError(error, text)}`);
  }
  if (document.errors.length > 0) return undefined;
  const content = contentOf(document);
  if (typeof content === 'object' && !Array.isArray(content)) return tidiedObject(content ?? {}, dirname(path), 0);
  findings.problem(
    content === undefined
      ? `${path}: an *alias names no &anchor, or aliases are too many: put a value that begins with * in quotes`
      : `${path}: must hold keys and values, as config/chatkeep.example.yaml does`,
  );
  return undefined;
}

/** Where the text cannot be understood any more, whatever follows is noise. */
function toBeTold({ errors, warnings }: Document.Parsed): YAMLError[] {
  const first = errors.find(({ code }) => code !== 'DUPLICATE_KEY');
  return first === undefined ? [...errors, ...warnings] : [first];
}

/** As plain values; undefined if an alias cannot be followed. */
function contentOf(document: Document.Parsed): unknown {
  try {
    return document.toJS();
  } catch {
    return undefined;
  }
}

/**
 * The parser's own messages quote the text, and what they quote may be a password: so the sentences are ours, by the
 * parser's error codes.
 */
function describeSyntaxError(error: YAMLError, text: string): string {
  switch (error.code) {
    case 'DUPLICATE_KEY':
      return `the key \`${/^[\w-]*/.exec(text.slice(error.pos[0]))?.[0]}\` stands here for the second time: keep one`;
    case 'TAB_AS_INDENT':
      return 'a tab is used to indent: use spaces';
    case 'BAD_INDENT':
      return 'the indentation does not fit the lines above';
    case 'MISSING_CHAR':
      return 'a quote, bracket or colon is missing';
    case 'BLOCK_AS_IMPLICIT_KEY':
      return 'there are two `: ` in one line: put the value in quotes';
    case 'BAD_SCALAR_START':
    case 'TAG_RESOLVE_FAILED':
    case 'BAD_ALIAS':
    case 'BAD_DQ_ESCAPE':
      return 'a value begins with, or holds, a character that means something in YAML: put it in single quotes';
    case 'MULTIPLE_DOCS':
      return 'a second document begins: put everything above the `---`';
    default:
      return 'this is not valid YAML';
  }
}

/** Deeper than any setting lies; what an alias that contains itself would make endless is cut off here. */
const MOST_LEVELS = 10;

/** A copy with absolute paths, without the keys that stand empty (`drop_dir:`). */
function tidied(value: unknown, base: string, level: number): unknown {
  if (level > MOST_LEVELS) return undefined;
  if (Array.isArray(value)) return value.map((item) => tidied(item, base, level + 1));
  return typeof value === 'object' && value !== null ? tidiedObject(value, base, level) : value;
}

function tidiedObject(value: object, base: string, level: number): object {
  const entries = Object.entries(value).filter(([, item]) => item !== null);
  return Object.fromEntries(
    entries.map(([key, item]) => [
      key,
      typeof item === 'string' && item !== '' && isPathKey(key)
        ? absolutePath(item, base)
        : tidied(item, base, level + 1),
    ]),
  );
}
