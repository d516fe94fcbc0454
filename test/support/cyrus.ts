import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { access, chmod, mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { ImapFlow } from 'imapflow';
import { freePort } from './free-port.ts';
import type { DeliverOptions, MailServer } from './mail-server.ts';
import type { Cable } from './network.ts';
import { createAuthority } from './openai/certificates.ts';
import { killAtExit, signalGroup } from './process-group.ts';

const run = promisify(execFile);

const MASTER = '/usr/sbin/cyrmaster';
const COMMON = '/usr/lib/cyrus/bin';
/** Debian lets one IMAP server be installed only; this one is unpacked beside Dovecot (test/main.ts). */
const UNPACKED = '/usr/local/lib/chatkeep-test/cyrus-imapd/usr/lib/cyrus/bin';
const START_LIMIT_MS = 15_000;
const USER = 'ada';
/** It takes any. */
const PASSWORD = 'any';

export interface CyrusOptions {
  readonly tls?: 'implicit' | 'none';
  /** At whose far end it runs, and listens; else on this machine. */
  readonly cable?: Cable;
}

/**
 * Starts a real Cyrus of its own: own directory, configuration and ports. It has to be started as root.
 * Mail comes by a second door: a Cyrus beside it, with the same mailboxes, that is always up.
 */
export async function startCyrus({ tls = 'implicit', cable }: CyrusOptions = {}): Promise<MailServer> {
  for (const program of [MASTER, join(UNPACKED, 'imapd')]) await requireProgram(program);
  const directory = await mkdtemp(join(tmpdir(), 'chatkeep-cyrus-'));
  await chmod(directory, 0o755);
  for (const name of ['conf/proc', 'conf/socket', 'conf/log', 'conf/db', 'spool', 'run']) {
    await mkdir(join(directory, name), { recursive: true });
  }
  const host = cable?.address ?? '127.0.0.1';
  const [port, backPort] = [await freePort(), await freePort()];
  const authority = await createAuthority();
  const { certPem, keyPem } = await authority.issue({ hosts: ['localhost', host] });
  const caFile = join(directory, 'ca.pem');
  await writeFile(caFile, authority.certPem);
  await writeFile(join(directory, 'cert.pem'), certPem);
  await writeFile(join(directory, 'key.pem'), keyPem, { mode: 0o600 });
  await writeFile(join(directory, 'imapd.conf'), imapdConf(directory));
  await writeFile(join(directory, 'front.conf'), frontConf(directory, host, port, tls));
  await writeFile(join(directory, 'back.conf'), backConf(directory, backPort));
  await run('chown', ['-R', 'cyrus:mail', directory]);
  const front = masterOf(directory, 'front', { host, port, speaksFirst: tls === 'none' }, cable?.command);
  const back = masterOf(directory, 'back', { host: '127.0.0.1', port: backPort, speaksFirst: true });

  async function atBackDoor<T>(work: (client: ImapFlow) => Promise<T>): Promise<T> {
    const client = new ImapFlow({
      host: '127.0.0.1',
      port: backPort,
      secure: false,
      auth: { user: USER, pass: PASSWORD },
      logger: false,
      doSTARTTLS: false,
      disableAutoIdle: true,
    });
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.logout();
    }
  }

  const folders = new Set(['INBOX']);

  function deliverCopies(
    raw: string | Uint8Array,
    count: number,
    { folder = 'INBOX', receivedAt = Date.now() }: DeliverOptions = {},
  ): Promise<void> {
    return atBackDoor(async (client) => {
      if (!folders.has(folder)) await client.mailboxCreate(folder);
      folders.add(folder);
      const appended = await client.append(folder, Buffer.from(raw), [], new Date(receivedAt));
      if (appended === false || appended.uid === undefined) throw new Error('Cyrus did not take the message.');
      const { uid } = appended;
      if (count > 1) await client.mailboxOpen(folder);
      for (let copies = 1; copies < count; copies *= 2) {
        const last = uid + Math.min(copies, count - copies) - 1;
        await client.messageCopy(`${uid}:${last}`, folder, { uid: true });
      }
    });
  }

  await back.start();
  await front.start();
  return {
    host,
    port,
    user: USER,
    password: PASSWORD,
    ...(tls === 'none' ? {} : { caFile }),
    deliver: (raw, options) => deliverCopies(raw, 1, options),
    deliverCopies,
    renewFolder: (folder) =>
      atBackDoor(async (client) => {
        await client.mailboxDelete(folder);
        await client.mailboxCreate(folder);
      }),
    stop: front.stop,
    start: front.start,
    pause: () => front.signal('SIGSTOP'),
    resume: () => front.signal('SIGCONT'),
    async [Symbol.asyncDispose]() {
      await front.stop();
      await back.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

interface Master {
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Sends it to the master and whatever that has started. */
  signal(signal: NodeJS.Signals): void;
}

function masterOf(directory: string, name: 'front' | 'back', door: Door, prefix: readonly string[] = []): Master {
  let running: ChildProcess | undefined;
  const signal = (what: NodeJS.Signals) => signalGroup(running, what);
  return {
    signal,
    async start() {
      const file = (ending: string) => join(directory, ending);
      const args = ['-C', file('imapd.conf'), '-M', file(`${name}.conf`), '-p', file(`run/${name}.pid`)];
      const [program = MASTER, ...rest] = [...prefix, MASTER, ...args];
      running = spawn(program, rest, { detached: true, stdio: 'ignore' });
      killAtExit(running);
      const deadline = Date.now() + START_LIMIT_MS;
      while (!(await isOpen(door))) {
        if (running.exitCode !== null || Date.now() > deadline) throw new Error('Cyrus did not start.');
        await delay(50);
      }
    },
    async stop() {
      const leader = running;
      if (leader === undefined) return;
      const exited = once(leader, 'exit');
      signal('SIGCONT');
      signal('SIGTERM');
      const impatient = setTimeout(() => signal('SIGKILL'), 2_000);
      await exited;
      clearTimeout(impatient);
      signal('SIGKILL');
      running = undefined;
    },
  };
}

async function requireProgram(path: string): Promise<void> {
  await access(path).catch(() => {
    throw new Error(`${path} is missing. Run \`npm test\` as root on Debian, which installs what the tests need.`);
  });
}

function imapdConf(directory: string): string {
  return `
configdirectory: ${directory}/conf
defaultpartition: default
partition-default: ${directory}/spool
allowplaintext: yes
sasl_mech_list: EXTERNAL
autocreate_quota: 0
autocreate_post: yes
altnamespace: yes
unixhierarchysep: yes
idlesocket: ${directory}/conf/socket/idle
tls_server_cert: ${directory}/cert.pem
tls_server_key: ${directory}/key.pem
`;
}

/** `-N` takes any password with LOGIN, which is what is left where no mechanism of SASL is offered. */
function frontConf(directory: string, host: string, port: number, tls: 'implicit' | 'none'): string {
  return `
SERVICES {
  imap cmd="${UNPACKED}/imapd -C ${directory}/imapd.conf -N ${tls === 'none' ? '' : '-s'}" listen="${host}:${port}" prefork=0
}
`;
}

/** Services of one name take turns in accepting, by a lock: the other door needs another name. */
function backConf(directory: string, port: number): string {
  const config = `-C ${directory}/imapd.conf`;
  return `
START {
  recover cmd="${COMMON}/ctl_cyrusdb ${config} -r"
}
SERVICES {
  backdoor cmd="${UNPACKED}/imapd ${config} -N" listen="127.0.0.1:${port}" prefork=0
}
DAEMON {
  idled cmd="${UNPACKED}/idled ${config}"
}
EVENTS {
  checkpoint cmd="${COMMON}/ctl_cyrusdb ${config} -c" period=30
}
`;
}

interface Door {
  readonly host: string;
  readonly port: number;
  /** Whether it greets by itself: over TLS the client begins. */
  readonly speaksFirst: boolean;
}

/** Its master accepts before its imapd can answer: a greeting tells more than a connection. */
function isOpen({ host, port, speaksFirst }: Door): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    const end = (open: boolean) => {
      socket.destroy();
      resolve(open);
    };
    if (speaksFirst) socket.once('data', (data) => end(String(data).startsWith('* OK')));
    else socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
    socket.once('close', () => end(false));
  });
}
