import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { killAtExit, signalGroup } from './process-group.ts';
import { tempDir } from './temp-dir.ts';

const run = promisify(execFile);

const EXIM = '/usr/sbin/exim4';
/** Debian's package runs it as this user. */
const EXIM_USER = 'Debian-exim';

export interface EximOptions {
  readonly tls: { readonly key: string; readonly cert: string };
  /** The only login that is taken, and only over TLS. Letters and digits. */
  readonly login: { readonly user: string; readonly password: string };
  /** The domain that it delivers for. */
  readonly domain: string;
}

export interface Exim extends AsyncDisposable {
  readonly port: number;
  /** The mails that lie in the mailbox of the domain, raw, in no order. */
  mails(): Promise<string[]>;
}

/**
 * Starts a real mail server, Exim, that delivers into a Maildir: own configuration, spool and port, no system service.
 * It has to run as root.
 */
export async function startExim({ tls, login, domain }: EximOptions): Promise<Exim> {
  await using stack = new AsyncDisposableStack();
  const directory = stack.use(await tempDir()).path;
  const port = await freePort();
  const [uid = 0, gid = 0] = await Promise.all(['-u', '-g'].map(idOfExim));
  await chmod(directory, 0o755);
  for (const name of ['spool', 'log', 'mail']) {
    await mkdir(join(directory, name), { mode: 0o700 });
    await chown(join(directory, name), uid, gid);
  }
  await writeFile(join(directory, 'cert.pem'), tls.cert);
  await writeFile(join(directory, 'key.pem'), tls.key, { mode: 0o600 });
  await chown(join(directory, 'key.pem'), uid, gid);
  const configurationFile = join(directory, 'exim.conf');
  await writeFile(configurationFile, configuration(directory, port, login, domain), { mode: 0o644 });

  const server = spawn(EXIM, ['-bdf', '-C', configurationFile, '-oP', join(directory, 'spool/exim.pid')], {
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  killAtExit(server);
  let complaints = '';
  server.stderr.on('data', (chunk: Buffer) => {
    complaints += chunk.toString();
  });
  stack.defer(async () => {
    if (server.exitCode !== null) return;
    const ended = once(server, 'exit');
    signalGroup(server, 'SIGKILL');
    await ended;
  });
  await eventually(async () => {
    if (server.exitCode !== null) throw new Error(`Exim did not start: ${complaints}`);
    return answers(port);
  });

  const parts = stack.move();
  return {
    port,
    async mails() {
      const delivered = join(directory, 'mail', 'new');
      const names = await readdir(delivered).catch(() => []);
      return Promise.all(names.map((name) => readFile(join(delivered, name), 'utf8')));
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

async function idOfExim(option: string): Promise<number> {
  const { stdout } = await run('id', [option, EXIM_USER]);
  return Number(stdout);
}

/** https://www.exim.org/exim-html-current/doc/html/spec_html/: a submission server (RFC 6409) for one domain. */
function configuration(directory: string, port: number, { user, password }: EximOptions['login'], domain: string) {
  return `
primary_hostname = mail.${domain}
exim_user = ${EXIM_USER}
never_users =
spool_directory = ${directory}/spool
log_file_path = ${directory}/log/%slog
local_interfaces = 127.0.0.1
daemon_smtp_ports = ${port}
keep_environment =
host_lookup =
rfc1413_query_timeout = 0s
tls_advertise_hosts = *
tls_certificate = ${directory}/cert.pem
tls_privatekey = ${directory}/key.pem
auth_advertise_hosts = \${if eq{$tls_in_cipher}{}{}{*}}
acl_smtp_rcpt = recipient

begin acl
recipient:
  accept
    authenticated = *
    encrypted = *
    domains = ${domain}
  deny

begin routers
mailbox:
  driver = accept
  transport = maildir

begin transports
maildir:
  driver = appendfile
  directory = ${directory}/mail
  maildir_format
  create_directory
  user = ${EXIM_USER}
  return_path_add
  envelope_to_add

begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = \${if and{{eq{$auth2}{${user}}}{eq{$auth3}{${password}}}}}
  server_set_id = $auth2
`;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
