import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { inspectArchive, unpackArchive } from '../src/archive/index.ts';
import { createAccount, writeExport } from '../test/support/openai/exports/index.ts';
import { tempDir } from '../test/support/temp-dir.ts';
import { type Bench, median, type Row } from './bench.ts';
import { measured, type Usage } from './measure.ts';

const CONVERSATIONS_BYTES = 200_000_000;
const ROUNDS = 3;
/** Finding the elements, reading, hashing and comparing come on top of parsing. */
const MOST_TIMES_PARSING = 4;
const MOST_BYTES = 300 * 1024 * 1024;

const BUDGETS = { maxEntries: 100_000, maxUnpackedBytes: 1e12, maxRatio: 1000 };

/** The argument behind each is the directory of the export. */
const SCRIPTS = {
  ours: `
    import { takeInventory } from ${JSON.stringify(import.meta.resolve('../src/chatgpt/index.ts'))};
    await takeInventory(process.argv[1]);
  `,
  peer: `
    import { readdirSync, readFileSync } from 'node:fs';
    for (const name of readdirSync(process.argv[1]))
      if (/^conversations.*json$/.test(name)) JSON.parse(readFileSync(process.argv[1] + '/' + name, 'utf8'));
  `,
} as const;

/** What it costs to know what is in an export. */
export const reading: Bench = {
  name: 'reading',
  summary: 'CPU time and peak memory of taking the inventory of 200 MB of conversations (G5), and of JSON.parse alone',
  needs: [{ path: '/usr/bin/time', debianPackage: 'time' }],
  async run(say) {
    say('making an export …');
    await using directory = await tempDir();
    const unpacked = join(directory.path, 'export');
    await makeExport(directory.path, unpacked);
    const usages: Record<keyof typeof SCRIPTS, Usage[]> = { ours: [], peer: [] };
    for (let round = 1; round <= ROUNDS; round += 1) {
      say(`round ${round} of ${ROUNDS}`);
      for (const tool of ['ours', 'peer'] as const)
        usages[tool].push(await measured(process.execPath, ['--input-type=module', '--eval', SCRIPTS[tool], unpacked]));
    }
    const [ours, peer] = [row('takeInventory', usages.ours), row('JSON.parse of whole shards', usages.peer)];
    const ratio = ours.cpu_ms / peer.cpu_ms;
    return {
      name: 'reading',
      goal: `CPU time ≤ ${MOST_TIMES_PARSING} × that of JSON.parse alone, peak memory ≤ ${MOST_BYTES / 1024 / 1024} MiB`,
      ratio,
      met: ratio <= MOST_TIMES_PARSING && ours.rss_bytes <= MOST_BYTES,
      rows: [ours, peer],
    };
  },
};

async function makeExport(directory: string, target: string): Promise<void> {
  const path = join(directory, 'export.zip');
  const account = createAccount({ seed: 'reading', conversations: 200 });
  await writeExport(account, {
    generation: 'G5',
    stamp: new Date(0),
    to: path,
    conversationsBytes: CONVERSATIONS_BYTES,
  });
  await mkdir(target);
  await unpackArchive(await inspectArchive(path, { budgets: BUDGETS }), { target });
}

function row(tool: string, usages: readonly Usage[]): Row {
  return {
    tool,
    wall_ms: Math.round(median(usages.map(({ wallMs }) => wallMs))),
    cpu_ms: median(usages.map(({ cpuMs }) => cpuMs)),
    rss_bytes: median(usages.map(({ rssBytes }) => rssBytes)),
    bytes: CONVERSATIONS_BYTES,
  };
}
