import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { type Dovecot, startDovecot } from './dovecot.ts';
import { type OpenAi, startOpenAi } from './openai/index.ts';
import type { OpenAiServerOptions } from './openai/server.ts';
import { type Environment, Service } from './service.ts';
import { tempDir } from './temp-dir.ts';
import { startWebhook, type Webhook } from './webhook.ts';

const run = promisify(execFile);

/** The token with which the simulator lets requests pass. */
export const ACCESS_TOKEN = 'ey.test-access-token.of-ada';

/** Everything around the service, all of it real but for OpenAI: Dovecot over TLS, a webhook receiver, directories. */
export interface World extends AsyncDisposable {
  readonly openai: OpenAi;
  readonly dovecot: Dovecot;
  readonly webhook: Webhook;
  readonly base: string;
  readonly backups: string;
  readonly state: string;
  readonly drop: string;
  readonly exports: string;
  /** The login's file; write it to sign in. */
  readonly tokenFile: string;
  /** What a service needs to know of this world. */
  readonly settings: Environment;
  /** Starts a service; it is killed with the world if it still runs. */
  service(overrides?: Environment): Service;
}

/** Builds a world. `signedIn` (default) puts a valid login into the token file. */
export async function startWorld(options: OpenAiServerOptions & { readonly signedIn?: boolean } = {}): Promise<World> {
  const { signedIn = true, ...serverOptions } = options;
  const temporary = await tempDir();
  const base = temporary.path;
  const [backups, state, drop, exports] = ['backups', 'state', 'drop', 'exports'].map((name) => join(base, name)) as [
    string,
    string,
    string,
    string,
  ];
  for (const directory of [backups, state, drop, exports]) await mkdir(directory);
  const [openai, dovecot, webhook] = await Promise.all([
    startOpenAi(base, { bearerTokens: [ACCESS_TOKEN], ...serverOptions }),
    startDovecot(),
    startWebhook(),
  ]);
  const tokenFile = join(base, 'chatgpt-token');
  if (signedIn) await writeFile(tokenFile, ACCESS_TOKEN, { mode: 0o600 });
  const passwordFile = join(base, 'imap-password');
  await writeFile(passwordFile, dovecot.password, { mode: 0o600 });
  const settings: Environment = {
    ...openai.settings,
    CHATKEEP_BACKUP_DIR: backups,
    CHATKEEP_STATE_DIR: state,
    CHATKEEP_DROP_DIR: drop,
    CHATKEEP_IMAP_HOST: dovecot.host,
    CHATKEEP_IMAP_PORT: String(dovecot.port),
    CHATKEEP_IMAP_USER: dovecot.user,
    CHATKEEP_IMAP_PASSWORD_FILE: passwordFile,
    CHATKEEP_IMAP_CA_FILE: dovecot.caFile,
    CHATKEEP_DOWNLOAD_BEARER_TOKEN_FILE: tokenFile,
    // What a test counts are the requests and messages of captures.
    CHATKEEP_DOWNLOAD_CHECK_LOGINS_HOURS: '0',
    CHATKEEP_NOTIFY: webhook.address,
    CHATKEEP_LOG_FORMAT: 'json',
    CHATKEEP_LOG_LEVEL: 'debug',
  };
  const services: Service[] = [];
  return {
    openai,
    dovecot,
    webhook,
    base,
    backups,
    state,
    drop,
    exports,
    tokenFile,
    settings,
    service(overrides = {}) {
      const service = new Service({ ...settings, ...overrides });
      services.push(service);
      return service;
    },
    async [Symbol.asyncDispose]() {
      for (const service of services) await service[Symbol.asyncDispose]();
      await Promise.all([openai[Symbol.asyncDispose](), dovecot.close(), webhook[Symbol.asyncDispose]()]);
      await temporary[Symbol.asyncDispose]();
    },
  };
}

const SNAPSHOT_NAME = /^\d{4}-\d{2}-\d{2}T\d{6}Z(-\d+)?$/;

/** Paths of everything that looks like a snapshot to a user, oldest first. */
export async function visibleSnapshots(backups: string): Promise<string[]> {
  const found: string[] = [];
  for (const account of await readdir(backups, { withFileTypes: true })) {
    if (!account.isDirectory() || account.name.startsWith('.')) continue;
    for (const name of await readdir(join(backups, account.name))) {
      if (name !== 'latest' && name !== '.chatkeep') found.push(join(backups, account.name, name));
    }
  }
  return found.sort();
}

/** Fails unless the snapshot is whole by the judgement of `sha256sum` and nothing but it. */
export async function assertWholeSnapshot(snapshot: string): Promise<void> {
  const name = relative(join(snapshot, '..'), snapshot);
  if (!SNAPSHOT_NAME.test(name)) throw new Error(`${name} is not a snapshot's name`);
  await run('sha256sum', ['--check', '--strict', '--quiet', '.chatkeep/SHA256SUMS'], { cwd: snapshot });
  const listed = (await readFile(join(snapshot, '.chatkeep/SHA256SUMS'), 'utf8')).trimEnd().split('\n').length;
  const files = (await filesBelow(snapshot)).filter((path) => !path.startsWith('.chatkeep/'));
  if (files.length !== listed) throw new Error(`${name} has ${files.length} files, and ${listed} are listed`);
}

/** Where an account's `latest` points. */
export async function latestOf(snapshot: string): Promise<string> {
  return readlink(join(snapshot, '..', 'latest'));
}

/** The SHA-256 of every file of a snapshot, by path: what {@link ExportFacts} says of the source, too. */
export async function hashesOf(snapshot: string): Promise<Map<string, string>> {
  const hashes = new Map<string, string>();
  for (const path of await filesBelow(snapshot)) {
    if (path.startsWith('.chatkeep/')) continue;
    hashes.set(
      path,
      createHash('sha256')
        .update(await readFile(join(snapshot, path)))
        .digest('hex'),
    );
  }
  return hashes;
}

/** Relative paths of all files below a directory, sorted. */
export async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
    .sort();
}
