import { setTimeout as delay } from 'node:timers/promises';
import type { MailboxConfig } from '../src/config/index.ts';
import { DAY_MS, MINUTE_MS, SECOND_MS } from '../src/lib/clock.ts';
import { formatDuration } from '../src/lib/text.ts';
import { MailboxWatcher } from '../src/mailbox/index.ts';
import { senderMarks } from '../src/notice/index.ts';
import { type MailboxPlace, SeenInMemory } from '../test/mailbox/fake-server.ts';
import { email, settingsFor } from '../test/mailbox/watching.ts';
import { startCyrus } from '../test/support/cyrus.ts';
import { startDovecot } from '../test/support/dovecot.ts';
import { eventually } from '../test/support/eventually.ts';
import { startMailProxy } from '../test/support/mail-proxy.ts';
import type { MailServer } from '../test/support/mail-server.ts';
import { type Cable, layCable } from '../test/support/network.ts';
import { type Bench, type Figures, median } from './bench.ts';

/** The longest pause between two dials, which is also that between two searches, and one dial. */
const GOAL_MS = 5.5 * MINUTE_MS;
/** After the first minute of a server that takes each sign-in and drops the line. */
const GOAL_SIGN_INS_A_MINUTE = 2;
const PATIENCE_MS = 15 * MINUTE_MS;

const OTHERS = 'Grace <grace@example.test>';
const UNRELATED_EVERY_MS = MINUTE_MS / 500;

interface Program {
  readonly name: 'Dovecot' | 'Cyrus';
  start(options?: { readonly tls?: 'implicit' | 'none'; readonly cable?: Cable }): Promise<MailServer>;
}

const PROGRAMS: readonly Program[] = [
  { name: 'Dovecot', start: startDovecot },
  { name: 'Cyrus', start: startCyrus },
];

/** What a mail went through until it was handed on. */
interface Found {
  /** How long each mail took since it arrived, or since the server was back, whichever was later. */
  readonly tookMs: readonly number[];
  readonly figures?: Readonly<Record<string, number>>;
}

interface LifeCase {
  readonly name: string;
  live(program: Program): Promise<Found>;
}

/** These keep the processor busy: one at a time. */
const BUSY: readonly LifeCase[] = [
  { name: 'lies there at the start', live: atTheStart },
  { name: 'arrives while the mailbox is watched', live: whileWatched },
  { name: 'at the start, under 20,000 old ones', live: (program) => amongOldOnes(program, 'at the start') },
  { name: 'arrives on top of 20,000 old ones', live: (program) => amongOldOnes(program, 'later') },
  { name: 'arrives beside 500 unrelated ones a minute', live: besideUnrelated },
  { name: 'server restarted, away for 10 s', live: (program) => whileAway(program, 10 * SECOND_MS) },
];

/** These wait: all at the same time. */
const LONG: readonly LifeCase[] = [
  { name: 'server away for 5 min', live: (program) => whileAway(program, 5 * MINUTE_MS) },
  { name: 'server frozen for 30 s', live: (program) => whileFrozen(program, 30 * SECOND_MS) },
  { name: 'server frozen for 5 min', live: (program) => whileFrozen(program, 5 * MINUTE_MS) },
  { name: 'packets dropped without a word for 5 min', live: (program) => whileCutOff(program, 5 * MINUTE_MS) },
  { name: 'line dropped after each sign-in for 10 min', live: (program) => whileDropped(program, 10 * MINUTE_MS) },
  { name: 'folder made anew, with another UIDVALIDITY', live: whileRenewed },
  { name: 'nothing is ever announced', live: whileMute },
];

/** How soon a mail is found whatever the mailbox goes through; settings as in production. Takes about 20 minutes. */
export const mailboxLife: Bench = {
  name: 'mailbox-life',
  summary: 'how soon a mail is found in every turn of a mailbox’s life, at a real Dovecot and a real Cyrus',
  needs: [
    { path: '/usr/sbin/dovecot', debianPackage: 'dovecot-imapd' },
    { path: '/usr/sbin/cyrmaster', debianPackage: 'cyrus-common' },
    { path: '/usr/sbin/ip', debianPackage: 'iproute2' },
    { path: '/usr/sbin/iptables', debianPackage: 'iptables' },
  ],
  async run(say) {
    const measure = async (each: LifeCase, program: Program): Promise<Figures> => {
      const row = rowOf(each, program, await each.live(program));
      say(`${row.tool}: ${formatDuration(row.wall_ms)}`);
      return row;
    };
    const rows: Figures[] = [];
    for (const each of BUSY) for (const program of PROGRAMS) rows.push(await measure(each, program));
    const waiting = LONG.flatMap((each) => PROGRAMS.map((program) => measure(each, program)));
    for (const settled of await Promise.allSettled(waiting)) {
      if (settled.status === 'rejected') throw settled.reason;
      rows.push(settled.value);
    }
    const worst = Math.max(...rows.map(({ wall_ms_max }) => Number(wall_ms_max)));
    const mostSignIns = Math.max(...rows.map(({ sign_ins_a_minute_later = 0 }) => Number(sign_ins_a_minute_later)));
    return {
      name: 'mailbox-life',
      goal:
        `every mail within ${formatDuration(GOAL_MS)} of its arrival, or of the server being back; ` +
        `at most ${GOAL_SIGN_INS_A_MINUTE} sign-ins a minute at a server that drops each, after the first minute`,
      ratio: worst / GOAL_MS,
      met: worst <= GOAL_MS && mostSignIns <= GOAL_SIGN_INS_A_MINUTE,
      rows,
    };
  },
};

function rowOf({ name }: LifeCase, program: Program, { tookMs, figures }: Found): Figures {
  return {
    tool: `${program.name}: ${name}`,
    wall_ms: Math.round(median(tookMs)),
    wall_ms_max: Math.round(Math.max(...tookMs)),
    mails: tookMs.length,
    ...figures,
  };
}

async function atTheStart(program: Program): Promise<Found> {
  await using server = await program.start();
  await server.deliver(email('ours'));
  const from = performance.now();
  await using watching = watch(settingsOf(server));
  return { tookMs: [(await watching.found('ours')) - from] };
}

async function whileWatched(program: Program): Promise<Found> {
  await using server = await program.start();
  await using watching = watch(settingsOf(server));
  await watching.ready();
  const tookMs: number[] = [];
  for (let round = 0; round < 10; round += 1) {
    await delay(2 * SECOND_MS);
    tookMs.push(await watching.deliver(server, `ours-${round}`));
  }
  return { tookMs };
}

async function amongOldOnes(program: Program, when: 'at the start' | 'later'): Promise<Found> {
  await using server = await program.start();
  const receivedAt = Date.now() - 400 * DAY_MS;
  await server.deliverCopies(email('old'), 10_000, { receivedAt });
  await server.deliverCopies(email('old-and-of-others', { from: OTHERS }), 10_000, { receivedAt });
  if (when === 'at the start') await server.deliver(email('ours'));
  const from = performance.now();
  await using watching = watch(settingsOf(server));
  if (when === 'at the start') return { tookMs: [(await watching.found('ours')) - from] };
  await watching.ready();
  return { tookMs: [await watching.deliver(server, 'ours')] };
}

async function besideUnrelated(program: Program): Promise<Found> {
  await using server = await program.start();
  await using watching = watch(settingsOf(server));
  await watching.ready();
  const tookMs: Promise<number>[] = [];
  const begun = performance.now();
  let count = 0;
  for (; count * UNRELATED_EVERY_MS < MINUTE_MS; count += 1) {
    await delay(Math.max(0, begun + count * UNRELATED_EVERY_MS - performance.now()));
    await server.deliver(email(`other-${count}`, { from: OTHERS }));
    if (count % 50 === 25) tookMs.push(watching.deliver(server, `ours-${count}`));
  }
  const unrelated_a_minute = Math.round((count / (performance.now() - begun)) * MINUTE_MS);
  return { tookMs: await Promise.all(tookMs), figures: { unrelated_a_minute } };
}

async function whileAway(program: Program, ms: number): Promise<Found> {
  await using server = await program.start();
  await using watching = watch(settingsOf(server));
  await watching.ready();
  await server.stop();
  await server.deliver(email('ours'));
  await delay(ms);
  await server.start();
  return { tookMs: [await watching.sinceNow('ours')] };
}

async function whileFrozen(program: Program, ms: number): Promise<Found> {
  await using server = await program.start();
  await using watching = watch(settingsOf(server));
  await watching.ready();
  server.pause();
  await server.deliver(email('ours'));
  await delay(ms);
  server.resume();
  return { tookMs: [await watching.sinceNow('ours')] };
}

async function whileCutOff(program: Program, ms: number): Promise<Found> {
  await using cable = await layCable();
  await using server = await program.start({ cable });
  await using watching = watch(settingsOf(server));
  await watching.ready();
  await cable.cut();
  await server.deliver(email('ours'));
  await delay(ms);
  await cable.mend();
  return { tookMs: [await watching.sinceNow('ours')] };
}

async function whileDropped(program: Program, ms: number): Promise<Found> {
  await using server = await program.start({ tls: 'none' });
  await using proxy = await startMailProxy(server);
  await using watching = watch(settingsOf({ ...server, port: proxy.port }, { security: 'none' }));
  await watching.ready();
  const begun = Date.now();
  proxy.mood = 'drop-after-sign-in';
  proxy.cut('end');
  await server.deliver(email('ours'));
  await delay(ms);
  proxy.mood = 'pass';
  const tookMs = [await watching.sinceNow('ours')];
  const signIns = proxy.signIns.filter((at) => at >= begun && at < begun + ms);
  const isLater = (at: number) => at >= begun + MINUTE_MS;
  return {
    tookMs,
    figures: {
      sign_ins_in_10_minutes: signIns.length,
      sign_ins_in_the_first_minute: signIns.filter((at) => !isLater(at)).length,
      sign_ins_a_minute_later: mostInAMinute(signIns.filter(isLater)),
    },
  };
}

async function whileRenewed(program: Program): Promise<Found> {
  await using server = await program.start();
  const folder = 'Exports';
  await server.deliver(email('before'), { folder });
  await using watching = watch(settingsOf(server, { folders: [folder] }));
  await watching.ready();
  await server.renewFolder(folder);
  return { tookMs: [await watching.deliver(server, 'ours', folder)] };
}

async function whileMute(program: Program): Promise<Found> {
  await using server = await program.start({ tls: 'none' });
  await using proxy = await startMailProxy(server);
  proxy.mood = 'mute';
  await using watching = watch(settingsOf({ ...server, port: proxy.port }, { security: 'none' }));
  await watching.ready();
  return { tookMs: [await watching.deliver(server, 'ours')] };
}

/** The settings of production: whatever is not said has its usual value. */
function settingsOf(
  server: Parameters<typeof settingsFor>[0],
  { folders, ...overrides }: Partial<MailboxPlace> = {},
): MailboxConfig {
  return settingsFor(server, { ...overrides, folders });
}

interface Watching extends AsyncDisposable {
  /** Resolves when the server has been told to announce what comes. */
  ready(): Promise<void>;
  /** When the mail of that name was handed on, by performance.now(). */
  found(name: string): Promise<number>;
  /** How long it takes from now on, ms; 0 if it was handed on before. */
  sinceNow(name: string): Promise<number>;
  /** Has a mail delivered, and gives how long it took from then on, ms. */
  deliver(server: MailServer, name: string, folder?: string): Promise<number>;
}

function watch(config: MailboxConfig): Watching {
  const seen = new SeenInMemory();
  const foundAt = new Map<string, number>();
  const stop = new AbortController();
  const watcher = new MailboxWatcher({
    config,
    senders: senderMarks(),
    seen,
    async onMessage(message) {
      foundAt.set(message.messageId ?? '', performance.now());
      await seen.take(message);
    },
  });
  const run = watcher.run(stop.signal);
  const found = async (name: string): Promise<number> => {
    const id = `<${name}@test>`;
    await eventually(() => foundAt.has(id), PATIENCE_MS);
    return foundAt.get(id) ?? Number.NaN;
  };
  const sinceNow = async (name: string): Promise<number> => {
    const from = performance.now();
    return Math.max(0, (await found(name)) - from);
  };
  return {
    found,
    sinceNow,
    async ready() {
      await eventually(() => watcher.state.name === 'watching');
      await delay(SECOND_MS);
    },
    async deliver(server, name, folder = 'INBOX') {
      await server.deliver(email(name), { folder });
      return sinceNow(name);
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await run;
    },
  };
}

/** The most of these moments, ms, that lie within one minute. */
function mostInAMinute(moments: readonly number[]): number {
  return Math.max(0, ...moments.map((from) => moments.filter((at) => at >= from && at < from + MINUTE_MS).length));
}
