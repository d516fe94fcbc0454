import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { globSync } from 'node:fs';
import { access, copyFile, cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { eventually } from './support/eventually.ts';
import { createAccount, type ExportFacts, writeExport } from './support/openai/exports/index.ts';
import { chatkeep, type Environment, Service } from './support/service.ts';
import { tempDir } from './support/temp-dir.ts';
import { assertWholeSnapshot, hashesOf, startWorld, visibleSnapshots } from './support/world.ts';

const run = promisify(execFile);
const REPOSITORY = fileURLToPath(new URL('..', import.meta.url));
/** What is in a clean checkout and is of use to `npm pack`. */
const SOURCES = [
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'scripts',
  'src',
  'config',
  'docs',
].concat(['packaging', 'README.md', 'CHANGELOG.md', 'LICENSE']);

/** Of a source file that is gone. */
const LEFT_BEHIND = 'dist/gone.js';

describe('The package that `npm pack` makes, installed with `npm install --global`', () => {
  let home: AsyncDisposable & { readonly path: string };
  let program: string;
  let installed: string;
  let settings: Environment;
  before(async () => {
    home = await tempDir();
    installed = await install(await pack(home.path), join(home.path, 'prefix'));
    program = join(home.path, 'prefix/bin/chatkeep');
    const [backups, state, drop] = ['backups', 'state', 'drop'].map((name) => join(home.path, name)) as [
      string,
      string,
      string,
    ];
    for (const folder of [backups, state, drop]) await mkdir(folder);
    settings = {
      CHATKEEP_BACKUP_DIR: backups,
      CHATKEEP_STATE_DIR: state,
      CHATKEEP_DROP_DIR: drop,
      CHATKEEP_LOG_FORMAT: 'json',
    };
  });
  after(() => home[Symbol.asyncDispose]());

  it('tells its version', async () => {
    const { version } = JSON.parse(await readFile(join(REPOSITORY, 'package.json'), 'utf8'));
    const { code, stdout } = await chatkeep(['--version'], {}, program);
    assert.deepEqual([code, stdout.trim()], [0, version]);
  });

  it('checks a configuration: one that is sound, and one that is not, with the fix', async () => {
    const sound = await chatkeep(['config', 'check'], settings, program);
    assert.equal(sound.code, 0, sound.stderr);
    assert.match(sound.stdout, /The configuration is sound\./);
    const wrong = await chatkeep(['config', 'check'], { ...settings, CHATKEEP_DROP_DRI: '/drop' }, program);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /did you mean CHATKEEP_DROP_DIR\?/);
  });

  it('reads a configuration file, which needs a package that is imported late', async () => {
    const file = join(home.path, 'chatkeep.yaml');
    await writeFile(file, 'account: Ada\nnotify: [smoke://signals]\n', { mode: 0o600 });
    const { code, stderr } = await chatkeep(['config', 'check'], { ...settings, CHATKEEP_CONFIG: file }, program);
    assert.equal(code, 2, stderr);
    assert.match(stderr, /notify, address 1: /);
  });

  it('runs as a service, takes in a ZIP from the drop folder, counts and finds what is in it, and stops', async () => {
    await using service = new Service(settings, program);
    await service.printed('watching');
    const facts = await dropExport(home.path, settings.CHATKEEP_DROP_DIR ?? '');
    const snapshots = () => visibleSnapshots(settings.CHATKEEP_BACKUP_DIR ?? '');
    await eventually(async () => (await snapshots()).length === 1);
    const [snapshot = ''] = await snapshots();
    await assertWholeSnapshot(snapshot);
    assert.deepEqual(await hashesOf(snapshot), new Map(facts.entries.map(({ path, sha256 }) => [path, sha256])));
    const { counts } = JSON.parse(await readFile(join(snapshot, '.chatkeep/snapshot.json'), 'utf8'));
    assert.equal(counts.conversations, 4);
    const { code, stdout, stderr } = await chatkeep(['stats', '--json'], settings, program);
    assert.equal(code, 0, stderr);
    assert.equal(JSON.parse(stdout).conversations.all, 4);
    assert.equal((await service.stop()).code, 0);
  });

  it('shows its web page, with styles, conversations and what a separate process draws of them', async () => {
    await using service = new Service({ ...settings, CHATKEEP_WEB_LISTEN: '127.0.0.1:0' }, program);
    await service.printed(/the web page is at \S+/);
    const [, page = ''] = /the web page is at (http:\/\/[^/]+)\//.exec(service.output) ?? [];
    const home = await textAt(`${page}/`);
    const [style = assert.fail('no style')] = /\/static\/[^"]+\.css/.exec(home) ?? [];
    assert.match(await textAt(page + style), /color/);
    const list = await textAt(`${page}/conversations`);
    const [, conversation = assert.fail(list)] = /<h2><a href="([^"]+)"/.exec(list) ?? [];
    assert.match(await textAt(page + conversation), /<article/);
    for (const place of ['/snapshots', '/activity', '/account', '/upload']) await textAt(page + place);
  });

  it('finds a folder with a Russian name, for which a package is read only then', async () => {
    await using world = await startWorld();
    const account = createAccount({ seed: 'a folder', email: 'ada@example.test', conversations: 3 });
    const { published } = await world.openai.publishExport(account, { directory: world.exports, form: 'estuary' });
    // "Экспорт" as servers keep it (RFC 3501, 5.1.3).
    await world.dovecot.deliver(await world.openai.readyMail(published), { folder: '&BC0EOgRBBD8EPgRABEI-' });
    await using service = new Service({ ...world.settings, CHATKEEP_IMAP_FOLDERS: 'Экспорт' }, program);
    await world.webhook.next('snapshot-committed');
    assert.equal((await service.stop()).code, 0);
  });

  it('has the character sets of old mails in files that are read only when they are needed', async () => {
    const require = createRequire(join(installed, 'dist/cli/main.js'));
    const how = { from: 'JIS', to: 'UNICODE', type: 'string' };
    assert.equal(
      require('./encoding-japanese.cjs').convert(Buffer.from('\x1b$B%(%/%9%]!<%H\x1b(B'), how),
      'エクスポート',
    );
    assert.equal(require('./iconv-lite.cjs').decode(Buffer.from('b5bcb3f6', 'hex'), 'gb18030'), '导出');
  });

  it('leads to no file of the sources: each import is of what was built', async () => {
    const built = globSync('dist/**/*.js', { cwd: installed });
    assert.ok(built.length > 100);
    for (const path of built)
      assert.doesNotMatch(
        await readFile(join(installed, path), 'utf8'),
        /(\bfrom|\bimport) ?\(?['"]\.[^'"\n]*\.ts['"]/,
        path,
      );
  });

  it('brings the packages that it needs along, each in the version of the lock file, and no others', async () => {
    const { packages } = JSON.parse(await readFile(join(REPOSITORY, 'package-lock.json'), 'utf8')) as {
      packages: Readonly<Record<string, { readonly version: string; readonly dev?: true }>>;
    };
    const locked = Object.entries(packages).filter(([path, { dev }]) => path !== '' && dev !== true);
    assert.ok(locked.length > 100);
    const versionOf = async (path: string): Promise<string> =>
      JSON.parse(await readFile(join(installed, path, 'package.json'), 'utf8')).version;
    const found = packagesBelow(installed);
    assert.deepEqual(found.sort(), locked.map(([path]) => path).sort());
    for (const [path, { version }] of locked) assert.equal(await versionOf(path), version, path);
  });

  it('holds nothing that an earlier build has left', async () => {
    await assert.rejects(access(join(installed, LEFT_BEHIND)), { code: 'ENOENT' });
  });

  it('brings its docs, the systemd unit, the example configuration, and no tests or tools of developers', async () => {
    for (const path of ['docs/how-to/systemd.md', 'packaging/systemd/chatkeep.service', 'config/chatkeep.example.yaml'])
      await access(join(installed, path));
    assert.deepEqual((await readdir(installed)).sort(), [
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'config',
      'dist',
      'docs',
      'node_modules',
      'package.json',
      'packaging',
    ]);
    for (const tool of ['typescript', '@biomejs', 'fast-check'])
      await assert.rejects(access(join(installed, 'node_modules', tool)), { code: 'ENOENT' });
  });
});

/**
 * Packs a copy of the sources in which an earlier build has left something, so that nothing is written beside the
 * originals; gives the package's file. Packages come from npm's cache, which `npm ci` has filled, as far as it goes.
 */
async function pack(directory: string): Promise<string> {
  const copy = join(directory, 'checkout');
  await mkdir(join(copy, 'dist'), { recursive: true });
  await writeFile(join(copy, LEFT_BEHIND), '');
  for (const name of SOURCES) await cp(join(REPOSITORY, name), join(copy, name), { recursive: true });
  await npm(['ci', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'], copy);
  await npm(['pack', '--pack-destination', directory], copy);
  const file = (await readdir(directory)).find((name) => name.endsWith('.tgz'));
  return join(directory, file ?? assert.fail('npm has packed nothing'));
}

/** Without a registry within reach; gives the package's directory. */
async function install(file: string, prefix: string): Promise<string> {
  const alone = ['--offline', '--cache', join(dirname(file), 'empty-cache')];
  const how = ['--no-audit', '--no-fund', '--no-update-notifier'];
  await npm(['install', '--global', '--prefix', prefix, ...alone, ...how, file], dirname(file));
  return join(prefix, 'lib/node_modules/chatkeep');
}

/** Where npm has put packages, as a lock file names the places. */
function packagesBelow(directory: string): string[] {
  const manifests = globSync('**/node_modules/**/package.json', { cwd: directory });
  return manifests.map((path) => dirname(path)).filter((path) => /(^|\/)node_modules\/(@[^/]+\/)?[^/]+$/.test(path));
}

async function npm(args: readonly string[], cwd: string): Promise<void> {
  await run('npm', args, { cwd, maxBuffer: 64 * 1024 * 1024 });
}

async function textAt(address: string): Promise<string> {
  const answer = await fetch(address);
  assert.equal(answer.status, 200, address);
  return answer.text();
}

async function dropExport(directory: string, drop: string): Promise<ExportFacts> {
  const account = createAccount({ seed: 'installed by npm', email: 'ada@example.test', conversations: 4 });
  const to = join(directory, 'export.zip');
  const facts = await writeExport(account, { generation: 'G5', stamp: new Date('2026-11-21T19:05:33Z'), to });
  await copyFile(to, join(drop, facts.name));
  return facts;
}
