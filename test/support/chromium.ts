import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:tls';
import { CdpConnection } from '../../src/download/logins/browser/cdp.ts';
import { DAY_MS, SECOND_MS } from '../../src/lib/clock.ts';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { SESSION_COOKIE } from './openai/login.ts';
import { tempDir } from './temp-dir.ts';

const PROGRAM = '/usr/bin/chromium';

/** What the browser's user has open. */
export interface OpenTab {
  readonly targetId: string;
  readonly url: string;
  readonly title: string;
}

/** A real Chromium, with a profile of its own, and its user. */
export interface Chromium extends AsyncDisposable {
  /** Where its DevTools listen; the same after a restart. */
  readonly cdpUrl: string;
  /** As after a crash or a power cut; nothing is saved. */
  kill(): Promise<void>;
  /** As its user ends it: everything is saved. */
  quit(): Promise<void>;
  /** Starts it again, with the same profile, if it is not running. */
  start(): Promise<void>;
  /** The user signs in to ChatGPT. */
  signIn(origin: string, token: string): Promise<void>;
  /** The user deletes all cookies. */
  signOut(): Promise<void>;
  /** The user opens a tab. */
  openTab(url: string): Promise<void>;
  /** All tabs, whoever has opened them. */
  tabs(): Promise<OpenTab[]>;
}

/** @param options.trusting servers whose certificates are trusted, as if their authority had been installed */
export async function startChromium(options: { trusting: readonly { port: number }[] }): Promise<Chromium> {
  await using stack = new AsyncDisposableStack();
  const { path: profile } = stack.use(await tempDir());
  const port = await freePort();
  const cdpUrl = `http://127.0.0.1:${port}`;
  const keys = await Promise.all(options.trusting.map((server) => keyHash(server.port)));
  let running: ChildProcess | undefined;

  const start = async () => {
    if (running !== undefined && isAlive(running)) return;
    running = spawn(
      PROGRAM,
      [
        '--headless=new',
        // Chromium does not make a sandbox for root.
        ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
        '--disable-gpu',
        '--disable-dev-shm-usage',
        '--disable-background-networking',
        '--disable-component-update',
        '--no-first-run',
        '--password-store=basic',
        `--ignore-certificate-errors-spki-list=${keys.join(',')}`,
        `--remote-debugging-port=${port}`,
        `--user-data-dir=${profile}`,
        'about:blank',
      ],
      { stdio: 'ignore', detached: true },
    );
    await eventually(async () => (await fetch(`${cdpUrl}/json/version`).catch(() => undefined))?.ok === true);
  };
  const ended = async (end: (browser: ChildProcess) => Promise<void> | void) => {
    const browser = running;
    if (browser === undefined || !isAlive(browser)) return;
    const exit = once(browser, 'exit');
    await end(browser);
    await exit;
  };
  const kill = () => ended(({ pid }) => void (pid === undefined || process.kill(-pid, 'SIGKILL')));
  const byHand = async <T>(act: (connection: CdpConnection) => Promise<T>): Promise<T> => {
    const version = (await (await fetch(`${cdpUrl}/json/version`)).json()) as { webSocketDebuggerUrl: string };
    const address = new URL(version.webSocketDebuggerUrl);
    const connection = await CdpConnection.open(address, AbortSignal.timeout(30 * SECOND_MS));
    try {
      return await act(connection);
    } finally {
      connection.close();
    }
  };

  stack.defer(kill);
  await start();
  const parts = stack.move();
  return {
    cdpUrl,
    start,
    kill,
    quit: () => ended(() => byHand(async (connection) => void (await connection.command('Browser.close')))),
    signIn: (origin, token) =>
      byHand(async (connection) => {
        const cookie = { name: SESSION_COOKIE, value: token, url: origin, secure: true, httpOnly: true };
        const expires = Math.round((Date.now() + 30 * DAY_MS) / SECOND_MS);
        await connection.command('Storage.setCookies', { cookies: [{ ...cookie, sameSite: 'Lax', expires }] });
      }),
    signOut: () => byHand(async (connection) => void (await connection.command('Storage.clearCookies'))),
    openTab: (url) =>
      byHand(async (connection) => {
        await connection.command('Target.createTarget', { url });
      }),
    tabs: () =>
      byHand(async (connection) => {
        const { targetInfos } = (await connection.command('Target.getTargets')) as {
          targetInfos: (OpenTab & { type: string })[];
        };
        return targetInfos
          .filter(({ type }) => type === 'page')
          .map(({ targetId, url, title }) => ({ targetId, url, title }))
          .toSorted((one, other) => one.targetId.localeCompare(other.targetId));
      }),
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

function isAlive({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null;
}

/** The key of a server's certificate, as Chromium's list of trusted ones has it. */
async function keyHash(port: number): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const { raw } = socket.getPeerCertificate();
  socket.destroy();
  const key = new X509Certificate(raw).publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(key).digest('base64');
}
