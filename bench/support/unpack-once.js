/**
 * Takes one ZIP to one committed snapshot, by the compiled program: `unpack-once.js COMPILED ZIP BACKUPS [run]`. As in a
 * service that is running, the work begins when somebody says so: it prints `ready`, waits for a line, and prints
 * `committed`. With `run` it has the service's settings, too; the first lines are as in src/cli/main.ts. In JavaScript, so
 * that the memory is that of the program alone, without what reads TypeScript.
 */
import { once } from 'node:events';
import { enableCompileCache } from 'node:module';
import { keepEngineSmall } from '../../dist/lib/small-engine.js';

const [compiled, zip, path] = process.argv.slice(2);
if (process.argv.includes('run')) keepEngineSmall();
enableCompileCache(compiled);
const { pino } = await import('pino');
const { inspectArchive, unpackArchive } = await import('../../dist/archive/index.js');
const { openBackupDirectory } = await import('../../dist/snapshot/index.js');

await using backups = await openBackupDirectory(path, { logger: pino({ level: 'silent' }) });
process.stdout.write('ready\n');
await once(process.stdin, 'data');
process.stdin.destroy();

const budgets = { maxEntries: 2_000_000, maxUnpackedBytes: 500e9, maxRatio: 200 };
const inspection = await inspectArchive(zip, { budgets });
const staging = await backups.createStaging('bench');
const { files, sha256 } = await unpackArchive(inspection, { target: staging });
const result = await backups.commit({
  capture: 'bench',
  account: 'bench',
  exportId: undefined,
  exportTime: inspection.newestEntry,
  source: { kind: 'file', name: 'bench.zip' },
  archive: { form: 'zip', sha256, bytes: inspection.bytes },
  files,
  describe: async () => ({ counts: {}, findings: [] }),
  takenAt: inspection.newestEntry,
});
if (result.kind !== 'committed') throw new Error(`It was not committed but ${result.kind}.`);
process.stdout.write('committed\n');
