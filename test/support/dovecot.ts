import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { linkSync, rmSync } from 'node:fs';
import { access, chmod, chown, mkdir, mkdtemp, readdir, readFile, rename, utimes, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from './free-port.ts';
import type { DeliverOptions, MailServer } from './mail-server.ts';
import type { Cable } from './network.ts';
import { createAuthority } from './openai/certificates.ts';
import { killAtExit, signalGroup } from './process-group.ts';

const run = promisify(execFile);

const DOVECOT = '/usr/sbin/dovecot';
const DOVEADM = '/usr/bin/doveadm';
/** The user that owns the mail: `nobody`. Dovecot refuses to open mail as root. */
const MAIL_UID = 65534;
const START_LIMIT_MS = 15_000;
const STOP_LIMIT_MS = 300;

export interface DovecotUser {
  readonly user: string;
  readonly password: string;
}

export interface DovecotOptions {
  readonly tls?: 'implicit' | 'starttls' | 'none';
  readonly users?: readonly [DovecotUser, ...DovecotUser[]];
  /** Folders that are made at the start, and what they are for (RFC 6154), if the server is to say so. */
  readonly folders?: Readonly<Record<string, '\\Junk' | '\\All' | '\\Trash' | undefined>>;
  /** Capabilities that it keeps to itself: `['IDLE', 'SPECIAL-USE']`. */
  readonly without?: readonly string[];
  /** Signs in by XOAUTH2 too, with tokens that this address knows; the token is added at its end. */
  readonly tokenInfo?: string;
  /** How many connections it takes at the same time; 100 unless told. */
  readonly mostConnections?: number;
  /** At whose far end it runs, and listens; else on this machine. */
  readonly cable?: Cable;
}

interface DeliverToOptions extends DeliverOptions {
  /** The first one unless told. */
  readonly user?: string;
}

/** A message as it lies in a folder. */
export interface StoredMessage {
  readonly file: string;
  /** Whether a session that may write has taken notice of it: it is then moved out of `new`, and is no longer recent. */
  readonly touched: boolean;
  /** Maildir flags: `S` seen, `R` answered, `T` deleted, `F` flagged, `D` draft. */
  readonly flags: string;
}

export interface Dovecot extends MailServer {
  /** The authority that signed the server's certificate. */
  readonly caPem: string;
  readonly caFile: string;
  /** SHA-256 of the server's certificate, as openssl prints it. */
  readonly fingerprint: string;
  /** Puts a message into a Maildir, as a delivery agent does. */
  deliver(raw: string | Uint8Array, options?: DeliverToOptions): Promise<void>;
  messages(folder?: string, user?: string): Promise<StoredMessage[]>;
  /** The server's log so far. */
  log(): Promise<string>;
  /** How many sign-ins have succeeded so far. */
  logins(): Promise<number>;
  /** What an administrator does: `doveadm('kick', user)`. */
  doveadm(...args: string[]): Promise<void>;
  restart(): Promise<void>;
  /** Stops it and removes everything. */
  close(): Promise<void>;
}

/**
 * Starts a real Dovecot of its own: own directory, configuration and port, no system service. It has to run as root, as
 * Dovecot's login processes change to users without rights.
 */
export async function startDovecot(options: DovecotOptions = {}): Promise<Dovecot> {
  const {
    users = [{ user: 'ada@example.test', password: 'correct horse battery staple' }],
    folders = {},
    cable,
  } = options;
  const [first] = users;
  const host = cable?.address ?? '127.0.0.1';
  await requireDovecot();
  const directory = await mkdtemp(join(tmpdir(), 'chatkeep-dovecot-'));
  await chmod(directory, 0o755);
  await mkdir(join(directory, 'homes'), { mode: 0o755 });
  const port = await freePort();
  const authority = await createAuthority();
  const { certPem, keyPem } = await authority.issue({ hosts: ['localhost', host] });
  const caFile = join(directory, 'ca.pem');
  const logFile = join(directory, 'dovecot.log');
  const home = (user: string) => join(directory, 'homes', user);
  const folderPaths = new Map<string, Promise<string>>();
  function folderPath(user: string, folder: string): Promise<string> {
    const key = JSON.stringify([user, folder]);
    const path = folderPaths.get(key) ?? makeFolder(home(user), folder);
    folderPaths.set(key, path);
    return path;
  }
  await writeFile(caFile, authority.certPem);
  await writeFile(join(directory, 'cert.pem'), certPem);
  await writeFile(join(directory, 'key.pem'), keyPem, { mode: 0o600 });
  await writeFile(join(directory, 'users'), users.map((entry) => passwordLine(entry, home(entry.user))).join(''));
  await writeFile(join(directory, 'dovecot.conf'), await configuration(directory, port, options));
  for (const { user } of users) {
    for (const folder of ['INBOX', ...Object.keys(folders)]) await folderPath(user, folder);
  }

  let server: ChildProcess | undefined;

  async function start(): Promise<void> {
    const [program, ...args] = [...(cable?.command ?? []), DOVECOT, '-F', '-c', join(directory, 'dovecot.conf')];
    server = spawn(program ?? DOVECOT, args, {
      // A process group of its own, so that the whole server can be frozen.
      detached: true,
      stdio: 'ignore',
    });
    killAtExit(server);
    await waitUntilListening(host, port, server, logFile);
  }

  async function stop(): Promise<void> {
    const running = server;
    server = undefined;
    if (running === undefined || running.exitCode !== null) return;
    signalGroup(running, 'SIGCONT');
    const exited = once(running, 'exit');
    running.kill('SIGTERM');
    // A helper process that was just starting waits for five seconds for one that has ended already.
    const impatient = setTimeout(() => signalGroup(running, 'SIGKILL'), STOP_LIMIT_MS);
    await exited;
    clearTimeout(impatient);
    signalGroup(running, 'SIGKILL');
  }

  async function doveadm(...args: string[]): Promise<void> {
    await run(DOVEADM, ['-c', join(directory, 'dovecot.conf'), ...args]);
  }

  async function deliverCopies(
    raw: string | Uint8Array,
    count: number,
    { folder = 'INBOX', user = first.user, receivedAt }: DeliverToOptions = {},
  ): Promise<void> {
    const path = await folderPath(user, folder);
    const stem = `${Math.floor(Date.now() / 1000)}.${randomBytes(8).toString('hex')}`;
    const temporary = join(path, 'tmp', stem);
    await writeFile(temporary, raw, { mode: 0o600 });
    await chown(temporary, MAIL_UID, MAIL_UID);
    if (receivedAt !== undefined) await utimes(temporary, receivedAt / 1000, receivedAt / 1000);
    // One call of the system each, and no turn of the event loop: thousands are done in a moment.
    for (let copy = 1; copy < count; copy += 1) linkSync(temporary, join(path, 'new', `${stem}-${copy}.test`));
    await rename(temporary, join(path, 'new', `${stem}.test`));
  }

  async function renewFolder(folder: string): Promise<void> {
    for (const change of ['delete', 'create']) await doveadm('mailbox', change, '-u', first.user, folder);
  }

  async function close(): Promise<void> {
    await stop();
    rmSync(directory, { recursive: true, force: true });
  }

  await start();
  return {
    host,
    port,
    caPem: authority.certPem,
    caFile,
    fingerprint: new X509Certificate(certPem).fingerprint256,
    user: first.user,
    password: first.password,
    deliver: (raw, options) => deliverCopies(raw, 1, options),
    deliverCopies,
    async messages(folder = 'INBOX', user = first.user) {
      const path = await folderPath(user, folder);
      const untouched = (await readdir(join(path, 'new'))).map((file) => ({ file, touched: false, flags: '' }));
      const touched = (await readdir(join(path, 'cur'))).map((file) => ({
        file,
        touched: true,
        flags: /:2,([A-Za-z]*)$/.exec(file)?.[1] ?? '',
      }));
      return [...untouched, ...touched];
    },
    renewFolder,
    log: () => readFile(logFile, 'utf8'),
    doveadm,
    async logins() {
      return ((await readFile(logFile, 'utf8')).match(/imap-login: .*Login: user=/g) ?? []).length;
    },
    stop,
    start,
    async restart() {
      await stop();
      await start();
    },
    pause: () => signalGroup(server, 'SIGSTOP'),
    resume: () => signalGroup(server, 'SIGCONT'),
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function requireDovecot(): Promise<void> {
  try {
    await access(DOVECOT);
  } catch {
    throw new Error(`${DOVECOT} is missing. These tests need a real IMAP server: apt-get install dovecot-imapd`);
  }
  if (process.getuid?.() !== 0) throw new Error('Dovecot can be started by root only. Run the tests as root.');
}

function passwordLine({ user, password }: DovecotUser, home: string): string {
  return `${user}:{PLAIN}${password}:${MAIL_UID}:${MAIL_UID}::${home}\n`;
}

async function configuration(directory: string, port: number, options: DovecotOptions): Promise<string> {
  const { tls = 'implicit', folders = {}, without = [], tokenInfo, cable, mostConnections = 100 } = options;
  const [plainPort, tlsPort] = tls === 'implicit' ? [0, port] : [port, 0];
  const xoauth2 = tokenInfo === undefined ? '' : await xoauth2Passdb(directory, tokenInfo);
  return `
base_dir = ${directory}/run
state_dir = ${directory}/state
log_path = ${directory}/dovecot.log
info_log_path = ${directory}/dovecot.log
protocols = imap
listen = ${cable?.address ?? '127.0.0.1'}
ssl = ${tls === 'none' ? 'no' : 'required'}
${tls === 'none' ? '' : `ssl_cert = <${directory}/cert.pem\nssl_key = <${directory}/key.pem`}
disable_plaintext_auth = ${tls === 'none' ? 'no' : 'yes'}
auth_mechanisms = plain login${tokenInfo === undefined ? '' : ' xoauth2'}
auth_failure_delay = 0
first_valid_uid = 1
first_valid_gid = 1
mail_location = maildir:~/Maildir
mail_max_userip_connections = 1000
${without.length === 0 ? '' : `imap_capability = ${CAPABILITIES.filter((name) => !without.includes(name)).join(' ')}`}
namespace inbox {
  inbox = yes
  separator = /
  ${Object.entries(folders)
    .filter(([, use]) => use !== undefined)
    .map(([name, use]) => `mailbox "${name}" {\n    special_use = ${use}\n  }`)
    .join('\n  ')}
}
passdb {
  driver = passwd-file
  args = username_format=%u ${directory}/users
}
${xoauth2}
userdb {
  driver = passwd-file
  args = username_format=%u ${directory}/users
}
service imap-login {
  process_limit = ${mostConnections}
  inet_listener imap {
    port = ${plainPort}
  }
  inet_listener imaps {
    port = ${tlsPort}
    ssl = yes
  }
}
service imap {
  process_limit = ${mostConnections}
}
service anvil {
  # The login penalty would slow down whoever tries wrong passwords.
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
`;
}

/** What it offers beside the sign-in. */
const CAPABILITIES = [
  'IMAP4rev1',
  'LITERAL+',
  'ID',
  'ENABLE',
  'IDLE',
  'NAMESPACE',
  'UIDPLUS',
  'LIST-EXTENDED',
  'CHILDREN',
  'CONDSTORE',
  'ESEARCH',
  'MOVE',
  'SPECIAL-USE',
];

/** https://doc.dovecot.org/2.3/configuration_manual/authentication/oauth2/ */
async function xoauth2Passdb(directory: string, tokenInfo: string): Promise<string> {
  const file = join(directory, 'oauth2.conf.ext');
  await writeFile(file, `tokeninfo_url = ${tokenInfo}\nusername_attribute = email\nusername_format = %u\n`);
  return `passdb {\n  driver = oauth2\n  mechanisms = xoauth2\n  args = ${file}\n}`;
}

/** Makes a Maildir++ folder, owned by the mail user, and gives its path. */
async function makeFolder(home: string, folder: string): Promise<string> {
  const maildir = join(home, 'Maildir');
  const path = folder === 'INBOX' ? maildir : join(maildir, `.${folder.replaceAll('/', '.')}`);
  for (const directory of [home, maildir, path, ...['tmp', 'new', 'cur'].map((part) => join(path, part))]) {
    const made = await mkdir(directory, { recursive: true, mode: 0o700 });
    if (made !== undefined) await chown(directory, MAIL_UID, MAIL_UID);
  }
  return path;
}

async function waitUntilListening(host: string, port: number, server: ChildProcess, logFile: string): Promise<void> {
  const deadline = Date.now() + START_LIMIT_MS;
  while (!(await answers(host, port))) {
    if (server.exitCode !== null || Date.now() > deadline) {
      const log = await readFile(logFile, 'utf8').catch(() => '(no log)');
      throw new Error(`Dovecot did not start:\n${log}`);
    }
    await delay(20);
  }
}

function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
