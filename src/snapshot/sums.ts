/** One line of SHA256SUMS. */
export interface Sum {
  /** POSIX, relative to the snapshot. */
  readonly path: string;
  /** 64 hex digits, lower case. */
  readonly sha256: string;
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r' };
const UNESCAPES: Readonly<Record<string, string>> = { '\\\\': '\\', '\\n': '\n', '\\r': '\r' };

/**
 * The text of SHA256SUMS, sorted by the bytes of the paths. The format is that of GNU coreutils (info `md5sum
 * invocation`): digest, two spaces, name; a line whose name holds a backslash or a line break begins with a backslash,
 * and has them as `\\`, `\n` and `\r`.
 */
export function formatSums(sums: readonly Sum[]): string {
  return sums
    .map(({ path, sha256 }) => ({ bytes: Buffer.from(path), path, sha256 }))
    .sort((a, b) => Buffer.compare(a.bytes, b.bytes))
    .map(({ path, sha256 }) => {
      const escaped = path.replace(/[\\\n\r]/g, (character) => ESCAPES[character] ?? character);
      return `${escaped === path ? '' : '\\'}${sha256}  ${escaped}\n`;
    })
    .join('');
}

const LINE = /^(\\?)([0-9a-f]{64}) [ *](.+)$/s;

/** What a SHA256SUMS says. */
export interface ParsedSums {
  readonly sums: readonly Sum[];
  /** Numbers (from 1) of the lines that say nothing, or name a path that leads out of the snapshot. */
  readonly badLines: readonly number[];
}

/** Reads the text of SHA256SUMS; the reverse of {@link formatSums}. */
export function parseSums(text: string): ParsedSums {
  const sums: Sum[] = [];
  const badLines: number[] = [];
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  for (const [index, line] of lines.entries()) {
    const sum = parseLine(line);
    if (sum === undefined) badLines.push(index + 1);
    else sums.push(sum);
  }
  return { sums, badLines };
}

function parseLine(line: string): Sum | undefined {
  const [, escaped, sha256, name] = LINE.exec(line) ?? [];
  if (sha256 === undefined || name === undefined) return undefined;
  const path = escaped === '\\' ? name.replace(/\\[\\nr]/g, (sequence) => UNESCAPES[sequence] ?? sequence) : name;
  return isInside(path) ? { path, sha256 } : undefined;
}

/** A backup directory may come from elsewhere: it must not make us read the rest of the machine. */
function isInside(path: string): boolean {
  return !path.includes('\0') && path.split('/').every((segment) => !['', '.', '..'].includes(segment));
}
