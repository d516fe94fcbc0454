import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { saveHonestZip } from '../test/support/honest-zip.ts';
import { createAccount, writeExport } from '../test/support/openai/exports/index.ts';
import { tempDir } from '../test/support/temp-dir.ts';
import { type Bench, median, type Row } from './bench.ts';
import { measured, USAGE_FORMAT, type Usage, usageOf } from './measure.ts';
import { buildProgram } from './support/program.ts';

const run = promisify(execFile);

const ROUNDS = 5;
const GOAL_RATIO = 0.8;
const GOAL_RSS_BYTES = 150 * 1024 * 1024;
const SMALL_FILES = 20_000;
/**
 * What unpacks to less stays until all rounds are done: ext4 without a journal passes over what was deleted within the
 * last seconds, file by file, so that creating 20,000 files takes five times as long after 20,000 were deleted.
 */
const KEPT_BYTES = 500_000_000;

const ONCE = new URL('./support/unpack-once.js', import.meta.url).pathname;
/** As the first line of src/cli/main.ts has it. */
const NODE = [process.execPath, '--max-semi-space-size=2'];

/** A way from a ZIP to durable files in a directory. */
interface Tool {
  readonly name: string;
  readonly run: (zip: string, target: string) => Promise<Usage>;
}

/** In a program that is running already, as the service is; CPU time and memory are those of the whole program. */
const SERVICE: Tool = { name: 'chatkeep', run: async (zip, target) => (await byProgram(zip, target, ['run'])).ofWork };
/** As `chatkeep import` does it. */
const STARTED: Tool = {
  name: 'chatkeep, started for it',
  run: async (zip, target) => (await byProgram(zip, target)).ofAll,
};
const OURS = [SERVICE, STARTED];
const PEERS: readonly Tool[] = [
  peer('unzip', (zip, target) => `unzip -q '${zip}' -d '${target}'`),
  peer('bsdtar', (zip, target) => `bsdtar -xf '${zip}' -C '${target}'`),
  peer('7zz', (zip, target) => `7zz x -bd -bso0 '-o${target}' '${zip}'`),
];

function peer(name: string, command: (zip: string, target: string) => string): Tool {
  return { name, run: (zip, target) => measured('sh', ['-c', `${command(zip, target)} && sync`]) };
}

async function byProgram(
  zip: string,
  target: string,
  how: readonly 'run'[] = [],
): Promise<{ ofWork: Usage; ofAll: Usage }> {
  const program = [...NODE, ONCE, join(dirname(zip), 'compiled'), zip, target, ...how];
  const started = performance.now();
  const child = spawn('/usr/bin/time', ['-f', USAGE_FORMAT, ...program], { stdio: ['pipe', 'pipe', 'pipe'] });
  const stderr = text(child.stderr);
  const said = createInterface(child.stdout)[Symbol.asyncIterator]();
  async function hear(word: string): Promise<number> {
    const { value } = await said.next();
    if (value !== word) throw new Error(`The program said ${value}, not ${word}: ${await stderr}`);
    return performance.now();
  }
  await hear('ready');
  const begun = performance.now();
  child.stdin.write('go\n');
  const committed = await hear('committed');
  await once(child, 'close');
  const ended = performance.now();
  const usage = usageOf(await stderr);
  return { ofWork: { ...usage, wallMs: committed - begun }, ofAll: { ...usage, wallMs: ended - started } };
}

/** From a ZIP on disk to a committed snapshot, against programs that only unpack. Needs about 6 GB for temporary files. */
export const unpack: Bench = {
  name: 'unpack',
  summary: 'wall time from a ZIP to a durable snapshot, against unzip, bsdtar and 7zz, each followed by sync',
  needs: [
    { path: '/usr/bin/unzip', debianPackage: 'unzip' },
    { path: '/usr/bin/bsdtar', debianPackage: 'libarchive-tools' },
    { path: '/usr/bin/7zz', debianPackage: '7zip' },
    { path: '/usr/bin/time', debianPackage: 'time' },
  ],
  async run(say) {
    await buildProgram();
    await using directory = await tempDir();
    const rows: Row[] = [];
    const ratios: number[] = [];
    for (const [name, make] of Object.entries(ARCHIVES)) {
      say(`making ${name} …`);
      const zip = join(directory.path, 'archive.zip');
      const bytes = await make(zip);
      const targets = join(directory.path, 'targets');
      const ofThis = await compare(zip, bytes, name, targets, say);
      await rm(targets, { recursive: true });
      rows.push(...ofThis);
      const walls = ofThis.map(({ wall_ms: wallMs }) => wallMs);
      ratios.push((walls[0] ?? 0) / Math.min(...walls.slice(OURS.length)));
    }
    const ratio = Math.max(...ratios);
    const rss = Math.max(...rows.filter(({ tool }) => tool.startsWith(SERVICE.name)).map((row) => row.rss_bytes));
    return {
      name: 'unpack',
      goal: `wall time ≤ ${GOAL_RATIO} × the fastest peer's, of both archives (here: ${ratios.map((each) => each.toFixed(2)).join(' and ')}); peak memory ≤ ${GOAL_RSS_BYTES / 1024 / 1024} MiB`,
      ratio,
      met: ratio <= GOAL_RATIO && rss <= GOAL_RSS_BYTES,
      rows,
    };
  },
};

/** Each writes a ZIP, and gives the unpacked bytes. The small files first, before anything was deleted. */
const ARCHIVES: Readonly<Record<string, (zip: string) => Promise<number>>> = {
  async '20,000 small files'(zip) {
    const files: Record<string, string> = {};
    for (let n = 0; n < SMALL_FILES; n += 1) {
      const messages = Array.from(
        { length: 20 + ((n * 7919) % 180) },
        (_, at) => `message ${n * at} ${Math.sin(n + at)}`,
      );
      files[`folder-${n % 100}/conversation-${n}.json`] = JSON.stringify({ id: n, messages });
    }
    await saveHonestZip(zip, files);
    return Object.values(files).reduce((sum, text) => sum + text.length, 0);
  },
  async 'an export of 1.6 GB'(zip) {
    const { entries } = await writeExport(createAccount({ seed: 'unpack', conversations: 600 }), {
      generation: 'G5',
      stamp: new Date('2026-11-21T19:05:33Z'),
      to: zip,
      conversationsBytes: 500_000_000,
      assetBytes: 600_000_000,
    });
    return entries.reduce((sum, { bytes }) => sum + bytes, 0);
  },
};

async function compare(
  zip: string,
  bytes: number,
  archive: string,
  targets: string,
  say: (line: string) => void,
): Promise<Row[]> {
  const tools = [...OURS, ...PEERS];
  const usages = new Map<Tool, Usage[]>(tools.map((tool) => [tool, []]));
  for (let round = 1; round <= ROUNDS; round += 1) {
    for (const tool of tools) {
      const target = join(targets, `${tool.name}-${round}`);
      await mkdir(target, { recursive: true });
      await run('sync');
      const usage = await tool.run(zip, target);
      usages.get(tool)?.push(usage);
      say(`round ${round}: ${tool.name} ${Math.round(usage.wallMs)} ms`);
      if (bytes > KEPT_BYTES) await rm(target, { recursive: true });
    }
  }
  return tools.map((tool) => {
    const of = usages.get(tool) ?? [];
    return {
      tool: `${tool.name}, ${archive}`,
      wall_ms: Math.round(median(of.map(({ wallMs }) => wallMs))),
      cpu_ms: median(of.map(({ cpuMs }) => cpuMs)),
      rss_bytes: Math.max(...of.map(({ rssBytes }) => rssBytes)),
      bytes,
    };
  });
}
