import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { downloadCommand } from '../../test/support/download-process.ts';
import { median, type Row } from '../bench.ts';
import { measured, type Usage } from '../measure.ts';
import { withCompileCache } from './program.ts';

const TOKEN = 'ey.bench-access-token';

/** The logins that the server has to know. */
export const BENCH_TOKENS = [TOKEN];

/** What the programs need. */
export const DOWNLOAD_NEEDS = [
  { path: '/usr/bin/curl', debianPackage: 'curl' },
  { path: '/usr/bin/aria2c', debianPackage: 'aria2' },
  { path: '/usr/bin/time', debianPackage: 'time' },
] as const;

/** One program that fetches an export to a file. */
export interface Tool {
  readonly name: string;
  /** The command line, and the file in `directory` that it makes. */
  command(source: Source, directory: string): { readonly argv: readonly string[]; readonly file: string };
}

/** Where the export is. */
export interface Source {
  readonly link: string;
  readonly caFile: string;
  readonly tokenFile: string;
  /** A directory for compiled code. */
  readonly compileCache: string;
  readonly bytes: number;
}

/** Writes what the programs need to reach a server. */
export async function sourceOf(
  { link, certPem }: { readonly link: string; readonly certPem: string },
  bytes: number,
  directory: string,
): Promise<Source> {
  const [caFile, tokenFile] = [join(directory, 'ca.pem'), join(directory, 'token')];
  await Promise.all([writeFile(caFile, certPem), writeFile(tokenFile, TOKEN)]);
  return { link, caFile, tokenFile, compileCache: join(directory, 'compiled'), bytes };
}

export function chatkeep(connections: number): Tool {
  return {
    name: `chatkeep, ${connections} at once`,
    command: ({ link, caFile, tokenFile, compileCache }, directory) => ({
      argv: withCompileCache(compileCache, downloadCommand({ link, caFile, tokenFile, directory, connections })),
      file: 'export.zip',
    }),
  };
}

export function curl(): Tool {
  return { name: 'curl', command: (source) => ({ argv: curlCommand(source), file: 'export.zip' }) };
}

/**
 * Curl, called again a second after each failure to go on from what it has: its own `--retry` begins at the place where
 * the call began (curl 7.88), and would fetch the first part for ever.
 */
export function curlAgainAndAgain(): Tool {
  return {
    name: 'until curl -C -',
    command: (source) => ({
      argv: ['sh', '-c', 'until "$@"; do sleep 1; done', 'sh', ...curlCommand(source, '-C', '-')],
      file: 'export.zip',
    }),
  };
}

function curlCommand({ link, caFile }: Source, ...options: readonly string[]): string[] {
  const login = `Authorization: Bearer ${TOKEN}`;
  return ['curl', '-sSf', '--cacert', caFile, '-H', login, ...options, '-o', 'export.zip', link];
}

export function aria2c(connections: number): Tool {
  const options = [`--split=${connections}`, `--max-connection-per-server=${connections}`];
  return {
    name: `aria2c, ${connections} at once`,
    command: ({ link, caFile }) => ({
      argv: [
        'aria2c',
        '--quiet',
        `--ca-certificate=${caFile}`,
        `--header=Authorization: Bearer ${TOKEN}`,
        '--file-allocation=none',
        // Its own resolver wants a DNS server, for localhost too, and an island has none.
        '--async-dns=false',
        ...options,
        '--out=export.zip',
        link,
      ],
      file: 'export.zip',
    }),
  };
}

export interface Rounds {
  readonly tools: readonly Tool[];
  readonly source: Source;
  readonly directory: string;
  readonly rounds: number;
  /** What a command line begins with. */
  readonly command?: readonly string[];
  readonly say: (line: string) => void;
}

/** Has every tool fetch the export in turn, round after round; each file is synced before the next begins. */
export async function takeTurns({ tools, source, directory, rounds, command = [], say }: Rounds): Promise<Row[]> {
  const usages = tools.map((): Usage[] => []);
  for (let round = 1; round <= rounds; round += 1) {
    for (const [index, tool] of tools.entries()) {
      const usage = await fetchOnce(tool, source, directory, command);
      usages[index]?.push(usage);
      say(`round ${round}: ${tool.name}: ${Math.round(usage.wallMs)} ms, CPU ${usage.cpuMs} ms`);
    }
  }
  return tools.map(({ name }, index) => row(name, usages[index] ?? [], source.bytes));
}

async function fetchOnce(tool: Tool, source: Source, directory: string, command: readonly string[]): Promise<Usage> {
  const target = join(directory, 'target');
  await mkdir(target);
  const { argv, file } = tool.command(source, target);
  const [program = '', ...args] = [...command, ...argv];
  const usage = await measured(program, args, target);
  const { size } = await stat(join(target, file));
  if (size !== source.bytes) throw new Error(`${tool.name} brought ${size} bytes of ${source.bytes}.`);
  await rm(target, { recursive: true });
  return usage;
}

function row(tool: string, usages: readonly Usage[], bytes: number): Row {
  const walls = usages.map(({ wallMs }) => wallMs);
  return {
    tool,
    wall_ms: Math.round(median(walls)),
    cpu_ms: Math.round(median(usages.map(({ cpuMs }) => cpuMs))),
    rss_bytes: Math.max(...usages.map(({ rssBytes }) => rssBytes)),
    bytes,
    rounds: usages.length,
    wall_ms_min: Math.round(Math.min(...walls)),
    wall_ms_max: Math.round(Math.max(...walls)),
  };
}
