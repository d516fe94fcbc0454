import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openIsland } from '../test/support/network.ts';
import type { Fault } from '../test/support/openai/faults.ts';
import { ServerProcess } from '../test/support/openai/server-process.ts';
import { tempDir } from '../test/support/temp-dir.ts';
import { mountTmpfs } from '../test/support/tmpfs.ts';
import type { Bench, BenchResult } from './bench.ts';
import {
  aria2c,
  BENCH_TOKENS,
  chatkeep,
  curl,
  curlAgainAndAgain,
  DOWNLOAD_NEEDS,
  type Source,
  sourceOf,
  type Tool,
  takeTurns,
} from './support/downloads.ts';
import { Far } from './support/far.ts';

const MB = 1_000_000;
const LEAST_RATIO = 0.95;
/** As src/config/schema.ts has it. */
const DEFAULT_CONNECTIONS = 4;

/** How fast bytes come in where nothing but this machine sets the pace. */
export const download: Bench = {
  name: 'download',
  summary: '2 GB over TLS on loopback into memory, beside curl and aria2c',
  needs: DOWNLOAD_NEEDS,
  run: (say) =>
    compare(say, {
      name: 'download',
      tools: [chatkeep(1), chatkeep(2), chatkeep(4), curl(), aria2c(1), aria2c(4)],
      bytes: 2000 * MB,
      rounds: 5,
    }),
};

/** How fast bytes come in from far away. */
export const downloadFar: Bench = {
  name: 'download-far',
  summary: '500 MB over TLS from a server 50 ms away, beside curl and aria2c',
  needs: DOWNLOAD_NEEDS,
  run: (say) =>
    compare(say, {
      name: 'download-far',
      tools: [chatkeep(1), chatkeep(2), chatkeep(4), chatkeep(8), curl(), aria2c(4)],
      bytes: 500 * MB,
      rounds: 3,
      oneWayMs: 25,
    }),
};

/** How fast bytes come in over a line that loses some. */
export const downloadLossy: Bench = {
  name: 'download-lossy',
  summary: '500 MB over TLS on loopback of which 1 % of the packets are lost, beside curl and aria2c',
  needs: [...DOWNLOAD_NEEDS, { path: '/usr/sbin/iptables', debianPackage: 'iptables' }],
  run: (say) =>
    compare(say, {
      name: 'download-lossy',
      tools: [chatkeep(1), chatkeep(2), chatkeep(4), chatkeep(8), curl(), aria2c(4)],
      bytes: 500 * MB,
      // Which packets are lost is luck.
      rounds: 9,
      loss: 0.01,
    }),
};

/** What cuts cost. */
export const downloadCuts: Bench = {
  name: 'download-cuts',
  summary:
    '1 GB from a server 50 ms away that breaks every answer off after 100 MB, beside curl called again after each',
  needs: DOWNLOAD_NEEDS,
  run: (say) =>
    compare(say, {
      name: 'download-cuts',
      tools: [chatkeep(1), chatkeep(4), curlAgainAndAgain()],
      bytes: 1000 * MB,
      rounds: 3,
      oneWayMs: 25,
      always: { kind: 'stop', afterBytes: 100 * MB, framing: 'content-length' },
    }),
};

interface Comparison {
  readonly name: string;
  readonly tools: readonly Tool[];
  readonly bytes: number;
  readonly rounds: number;
  readonly oneWayMs?: number;
  readonly loss?: number;
  readonly always?: Fault;
}

async function compare(
  say: (line: string) => void,
  { name, tools, bytes, rounds, oneWayMs, loss, always }: Comparison,
): Promise<BenchResult> {
  await using directory = await tempDir();
  const memory = join(directory.path, 'memory');
  await mkdir(memory);
  await using _memory = await mountTmpfs(memory, String(bytes + 100 * MB));
  await using stack = new AsyncDisposableStack();
  const island = loss === undefined ? undefined : stack.use(await openIsland({ loss }));
  const options = { bytes, server: { bearerTokens: BENCH_TOKENS }, ...(always === undefined ? {} : { always }) };
  const server = stack.use(await ServerProcess.start(options, island?.command));
  const near = await sourceOf(server.facts, bytes, directory.path);
  const source = oneWayMs === undefined ? near : await movedAway(near, oneWayMs, stack);
  const rows = await takeTurns({ tools, source, directory: memory, rounds, command: island?.command ?? [], say });
  const peers = rows.filter(({ tool }) => !tool.startsWith('chatkeep'));
  const ours = rows.find(({ tool }) => tool === chatkeep(DEFAULT_CONNECTIONS).name);
  const ratio = Math.min(...peers.map(({ wall_ms }) => wall_ms)) / (ours?.wall_ms ?? Number.NaN);
  return {
    name,
    goal: `throughput with ${DEFAULT_CONNECTIONS} connections ≥ ${LEAST_RATIO} of the faster peer's`,
    ratio,
    met: ratio >= LEAST_RATIO,
    rows,
  };
}

/** The same source, by way of a proxy that makes it distant. */
async function movedAway(source: Source, oneWayMs: number, stack: AsyncDisposableStack): Promise<Source> {
  const link = new URL(source.link);
  const far = stack.use(await Far.start({ port: Number(link.port), oneWayMs }));
  link.port = String(far.port);
  return { ...source, link: link.href };
}
