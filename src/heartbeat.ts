import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { Progress } from './capture/index.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from './lib/clock.ts';
import { ChatkeepError, errorCode } from './lib/errors.ts';
import { PRIVATE_FILE_MODE } from './lib/files.ts';
import { refuseNewerFormat } from './lib/format.ts';
import { formatDuration } from './lib/text.ts';
import type { MailboxState } from './mailbox/index.ts';

/** The service's proof of life, for other processes: what `status` and `healthcheck` read. Times in ms UTC. */
const heartbeatSchema = z.object({
  at: z.number(),
  pid: z.number(),
  startedAt: z.number(),
  mailboxes: z.array(
    z.object({
      name: z.string(),
      state: z.enum(['connecting', 'watching', 'waiting', 'stopped']),
      /** When the server last answered a command. */
      lastAnswer: z.number().nullable(),
      /** After how long without an answer something is wrong, ms. */
      silenceLimit: z.number(),
      trouble: z.string().nullable(),
      /** Since when it has been in trouble of any kind without a break. */
      troubleSince: z.number().nullable(),
    }),
  ),
  work: z.array(
    z.object({
      capture: z.string(),
      phase: z.enum(['downloading', 'unpacking']),
      done: z.number(),
      total: z.number().nullable(),
      /** Since when it has not moved. */
      movedAt: z.number(),
    }),
  ),
  /** When captures were last looked through for what is due; null until the first time. */
  lookedAt: z.number().nullable(),
});

export type Heartbeat = z.output<typeof heartbeatSchema>;

export const HEARTBEAT_EVERY_MS = 10 * SECOND_MS;
/** Several beats: a machine that is busy for a moment is not ill. */
const STALE_AFTER_MS = MINUTE_MS;
/** As long as people are not told of an outage, either: a server that restarts is no illness. */
const TROUBLE_LIMIT_MS = HOUR_MS;
/** The captures are looked through every few seconds; where even the journal cannot be used, that stands still. */
const LOOK_LIMIT_MS = 10 * MINUTE_MS;
/** Reading what is in a large export takes its time, and shows no progress. */
const WORK_LIMIT_MS = HOUR_MS;
/** Of the file; one without a number is as this one. */
const FORMAT = 1;
/** Clocks of containers and their hosts are the same; a beat further ahead is from a clock that was wrong. */
const FUTURE_TOLERANCE_MS = 5 * SECOND_MS;

function heartbeatPath(stateDir: string): string {
  return join(stateDir, 'heartbeat.json');
}

/** Writes the beat so that a reader sees the old or the new one, never a part. Not synced: it dies with the machine. */
export async function writeHeartbeat(stateDir: string, heartbeat: Heartbeat): Promise<void> {
  const temporary = `${heartbeatPath(stateDir)}.tmp`;
  await writeFile(temporary, JSON.stringify({ format: FORMAT, ...heartbeat }), { mode: PRIVATE_FILE_MODE });
  await rename(temporary, heartbeatPath(stateDir));
}

/** The service has stopped in good order: nobody is to take it for alive. */
export async function removeHeartbeat(stateDir: string): Promise<void> {
  await rm(heartbeatPath(stateDir), { force: true });
}

/**
 * The last beat, or undefined if there never was one that can be read.
 * @throws ChatkeepError `storage` if it is a newer Chatkeep's
 */
export async function readHeartbeat(stateDir: string): Promise<Heartbeat | undefined> {
  try {
    const path = heartbeatPath(stateDir);
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    refuseNewerFormat(value, {
      known: FORMAT,
      what: 'heartbeat',
      path,
      loss: 'the service writes one every few seconds',
    });
    return heartbeatSchema.parse(value);
  } catch (error) {
    if (error instanceof ChatkeepError || errorCode(error) === 'EACCES') throw error;
    return undefined;
  }
}

/** Remembers in which trouble a mailbox is, and since when, over all the attempts to get out of it. */
export class TroubleMemory {
  #trouble: { readonly detail: string; readonly since: number } | undefined;

  /** To be called at each change of state. */
  look(state: MailboxState, now: number): void {
    if (state.name !== 'watching' && state.name !== 'waiting') return;
    const { trouble } = state;
    this.#trouble = trouble === undefined ? undefined : { detail: trouble.detail, since: this.#trouble?.since ?? now };
  }

  /** As the heartbeat has it. */
  get current(): Pick<Heartbeat['mailboxes'][number], 'trouble' | 'troubleSince'> {
    return { trouble: this.#trouble?.detail ?? null, troubleSince: this.#trouble?.since ?? null };
  }
}

/** Remembers since when the work on each capture has not moved. */
export class WorkMemory {
  #moved = new Map<string, { readonly phase: string; readonly done: number; readonly at: number }>();

  /** The work as the heartbeat has it. @param progress how far each capture is, by its id */
  look(progress: ReadonlyMap<string, Progress>, now: number): Heartbeat['work'] {
    const work = [...progress].map(([capture, { phase, done, total = null }]) => {
      const before = this.#moved.get(capture);
      const hasMoved = before === undefined || before.phase !== phase || before.done !== done;
      return { capture, phase, done, total, movedAt: hasMoved ? now : before.at };
    });
    this.#moved = new Map(work.map(({ capture, phase, done, movedAt }) => [capture, { phase, done, at: movedAt }]));
    return work;
  }
}

export type Health =
  | { readonly kind: 'healthy' }
  | { readonly kind: 'not-running'; readonly detail: string }
  | { readonly kind: 'unhealthy'; readonly detail: string };

/** Whether the service lives, truly speaks with its mailboxes, and is not in trouble with one of them for long. */
export function judgeHealth(heartbeat: Heartbeat | undefined, now: number): Health {
  if (heartbeat === undefined) return { kind: 'not-running', detail: 'The service does not run.' };
  const age = now - heartbeat.at;
  if (age < -FUTURE_TOLERANCE_MS) {
    return { kind: 'unhealthy', detail: 'The last sign of life is from the future: the clock was set back.' };
  }
  if (age > STALE_AFTER_MS) {
    return { kind: 'not-running', detail: `The last sign of life of the service is ${formatDuration(age)} old.` };
  }
  const [complaint] = [
    ...heartbeat.mailboxes.flatMap((mailbox) => complaintOf(mailbox, heartbeat.startedAt, now) ?? []),
    ...workComplaints(heartbeat, now),
  ];
  return complaint === undefined ? { kind: 'healthy' } : { kind: 'unhealthy', detail: complaint };
}

/** Whether the work goes on. */
function workComplaints({ lookedAt, startedAt, work }: Heartbeat, now: number): string[] {
  const idleFor = now - (lookedAt ?? startedAt);
  return [
    ...(idleFor > LOOK_LIMIT_MS
      ? [`No capture could be looked after for ${formatDuration(idleFor)}: the journal cannot be used.`]
      : []),
    ...work
      .filter(({ movedAt }) => now - movedAt > WORK_LIMIT_MS)
      .map(
        ({ capture, phase, movedAt }) =>
          `The capture ${capture} has not moved for ${formatDuration(now - movedAt)}, while ${phase}.`,
      ),
  ];
}

/** What is wrong with a mailbox for longer than it may be; undefined if nothing is. */
function complaintOf(
  { name, lastAnswer, silenceLimit, trouble, troubleSince }: Heartbeat['mailboxes'][number],
  startedAt: number,
  now: number,
): string | undefined {
  const silentFor = now - (lastAnswer ?? startedAt);
  if (silentFor > silenceLimit) {
    // Who is refused was answered.
    return trouble === null
      ? `The mailbox "${name}" has not answered for ${formatDuration(silentFor)}.`
      : `The mailbox "${name}" could not be used for ${formatDuration(silentFor)}. ${trouble}`;
  }
  if (trouble === null || troubleSince === null || now - troubleSince <= TROUBLE_LIMIT_MS) return undefined;
  return `The mailbox "${name}" has been in trouble for ${formatDuration(now - troubleSince)}. ${trouble}`;
}
