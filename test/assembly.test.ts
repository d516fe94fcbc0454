import assert from 'node:assert/strict';
import { mkdir, readdir, rename, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type Assembly, assemble } from '../src/assembly.ts';
import { whenSettled } from '../src/capture/index.ts';
import { type Config, loadConfig } from '../src/config/index.ts';
import { SECOND_MS, systemClock } from '../src/lib/clock.ts';
import { exists } from '../src/lib/files.ts';
import { silentLogger } from '../src/lib/logger.ts';
import { Secret } from '../src/lib/secret.ts';
import { parseAddress } from '../src/notify/index.ts';
import { EXPORT_FILES } from './capture/workshop.ts';
import { saveHonestZip } from './support/honest-zip.ts';
import { tempDir } from './support/temp-dir.ts';

const ADDRESS = 'json://127.0.0.1:9/right';

/** A configuration of directories below `base`; no message is sent, since no test lets the dispatcher run. */
async function configure(base: string, { notify = ADDRESS, state = 'state' } = {}): Promise<Config> {
  const env = {
    CHATKEEP_BACKUP_DIR: join(base, 'backups'),
    CHATKEEP_STATE_DIR: join(base, state),
    CHATKEEP_NOTIFY: notify,
  };
  return (await loadConfig({ env, cwd: base, defaultPath: join(base, 'none.yaml') })).config;
}

/** Commits an export, as `chatkeep import` does. */
async function commitExport({ conductor, journal }: Assembly, base: string): Promise<void> {
  const path = join(base, 'export.zip');
  await saveHonestZip(path, EXPORT_FILES);
  const stop = new AbortController();
  const running = conductor.run(stop.signal);
  const id = await conductor.intake.takeFile({ path, name: 'export.zip', afterwards: 'keep', account: undefined });
  const { state } = await whenSettled(journal, id, systemClock, AbortSignal.timeout(20 * SECOND_MS));
  stop.abort();
  await running;
  assert.equal(state.name, 'committed');
}

/** A place in which an export was committed, and its notification waits for the addresses `notify`. */
async function afterOneCommit(notify = ADDRESS): Promise<AsyncDisposable & { path: string }> {
  const directory = await tempDir();
  await using assembly = await assemble(await configure(directory.path, { notify }), silentLogger);
  await commitExport(assembly, directory.path);
  return directory;
}

describe('the backup directory at the start', () => {
  it('is refused, and left as it is, when it is empty and snapshots were committed to it', async () => {
    await using directory = await afterOneCommit();
    const config = await configure(directory.path);
    await rename(config.backupDir, join(directory.path, 'elsewhere'));
    await mkdir(config.backupDir);
    await assert.rejects(assemble(config, silentLogger), {
      class: 'storage',
      message: `The backup directory ${config.backupDir} is empty, and yet snapshots were committed to it: is the disk mounted?`,
      next: 'Mount it; or, if the backups were moved away on purpose, start with another state_dir.',
    });
    assert.deepEqual(await readdir(config.backupDir), []);
    await rmdir(config.backupDir);
    await assert.rejects(assemble(config, silentLogger), { class: 'storage' });
    assert.equal(await exists(config.backupDir), false);
  });

  it('is taken as soon as its disk is back, or with another state directory', async () => {
    await using directory = await afterOneCommit();
    const config = await configure(directory.path);
    const elsewhere = join(directory.path, 'elsewhere');
    await rename(config.backupDir, elsewhere);
    await assert.rejects(assemble(config, silentLogger), { class: 'storage' });
    await rename(elsewhere, config.backupDir);
    await (await assemble(config, silentLogger))[Symbol.asyncDispose]();

    await rename(config.backupDir, elsewhere);
    const afresh = await configure(directory.path, { state: 'another-state' });
    await (await assemble(afresh, silentLogger))[Symbol.asyncDispose]();
    assert.ok(await exists(join(config.backupDir, '.chatkeep')));
  });

  it('may be new as long as nothing was committed to it', async () => {
    await using directory = await tempDir();
    const config = await configure(directory.path);
    await (await assemble(config, silentLogger))[Symbol.asyncDispose]();
    await rename(config.backupDir, join(directory.path, 'elsewhere'));
    await (await assemble(config, silentLogger))[Symbol.asyncDispose]();
    assert.ok(await exists(join(config.backupDir, '.chatkeep')));
  });
});

describe('a notification', () => {
  it('goes once to an address that is listed twice', async () => {
    await using directory = await afterOneCommit(`${ADDRESS} ${ADDRESS}`);
    await using assembly = await assemble(await configure(directory.path), silentLogger);
    assert.equal((await assembly.journal.undelivered()).count, 1);
  });

  it('that waited for a mistyped address goes to the mended one after the next start', async () => {
    await using directory = await afterOneCommit('json://127.0.0.1:9/rihgt');
    await using assembly = await assemble(await configure(directory.path), silentLogger);
    const [service] = parseAddress(new Secret(ADDRESS));
    assert(service !== undefined);
    const due = await assembly.journal.due(Date.now(), [service.id]);
    assert.deepEqual(
      due.map(({ recipient, attempts, message }) => [recipient, attempts, message.event]),
      [[service.id, 0, 'snapshot-committed']],
    );
    assert.equal((await assembly.journal.undelivered()).count, 1);
  });

  it('is written down for the addresses that want it, and not for the one that it tells of', async () => {
    await using directory = await tempDir();
    const addresses = ['all', 'failures', 'expired'].map((name) => new Secret(`json://127.0.0.1:9/${name}`));
    const [all, failures, onlyExpired] = addresses.map((url) => parseAddress(url)[0]?.id ?? '');
    const config: Config = {
      ...(await configure(directory.path)),
      notify: addresses.map((url, index) => ({
        url,
        events: index === 2 ? ['expired'] : undefined,
        minLevel: index === 1 ? 'failure' : undefined,
        quietHours: undefined,
      })),
    };
    await using assembly = await assemble(config, silentLogger);
    const message = { title: 'a title', body: 'a body', at: Date.now(), data: {} };
    await assembly.recorder.record({
      messages: [
        { ...message, event: 'snapshot-committed', level: 'success' },
        { ...message, event: 'expired', level: 'failure' },
        { ...message, event: 'refused-archive', level: 'failure' },
        { ...message, event: 'notifications-failing', level: 'failure', data: { service: failures ?? '' } },
      ],
    });
    const eventsFor = async (id: string | undefined) =>
      (await assembly.journal.due(Date.now(), [id ?? ''])).map(({ message: { event } }) => event);
    assert.deepEqual(await eventsFor(all), [
      'snapshot-committed',
      'expired',
      'refused-archive',
      'notifications-failing',
    ]);
    assert.deepEqual(await eventsFor(failures), ['expired', 'refused-archive']);
    assert.deepEqual(await eventsFor(onlyExpired), ['expired']);
  });
});
