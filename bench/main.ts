/**
 * `npm run bench -- NAME [--json]`: measures ours and the peers in turn in one run. With --json the last line of
 * standard output is one JSON object (see BenchResult). Exit code 1 if the goal was missed.
 */
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { formatBytes } from '../src/lib/text.ts';
import type { Bench, BenchResult } from './bench.ts';
import { browser } from './browser.ts';
import { catalog } from './catalog.ts';
import { crash } from './crash.ts';
import { dockerMemory } from './docker-memory.ts';
import { download, downloadCuts, downloadFar, downloadLossy } from './download.ts';
import { fuzz } from './fuzz.ts';
import { idle } from './idle.ts';
import { large } from './large.ts';
import { latency } from './latency.ts';
import { mailboxLife } from './mailbox-life.ts';
import { mailboxes } from './mailboxes.ts';
import { memory } from './memory.ts';
import { reading } from './reading.ts';
import { soak } from './soak.ts';
import { storage } from './storage.ts';
import { unpack } from './unpack.ts';

const BENCHES: readonly Bench[] = [
  latency,
  large,
  dockerMemory,
  mailboxes,
  mailboxLife,
  soak,
  idle,
  memory,
  download,
  downloadFar,
  downloadLossy,
  downloadCuts,
  browser,
  reading,
  catalog,
  unpack,
  storage,
  crash,
  fuzz,
];

const { values, positionals } = parseArgs({ options: { json: { type: 'boolean' } }, allowPositionals: true });
const bench = BENCHES.find(({ name }) => name === positionals[0]);
if (bench === undefined) {
  say('npm run bench -- NAME [--json], with NAME one of:');
  for (const { name, summary } of BENCHES) say(`  ${name.padEnd(14)} ${summary}`);
  process.exitCode = 2;
} else {
  const missing = bench.needs.filter(({ path }) => !existsSync(path)).map(({ debianPackage }) => debianPackage);
  if (missing.length > 0) {
    say(`Missing: ${missing.join(', ')}. Install them: apt-get install ${missing.join(' ')}`);
    process.exitCode = 2;
  } else {
    const result = await bench.run(say);
    print(result);
    if (values.json === true) process.stdout.write(`${JSON.stringify(result)}\n`);
    process.exitCode = result.met ? 0 : 1;
  }
}

function print({ goal, ratio, met, rows }: BenchResult): void {
  for (const { tool, ...figures } of rows) {
    const shown = Object.entries(figures).map(
      ([name, value]) => `${name.replaceAll('_', ' ')} ${readable(name, value)}`,
    );
    say(`${tool}: ${shown.join(', ')}`);
  }
  say(`ratio ${ratio.toFixed(2)}; goal: ${goal}: ${met ? 'met' : 'MISSED'}`);
}

function readable(name: string, value: string | number): string {
  return typeof value === 'number' && /(?:^|_)bytes(?:_|$)/.test(name) ? formatBytes(value) : String(value);
}

/** For people; standard output's last line is for machines. */
function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
