import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inspectArchive, unpackArchive } from '../src/archive/index.ts';
import { Catalog, type CatalogSource } from '../src/catalog/index.ts';
import { HEAP_MEGABYTES } from '../src/catalog/update.ts';
import { memoryFlags } from '../src/lib/apart.ts';
import { sha256OfFile } from '../src/lib/hash.ts';
import { tempDir } from '../test/support/temp-dir.ts';
import { type Bench, median } from './bench.ts';
import { measured, type Usage } from './measure.ts';
import { MILLION_MESSAGES_BYTES, writeMillionMessages } from './support/million-messages.ts';
import { buildProgram, PROGRAM } from './support/program.ts';

const ROUNDS = 3;
/** Every hundredth conversation is changed. */
const CHANGED_EVERY = 100;
const LEAST_OF_PARSING = 0.4;
const MOST_OF_FULL = 0.05;
const MOST_QUERY_MS = 50;
const QUERY_ROUNDS = 5;

const BUDGETS = { maxEntries: 100_000, maxUnpackedBytes: 1e12, maxRatio: 1000 };

/** What people search for: rare and frequent words, phrases, beginnings, filters; and for rg the same words. */
const QUERIES = [
  ['cache'],
  ['the'],
  ['lisbon hotel'],
  ['"the older version"'],
  ['migrat*'],
  ['paragraph batch overnight'],
  ['东京'],
  ['zugfahrt'],
  ['qwertzuiop'],
  ['default setting -cache'],
] as const;

/** Of the program as it is installed. */
function program(module: string): string {
  return new URL(module, new URL('../', pathToFileURL(PROGRAM))).href;
}

/** As the process has them that the service updates the catalog in. */
const FLAGS = memoryFlags(HEAP_MEGABYTES);

/** The argument behind each is the directory of the export. */
const PLAIN = `
  import { ReportBook, readConversations, readLayout } from ${JSON.stringify(program('chatgpt/index.js'))};
  for await (const _ of readConversations(await readLayout(process.argv[2]), { reports: new ReportBook() }));
`;
/** Arguments: the directory of the catalog, and the sources. */
const INDEX = `
  import { readFileSync } from 'node:fs';
  import { openForWriting } from ${JSON.stringify(program('catalog/database.js'))};
  import { indexSnapshots } from ${JSON.stringify(program('catalog/indexing/indexer.js'))};
  const report = await indexSnapshots(openForWriting(process.argv[2]), JSON.parse(readFileSync(process.argv[3], 'utf8')));
  process.stdout.write(JSON.stringify(report));
`;

/** What it costs to make everything findable, and to find it. */
export const catalog: Bench = {
  name: 'catalog',
  summary: 'indexing a million messages beside parsing them, re-indexing after a change of 1 %, searching beside rg',
  needs: [
    { path: '/usr/bin/time', debianPackage: 'time' },
    { path: '/usr/bin/rg', debianPackage: 'ripgrep' },
  ],
  async run(say) {
    await buildProgram();
    await using directory = await tempDir();
    say('making an export …');
    const [first, second] = await makeExports(directory.path);
    const place = join(directory.path, 'catalog');
    const usages: Record<'plain' | 'full' | 'again', Usage[]> = { plain: [], full: [], again: [] };
    let messages = 0;
    for (let round = 1; round <= ROUNDS; round += 1) {
      say(`round ${round} of ${ROUNDS}`);
      usages.plain.push(await node(directory.path, PLAIN, [first.directory]));
      await rm(place, { recursive: true, force: true });
      await mkdir(place);
      const full = await node(directory.path, INDEX, [place, await listed(directory.path, [first])]);
      usages.full.push(full);
      messages = JSON.parse(full.output).messages.indexed;
      usages.again.push(await node(directory.path, INDEX, [place, await listed(directory.path, [first, second])]));
    }
    say('searching …');
    const ours = await queryTimes(place);
    const peer = await ripgrepTimes(first.directory);
    const [plain, full, again] = [wallOf(usages.plain), wallOf(usages.full), wallOf(usages.again)];
    const speed = plain / full;
    const share = again / full;
    return {
      name: 'catalog',
      goal: `indexing ≥ ${LEAST_OF_PARSING} × the speed of a plain streaming parse (the ratio), re-indexing after 1 % ≤ ${MOST_OF_FULL} of it, p95 of a search ≤ ${MOST_QUERY_MS} ms`,
      ratio: speed,
      met: speed >= LEAST_OF_PARSING && share <= MOST_OF_FULL && quantile(ours, 0.95) <= MOST_QUERY_MS,
      rows: [
        rowOf('plain streaming parse', usages.plain),
        { ...rowOf('indexing', usages.full), messages, catalog_bytes: await sizeOf(place) },
        { ...rowOf('re-indexing after 1 %', usages.again), share_of_indexing: share.toFixed(3) },
        { tool: 'search', wall_ms: Math.round(quantile(ours, 0.5)), p95_ms: Math.round(quantile(ours, 0.95)) },
        { tool: 'rg', wall_ms: Math.round(quantile(peer, 0.5)), p95_ms: Math.round(quantile(peer, 0.95)) },
      ],
    };
  },
};

/** Runs a program as a file, not by `--eval`: threads are started with the flags of their process. */
async function node(directory: string, script: string, args: readonly string[]): Promise<Usage & { output: string }> {
  const file = join(directory, 'program.mjs');
  await writeFile(file, script);
  return measured(process.execPath, [...FLAGS, file, ...args]);
}

async function makeExports(directory: string): Promise<[CatalogSource, CatalogSource]> {
  const zip = join(directory, 'export.zip');
  await writeMillionMessages(zip);
  const [first, second] = [join(directory, 'first'), join(directory, 'second')];
  await mkdir(first);
  await mkdir(second);
  await unpackArchive(await inspectArchive(zip, { budgets: BUDGETS }), { target: first });
  await rm(zip);
  await rm(join(first, 'chat.html'));
  let index = 0;
  for (const name of await conversationFiles(first)) {
    const list: { title: string }[] = JSON.parse(await readFile(join(first, name), 'utf8'));
    for (const conversation of list) {
      if (index % CHANGED_EVERY === 0) conversation.title = `Renamed ${index}`;
      index += 1;
    }
    // As the export writes it: what was not changed has the same bytes.
    await writeFile(join(second, name), JSON.stringify(list, null, 2).replaceAll('</', '<\\/'));
  }
  return [await sourceOf(first, 1), await sourceOf(second, 2)];
}

async function conversationFiles(directory: string): Promise<string[]> {
  return (await readdir(directory)).filter((name) => name.startsWith('conversations-')).sort();
}

async function sourceOf(directory: string, number: number): Promise<CatalogSource> {
  const sums: Record<string, string> = {};
  for (const name of await conversationFiles(directory)) sums[name] = await sha256OfFile(join(directory, name));
  return { account: 'ada', name: `s${number}`, directory, exportTime: number, sums };
}

async function listed(directory: string, sources: readonly CatalogSource[]): Promise<string> {
  const path = join(directory, 'sources.json');
  await writeFile(path, JSON.stringify(sources));
  return path;
}

async function queryTimes(place: string): Promise<number[]> {
  using opened = Catalog.open(place);
  if (opened === undefined) throw new Error('There is no catalog.');
  const times: number[] = [];
  for (let round = 0; round < QUERY_ROUNDS; round += 1) {
    for (const [typed] of QUERIES) {
      for (const filter of [{}, { role: 'user' as const }, { from: Date.UTC(2025, 0, 1) }]) {
        const from = performance.now();
        await opened.search(typed, { filter, now: Date.UTC(2026, 5, 1) });
        times.push(performance.now() - from);
      }
    }
  }
  return times;
}

async function ripgrepTimes(directory: string): Promise<number[]> {
  const times: number[] = [];
  for (const [typed] of QUERIES) {
    const word = typed.replace(/["*]/g, '').split(' -')[0] ?? '';
    const args = ['--count', '--ignore-case', '--fixed-strings', word, directory];
    // Nothing found is exit code 1.
    times.push((await measured('/bin/sh', ['-c', 'rg "$@" > /dev/null || true', 'sh', ...args])).wallMs);
  }
  return times;
}

async function sizeOf(place: string): Promise<number> {
  return (await readFile(join(place, 'catalog.sqlite'))).length;
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

function wallOf(usages: readonly Usage[]): number {
  return median(usages.map(({ wallMs }) => wallMs));
}

function rowOf(tool: string, usages: readonly Usage[]) {
  return {
    tool,
    wall_ms: Math.round(wallOf(usages)),
    cpu_ms: median(usages.map(({ cpuMs }) => cpuMs)),
    rss_bytes: median(usages.map(({ rssBytes }) => rssBytes)),
    bytes: MILLION_MESSAGES_BYTES,
  };
}
