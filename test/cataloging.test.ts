import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Capture } from '../src/capture/index.ts';
import { Catalog, updateCatalog } from '../src/catalog/index.ts';
import { CatalogKeeper, catalogDirectory, catalogForReading, catalogSources } from '../src/cataloging.ts';
import { type Config, loadConfig } from '../src/config/index.ts';
import { importFiles } from '../src/importer.ts';
import { HOUR_MS, systemClock } from '../src/lib/clock.ts';
import { ChatkeepError } from '../src/lib/errors.ts';
import { lockDirectory } from '../src/lib/lock.ts';
import { silentLogger } from '../src/lib/logger.ts';
import { eventually } from './support/eventually.ts';
import { createAccount, writeExport } from './support/openai/exports/index.ts';
import { tempDir } from './support/temp-dir.ts';
import { VirtualClock } from './support/virtual-clock.ts';

const account = createAccount({ seed: 'cataloging', email: 'ada@example.test', conversations: 4 });
const signal = new AbortController().signal;
const committed = [{ state: { name: 'committed' } }] as unknown as readonly Capture[];

function isThere(config: Config): boolean {
  using catalog = Catalog.open(catalogDirectory(config));
  return catalog?.count({}) === 4;
}

describe('The catalog of a backup directory', () => {
  let home: Awaited<ReturnType<typeof tempDir>>;
  let config: Config;
  before(async () => {
    home = await tempDir();
    const env = { CHATKEEP_BACKUP_DIR: join(home.path, 'backups'), CHATKEEP_STATE_DIR: join(home.path, 'state') };
    config = (await loadConfig({ env, checkAddress: () => undefined })).config;
    const path = join(home.path, 'export.zip');
    await writeExport(account, { generation: 'G5', stamp: new Date('2026-06-01T00:00:00Z'), to: path });
    const handIn = { path, name: 'export.zip', afterwards: 'keep' as const, account: undefined };
    await importFiles([handIn], { config, logger: silentLogger, clock: systemClock, signal, onProgress: () => {} });
  });
  after(() => home[Symbol.asyncDispose]());

  it('takes the checksums from the snapshot, and those of its conversations alone', async () => {
    const [source] = await catalogSources(config.backupDir);
    assert.deepEqual(Object.keys(source?.sums ?? {}), ['conversations-000.json']);
  });

  it('is made when a command wants to read it', async () => {
    using catalog = await catalogForReading(config, { signal, clock: systemClock });
    assert.equal(catalog.count({}), 4);
  });

  it('is read as it is while another process is at it, and that is told', async () => {
    (await catalogForReading(config, { signal, clock: systemClock }))[Symbol.dispose]();
    await mkdir(join(home.path, 'other'), { recursive: true });
    using _lock = await lockDirectory(catalogDirectory(config), 'catalog');
    const told: string[] = [];
    const elsewhere = { ...config, backupDir: join(home.path, 'other') };
    using catalog = await catalogForReading(elsewhere, {
      signal,
      clock: systemClock,
      onStale: (why) => told.push(why),
    });
    assert.equal(catalog.count({}), 4);
    assert.match(told.join(), /another Chatkeep/);
  });

  it('is awaited where there is none and another process makes it', async () => {
    const elsewhere = { ...config, stateDir: join(home.path, 'awaited') };
    const lock = await lockDirectory(catalogDirectory(elsewhere), 'catalog');
    const clock = new VirtualClock(0);
    const reading = catalogForReading(elsewhere, { signal, clock });
    await eventually(() => clock.sleeping > 0);
    lock[Symbol.dispose]();
    await clock.advance(HOUR_MS);
    using catalog = await reading;
    assert.equal(catalog.count({}), 4);
  });

  it('is kept up to date by the service: at the start, after a commit, and in spite of failures', async () => {
    const stop = new AbortController();
    const seen: string[][] = [];
    const update: typeof updateCatalog = async (directory, sources, options) => {
      seen.push(sources.map(({ name }) => name));
      if (seen.length === 1) throw new ChatkeepError('in-use', 'busy');
      return updateCatalog(directory, sources, options);
    };
    const elsewhere = { ...config, stateDir: join(home.path, 'kept') };
    const keeper = new CatalogKeeper({ config: elsewhere, clock: systemClock, logger: silentLogger, update });
    const running = keeper.run(stop.signal);
    using _stopped = { [Symbol.dispose]: () => stop.abort() };
    await eventually(() => seen.length === 1);
    keeper.look(committed);
    await eventually(() => seen.length === 2 && isThere(elsewhere));
    stop.abort();
    await running;
    assert.deepEqual(seen, [['2026-06-01T000000Z'], ['2026-06-01T000000Z']]);
  });
});
