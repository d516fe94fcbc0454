import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { ImapFlow } from 'imapflow';
import { freePort } from './free-port.ts';

const run = promisify(execFile);

const MASTER = '/usr/sbin/cyrmaster';
const COMMON = '/usr/lib/cyrus/bin';
/** Debian lets one IMAP server be installed only; this one is unpacked beside Dovecot (test/main.ts). */
const UNPACKED = '/usr/local/lib/chatkeep-test/cyrus-imapd/usr/lib/cyrus/bin';
const START_LIMIT_MS = 15_000;

export interface Cyrus extends AsyncDisposable {
  readonly host: '127.0.0.1';
  readonly port: number;
  readonly user: string;
  /** It takes any. */
  readonly password: string;
  deliver(raw: string): Promise<void>;
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** Starts a real Cyrus of its own, in clear text: own directory, configuration and port. It has to be started as root. */
export async function startCyrus(): Promise<Cyrus> {
  for (const program of [MASTER, join(UNPACKED, 'imapd')]) await requireProgram(program);
  const directory = await mkdtemp(join(tmpdir(), 'chatkeep-cyrus-'));
  await chmod(directory, 0o755);
  for (const name of ['conf/proc', 'conf/socket', 'conf/log', 'conf/db', 'spool', 'run']) {
    await mkdir(join(directory, name), { recursive: true });
  }
  const port = await freePort();
  await writeFile(join(directory, 'imapd.conf'), imapdConf(directory));
  await writeFile(join(directory, 'cyrus.conf'), cyrusConf(directory, port));
  await run('chown', ['-R', 'cyrus:mail', directory]);
  const user = 'ada';
  const password = 'any';

  let server: ChildProcess | undefined;
  const file = (name: string) => join(directory, name);

  async function start(): Promise<void> {
    const args = ['-C', file('imapd.conf'), '-M', file('cyrus.conf'), '-p', file('run/master.pid')];
    server = spawn(MASTER, args, { detached: true, stdio: 'ignore' });
    const deadline = Date.now() + START_LIMIT_MS;
    while (!(await greets(port))) {
      if (server.exitCode !== null || Date.now() > deadline) throw new Error('Cyrus did not start.');
      await delay(50);
    }
  }

  async function stop(): Promise<void> {
    const running = server;
    server = undefined;
    if (running?.pid === undefined) return;
    const exited = once(running, 'exit');
    // The master, and whatever it has started.
    process.kill(-running.pid, 'SIGTERM');
    const impatient = setTimeout(() => killGroup(running), 2_000);
    await exited;
    clearTimeout(impatient);
    killGroup(running);
  }

  await start();
  return {
    host: '127.0.0.1',
    port,
    user,
    password,
    async deliver(raw) {
      const client = new ImapFlow({
        host: '127.0.0.1',
        port,
        secure: false,
        auth: { user, pass: password },
        logger: false,
      });
      await client.connect();
      await client.append('INBOX', raw);
      await client.logout();
    },
    stop,
    start,
    async [Symbol.asyncDispose]() {
      await stop();
      await rm(directory, { recursive: true, force: true });
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
master_pid_file: ${directory}/run/master.pid
`;
}

/** `-N` takes any password with LOGIN, which is what is left where no mechanism of SASL is offered. */
function cyrusConf(directory: string, port: number): string {
  const config = `-C ${directory}/imapd.conf`;
  return `
START {
  recover cmd="${COMMON}/ctl_cyrusdb ${config} -r"
}
SERVICES {
  imap cmd="${UNPACKED}/imapd ${config} -N" listen="127.0.0.1:${port}" prefork=0
}
DAEMON {
  idled cmd="${UNPACKED}/idled ${config}"
}
EVENTS {
  checkpoint cmd="${COMMON}/ctl_cyrusdb ${config} -c" period=30
}
`;
}

/** Its master accepts before its imapd can answer. */
function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const end = (greeted: boolean) => {
      socket.destroy();
      resolve(greeted);
    };
    socket.once('data', (data) => end(String(data).startsWith('* OK')));
    socket.once('error', () => end(false));
    socket.once('close', () => end(false));
  });
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // The group is gone already.
  }
}
