import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { formatBytes } from '../src/lib/text.ts';
import { tempDir } from '../test/support/temp-dir.ts';
import { type Bench, type Figures, median } from './bench.ts';
import { measured, type Usage } from './measure.ts';
import { GrowingExport } from './support/growing-export.ts';

const run = promisify(execFile);

const WEEKS = 52;
const GROWTH = {
  seed: 'storage',
  conversations: [2_000, 4_000],
  assetBytes: [1e9, 2e9],
  conversationsPerShard: 100,
  weeks: WEEKS,
} as const;
/** Of plain copies' room. */
const MOST_SHARE = 0.35;

const MAIN = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));

/** One way of keeping a series of exports. */
interface Keeper {
  readonly tool: string;
  prepare(): Promise<void>;
  /** Keeps the export that lies in the directory, durably. */
  keep(week: number): Promise<Usage>;
  /** Bytes on disk of all that is kept. */
  bytes(): Promise<number>;
}

/** What a year of exports takes. Takes half an hour, and 45 GB of disk for temporary files. */
export const storage: Bench = {
  name: 'storage',
  summary: 'bytes on disk and time of 52 weekly exports of a growing account, against cp -a, restic and borg',
  needs: [
    { path: '/usr/bin/restic', debianPackage: 'restic' },
    { path: '/usr/bin/borg', debianPackage: 'borgbackup' },
    { path: '/usr/bin/time', debianPackage: 'time' },
  ],
  async run(say) {
    await using temporary = await tempDir();
    const source = join(temporary.path, 'export');
    const series = new GrowingExport(source, GROWTH);
    const keepers = [
      await chatkeepIn(temporary.path, source),
      plainCopies(temporary.path, source),
      await resticIn(temporary.path, source),
      borgIn(temporary.path, source),
    ];
    for (const keeper of keepers) await keeper.prepare();
    const usages = new Map(keepers.map(({ tool }): [string, Usage[]] => [tool, []]));
    for (let week = 0; week < WEEKS; week += 1) {
      await series.make(week);
      // In turn, and each week another one is the first to find the files in memory.
      for (const keeper of [...keepers.slice(week % keepers.length), ...keepers.slice(0, week % keepers.length)]) {
        usages.get(keeper.tool)?.push(await keeper.keep(week));
      }
      if (week % 10 === 0 || week === WEEKS - 1) {
        const sizes = await Promise.all(
          keepers.map(async ({ tool, bytes }) => `${tool} ${formatBytes(await bytes())}`),
        );
        say(`week ${week + 1} of ${WEEKS}: ${sizes.join(', ')}`);
      }
    }
    const rows = await Promise.all(keepers.map((keeper) => row(keeper, usages.get(keeper.tool) ?? [])));
    const [ours, plain, ...peers] = rows.map(({ bytes_on_disk }) => bytes_on_disk);
    const share = (ours ?? Number.NaN) / (plain ?? Number.NaN);
    return {
      name: 'storage',
      goal: `at most ${MOST_SHARE} × the room of plain copies, each snapshot readable without a program; the ratio is to the smaller of restic and borg`,
      ratio: (ours ?? Number.NaN) / Math.min(...peers),
      met: share <= MOST_SHARE,
      rows,
    };
  },
};

async function row({ tool, bytes }: Keeper, usages: readonly Usage[]): Promise<Figures & { bytes_on_disk: number }> {
  return {
    tool,
    wall_ms: Math.round(median(usages.map(({ wallMs }) => wallMs))),
    last_wall_ms: Math.round(usages.at(-1)?.wallMs ?? Number.NaN),
    cpu_ms: median(usages.map(({ cpuMs }) => cpuMs)),
    rss_bytes: Math.max(...usages.map(({ rssBytes }) => rssBytes)),
    bytes_on_disk: await bytes(),
  };
}

/** Blocks, as the disk counts them; a file with several names counts once. */
async function sizeOnDisk(path: string): Promise<number> {
  const { stdout } = await run('du', ['-s', '--block-size=1', path]);
  return Number.parseInt(stdout, 10);
}

/** A command, and then `sync` of what it wrote: ours is durable when it ends. */
function synced(directory: string, command: string): string {
  return `${command} && sync -f ${directory}`;
}

async function chatkeepIn(base: string, source: string): Promise<Keeper> {
  const backups = join(base, 'chatkeep');
  const config = join(base, 'chatkeep.yaml');
  await writeFile(config, `backup_dir: ${backups}\nstate_dir: ${join(base, 'state')}\n`);
  return {
    tool: 'chatkeep import',
    prepare: async () => {},
    keep: () => measured(process.execPath, ['--max-semi-space-size=2', MAIN, '--config', config, 'import', source]),
    bytes: () => sizeOnDisk(backups),
  };
}

/** Each copy is measured and removed: a year of them would take the whole disk. */
function plainCopies(base: string, source: string): Keeper {
  const target = join(base, 'plain');
  let bytes = 0;
  return {
    tool: 'cp -a and sync',
    prepare: async () => {},
    async keep() {
      const usage = await measured('sh', ['-c', synced(base, `cp -a ${source} ${target}`)]);
      bytes += await sizeOnDisk(target);
      await rm(target, { recursive: true });
      return usage;
    },
    bytes: async () => bytes,
  };
}

async function resticIn(base: string, source: string): Promise<Keeper> {
  const repository = join(base, 'restic');
  const password = join(base, 'password');
  await writeFile(password, 'restic');
  const restic = `restic --quiet --repo ${repository} --password-file ${password} --cache-dir ${join(base, 'cache')}`;
  return {
    tool: 'restic backup',
    prepare: async () => void (await run('sh', ['-c', `${restic} init`])),
    keep: () => measured('sh', ['-c', synced(base, `${restic} backup ${source}`)]),
    bytes: () => sizeOnDisk(repository),
  };
}

function borgIn(base: string, source: string): Keeper {
  const repository = join(base, 'borg');
  const borg = `BORG_BASE_DIR=${join(base, 'borg-base')} borg`;
  return {
    tool: 'borg create',
    async prepare() {
      await mkdir(join(base, 'borg-base'));
      await run('sh', ['-c', `${borg} init --encryption none ${repository}`]);
    },
    keep: (week) => measured('sh', ['-c', synced(base, `${borg} create ${repository}::week-${week} ${source}`)]),
    bytes: () => sizeOnDisk(repository),
  };
}
