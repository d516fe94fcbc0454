import { readFile, rm, statfs, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { journalPath } from '../../src/assembly.ts';
import { compareInventoryFiles } from '../../src/chatgpt/index.ts';
import { loadConfig } from '../../src/config/index.ts';
import { runDaemon } from '../../src/daemon.ts';
import type { HttpResponse, Transport } from '../../src/download/index.ts';
import { DAY_MS, HOUR_MS } from '../../src/lib/clock.ts';
import { errorCode } from '../../src/lib/errors.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { type ConnectMailbox, MailboxError } from '../../src/mailbox/index.ts';
import type { Message } from '../../src/notify/index.ts';
import type { Surroundings } from '../../src/surroundings.ts';
import { createDkimKey, dkimRecordName, type EmailKind, makeEmail } from '../support/openai/emails/index.ts';
import { type AccountModel, createAccount, nextExport, writeExport } from '../support/openai/exports/index.ts';
import { exportIdOf, makeLink } from '../support/openai/links.ts';
import { FILE_STREAM_ACCESS_DENIED, me } from '../support/openai/pages.ts';
import { patientClock } from '../support/patient-clock.ts';
import { takeStockHere } from '../support/stock.ts';
import { mountTmpfs } from '../support/tmpfs.ts';
import { settle, VirtualClock } from '../support/virtual-clock.ts';

/** Something that happens to the service, at a moment of ms UTC. */
export interface Happening {
  readonly at: number;
  readonly what: string;
  readonly happen: (world: World) => Promise<void>;
}

const CHATGPT = 'https://chatgpt.com';
const LINK_KEY = Buffer.from('the key that links are signed with');
const ACCOUNT = 'ada';
const BACKUP_DISK = '96m';
/** On a disk of its own, and one that is never waited for. */
const STATE_DISK = '256m';
/** How long ChatGPT takes to answer. */
const ANSWER_MS = 1_500;
const LINK_LIVES_MS = DAY_MS;

interface Mail {
  readonly source: Buffer;
  readonly receivedAt: number;
}

/** What is outside the service: a mail server, ChatGPT, a disk and a person. */
export class World {
  readonly clock: VirtualClock;
  readonly told: Message[] = [];
  readonly #base: string;
  readonly #dkim = createDkimKey();
  readonly #folders = new Map<string, Mail[]>([
    ['INBOX', []],
    ['Junk', []],
  ]);
  readonly #exports = new Map<string, { readonly bytes: Buffer; readonly deadline: number }>();
  readonly #wakes = new Set<() => void>();
  #account: AccountModel;
  #mailServerIsUp = true;
  /** Requests that ChatGPT has not answered yet. */
  #unanswered = 0;

  constructor(base: string, startMs: number) {
    this.#base = base;
    this.clock = new VirtualClock(startMs);
    this.#account = createAccount({
      seed: ACCOUNT,
      conversations: 24,
      email: 'ada@example.com',
      asOf: new Date(startMs - DAY_MS),
    });
  }

  get backups(): string {
    return join(this.#base, 'backups');
  }

  get #state(): string {
    return join(this.#base, 'state');
  }

  get #tokenFile(): string {
    return join(this.#base, 'token');
  }

  /** A mail of OpenAI's arrives. */
  async receive(kind: EmailKind, { folder = 'INBOX', link }: { folder?: string; link?: string } = {}): Promise<void> {
    const source = await makeEmail({
      kind,
      to: 'ada@example.com',
      date: new Date(this.clock.now()),
      ...(link === undefined ? {} : { link }),
      dkim: [{ privateKeyPem: this.#dkim.privateKeyPem }],
    });
    this.#folders.get(folder)?.push({ source, receivedAt: this.clock.now() });
    for (const wake of this.#wakes) wake();
  }

  /** ChatGPT has made an export, and its mail arrives. */
  async exportIsReady({ folder = 'INBOX' }: { folder?: string } = {}): Promise<void> {
    const stamp = this.clock.now();
    const days = (stamp - this.#account.asOf) / DAY_MS;
    this.#account = nextExport(this.#account, { seed: String(stamp), add: 4, change: 3, delete: 1, days });
    const exportId = exportIdOf({ form: 'estuary', account: ACCOUNT, stamp, serial: 1 });
    const path = join(this.#base, 'export.zip');
    await writeExport(this.#account, { generation: 'G5', stamp: new Date(stamp), to: path });
    const deadline = stamp + LINK_LIVES_MS;
    this.#exports.set(exportId, { bytes: await readFile(path), deadline });
    await rm(path);
    const link = makeLink('estuary', { origin: CHATGPT, exportId, stamp, expiresAt: deadline, key: LINK_KEY });
    await this.receive('ready', { folder, link });
  }

  mailServerIsUp(isUp: boolean): void {
    this.#mailServerIsUp = isUp;
    for (const wake of this.#wakes) wake();
  }

  /** The person signs in to ChatGPT, and leaves an access token with the service. */
  async signIn(until: number): Promise<void> {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = { iat: this.clock.now() / 1000, exp: until / 1000 };
    await writeFile(this.#tokenFile, `${part({ alg: 'none' })}.${part(claims)}.signature`, { mode: 0o600 });
  }

  /** Something else fills the disk of the backups, but for so many bytes. */
  async fillDisk(leaveBytes: number): Promise<void> {
    const { bavail, bsize } = await statfs(this.backups);
    await writeFile(join(this.backups, '.filler'), Buffer.alloc(Math.max(0, bavail * bsize - leaveBytes)));
  }

  async makeRoom(): Promise<void> {
    await truncate(join(this.backups, '.filler'), 0);
  }

  /** Runs the service through what happens, until `endMs`. */
  async live(happenings: readonly Happening[], endMs: number): Promise<void> {
    await using _backupDisk = await mountTmpfs(this.backups, BACKUP_DISK);
    await using _stateDisk = await mountTmpfs(this.#state, STATE_DISK);
    await this.signIn(this.clock.now() + 29 * DAY_MS + 4 * HOUR_MS);
    const yaml = join(this.#base, 'chatkeep.yaml');
    await writeFile(yaml, this.#settings());
    const { config } = await loadConfig({ env: {}, cwd: this.#base, defaultPath: yaml });
    const stop = new AbortController();
    let failure: unknown;
    const running = runDaemon(config, silentLogger, stop.signal, this.#surroundings()).catch((error: unknown) => {
      failure = error ?? new Error('the service has ended');
    });
    const journal = await this.#openJournal(journalPath(config), () => failure);
    try {
      for (const { at, happen } of [...happenings, { at: endMs, happen: async () => {} }]) {
        await this.#goOnUntil(at, journal);
        if (failure !== undefined) throw failure;
        await happen(this);
      }
    } finally {
      journal.close();
      stop.abort();
      await running;
    }
  }

  /** Beside the service, which makes it. */
  async #openJournal(path: string, failure: () => unknown): Promise<DatabaseSync> {
    for (;;) {
      await settle();
      if (failure() !== undefined) throw failure();
      try {
        const journal = new DatabaseSync(path, { readOnly: true });
        journal.prepare('SELECT count(*) FROM captures').get();
        return journal;
      } catch (error) {
        if (errorCode(error) !== 'ERR_SQLITE_ERROR') throw error;
      }
    }
  }

  /** Lets time pass, but not while the service is at work: that takes no virtual time, however slow the machine is. */
  async #goOnUntil(until: number, journal: DatabaseSync): Promise<void> {
    const atWork = journal.prepare(
      `SELECT count(*) AS n FROM captures WHERE open = 1 AND state IN ('found', 'downloading', 'unpacking')`,
    );
    for (;;) {
      for (let quiet = 0; quiet < 3; quiet += 1) {
        await settle();
        if (isBusy() || (this.#unanswered === 0 && Number(atWork.get()?.n) > 0)) quiet = -1;
      }
      const next = this.clock.nextWake ?? until;
      if (next > until) break;
      await this.clock.advance(Math.max(0, next - this.clock.now()));
    }
    await this.clock.advance(until - this.clock.now());
  }

  #settings(): string {
    return [
      `backup_dir: ${this.backups}`,
      `state_dir: ${this.#state}`,
      'mailboxes:',
      '  - { name: ada, host: imap.example.com, user: ada@example.com, password: a-password }',
      'download:',
      `  logins: [{ type: bearer, token_file: ${this.#tokenFile} }]`,
      'notify: [json://127.0.0.1:9/ada]',
      '',
    ].join('\n');
  }

  #surroundings(): Surroundings {
    return {
      clock: patientClock(this.clock),
      random: () => 0.5,
      openTransport: async () => this.#transport(),
      mailboxConnector: () => this.#connectMailbox,
      txtResolver: () => async (name) => {
        if (name === dkimRecordName()) return [[this.#dkim.dnsTxt]];
        throw Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
      },
      openServices: () => [
        { id: 'ada', label: 'Ada', send: async (message) => void this.told.push({ ...message, at: this.clock.now() }) },
      ],
      openHeartbeat: () => {
        throw new Error('no heartbeat is set');
      },
      takeStock: takeStockHere,
      compareStock: compareInventoryFiles,
    };
  }

  #transport(): Transport {
    return {
      send: async ({ address, headers, signal }) => {
        this.#unanswered += 1;
        await this.clock.sleep(ANSWER_MS, signal).finally(() => {
          this.#unanswered -= 1;
        });
        const now = this.clock.now();
        const signedIn = lifeOf(headers.authorization) > now;
        if (address.pathname === '/backend-api/me')
          return signedIn ? answer(200, me()) : answer(401, '{"detail":"Unauthorized"}');
        const found = this.#exports.get((address.searchParams.get('id') ?? '').replace(/\.zip$/, ''));
        if (found === undefined || !signedIn || now >= found.deadline) return answer(403, FILE_STREAM_ACCESS_DENIED);
        return answer(200, found.bytes, 'application/zip');
      },
      close: async () => {},
    };
  }

  readonly #connectMailbox: ConnectMailbox = async ({ clock, signal }) => {
    const answered = () => {
      signal.throwIfAborted();
      if (!this.#mailServerIsUp)
        throw new MailboxError('unreachable', 'The mail server cannot be used just now: connect ECONNREFUSED.');
    };
    answered();
    let open: Mail[] = [];
    let seen = 0;
    return {
      listFolders: async () => {
        answered();
        return [...this.#folders.keys()].map((path) => ({
          path,
          name: path,
          flags: new Set(path === 'Junk' ? ['\\Junk'] : []),
          use: undefined,
        }));
      },
      openReadOnly: async (folder) => {
        answered();
        open = this.#folders.get(folder) ?? [];
        return { uidValidity: '1', exists: open.length };
      },
      search: async ({ since }) => {
        answered();
        seen = open.length;
        return open.flatMap(({ receivedAt }, index) => (receivedAt >= since ? [index + 1] : []));
      },
      fetchMeta: async (uid) => {
        answered();
        const mail = open[uid - 1];
        return mail && { bytes: mail.source.length, receivedAt: mail.receivedAt, messageId: undefined };
      },
      fetchSource: async (uid) => {
        answered();
        return open[uid - 1]?.source;
      },
      waitForChange: async (waiting, maxMs) => {
        const woken = new AbortController();
        const wake = () => woken.abort();
        this.#wakes.add(wake);
        if (open.length === seen)
          await clock.sleep(maxMs, AbortSignal.any([waiting, signal, woken.signal])).catch(() => {});
        this.#wakes.delete(wake);
        answered();
        return open.length > seen;
      },
      close: async () => {},
    };
  };
}

/** When the token of an Authorization header ends, ms UTC; 0 where there is none. */
function lifeOf(authorization: string | undefined): number {
  const [, claims = ''] = authorization?.split('.') ?? [];
  if (claims === '') return 0;
  const { exp } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as { exp: number };
  return exp * 1000;
}

function answer(status: number, content: string | Buffer, type = 'application/json'): HttpResponse {
  const bytes = Buffer.from(content);
  return {
    status,
    headers: { 'content-type': type, 'content-length': String(bytes.length) },
    body: (async function* () {
      yield bytes;
    })(),
    discard: () => {},
  };
}

/** What this process had open before the service began. */
const AT_REST = countOf(process.getActiveResourcesInfo());

/** Whether a file, a thread or another process is being waited for. */
function isBusy(): boolean {
  const now = countOf(process.getActiveResourcesInfo());
  return [...now].some(
    ([resource, count]) =>
      /^(FSReq|CloseReq|MessagePort|Worker|Process|Pipe)/.test(resource) && count > (AT_REST.get(resource) ?? 0),
  );
}

function countOf(resources: readonly string[]): Map<string, number> {
  return new Map([...Map.groupBy(resources, (name) => name)].map(([name, all]) => [name, all.length]));
}
