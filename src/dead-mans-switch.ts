import { type Capture, hasEnded } from './capture/index.ts';
import type { Health } from './heartbeat.ts';
import { type Clock, MINUTE_MS } from './lib/clock.ts';
import { errorMessage } from './lib/errors.ts';
import { sha256 } from './lib/hash.ts';
import { LastingTrouble } from './lib/lasting-trouble.ts';
import type { Logger } from './lib/logger.ts';
import { redactText } from './lib/secret.ts';
import { Alarm } from './lib/wake.ts';
import { type Beat, type HeartbeatAddress, RETRY_PAUSES_MS } from './notify/index.ts';

export interface DeadMansSwitchOptions {
  /** Told again and again how the service is. */
  readonly service: readonly HeartbeatAddress[];
  /** Told of each capture. */
  readonly captures: readonly HeartbeatAddress[];
  /** How often `service` is told, ms. */
  readonly everyMs: number;
  /** How the service is, truly: whether its mailboxes answer and its work goes on. */
  readonly health: () => Health;
  /** Ids of captures that an earlier process has begun. */
  readonly begunBefore: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A service that has just started has not spoken to its mailboxes yet; by then it has, or is in trouble. */
const FIRST_BEAT_AFTER_MS = MINUTE_MS;
/** More than these wait in memory for an address that does not answer: what is older is told by the end of its capture. */
const MOST_WAITING = 50;

/**
 * Sends proofs of life to machines that raise the alarm when none comes: to each address on its own, so that one that
 * fails holds up neither another nor anything else. A beat that cannot be sent within three attempts is let go.
 */
export class DeadMansSwitch {
  readonly #options: DeadMansSwitchOptions;
  readonly #lines: readonly CaptureLine[];
  /** Captures that were told to have begun, and what was noted of them last. */
  readonly #runs: Map<string, string | undefined>;

  constructor(options: DeadMansSwitchOptions) {
    this.#options = options;
    this.#lines = options.captures.map((address) => new CaptureLine(address, options));
    this.#runs = new Map(options.begunBefore.map((id) => [id, undefined]));
  }

  /** Takes notice of captures that are new or have changed. Never throws. */
  look(captures: readonly Capture[]): void {
    for (const capture of captures) {
      for (const beat of this.#beatsOf(capture)) for (const line of this.#lines) line.put(beat);
    }
  }

  /** Goes on until the signal aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { service, everyMs, clock } = this.#options;
    const beating = service.map(async (address) => {
      const sender = new Sender(address, this.#options);
      for (let pause = Math.min(FIRST_BEAT_AFTER_MS, everyMs); !signal.aborted; pause = everyMs) {
        await clock.sleep(pause, signal).catch(() => {});
        if (!signal.aborted) await sender.send(beatOf(this.#options.health()), signal);
      }
    });
    await Promise.all([...beating, ...this.#lines.map((line) => line.run(signal))]);
  }

  #beatsOf(capture: Capture): Beat[] {
    const { id } = capture;
    const run = runOf(id);
    if (hasEnded(capture)) {
      // An ended capture is recorded once more when what it left is tidied up.
      return this.#runs.delete(id) ? [endOf(capture, run)] : [];
    }
    const beats: Beat[] = this.#runs.has(id) ? [] : [{ kind: 'begun', run }];
    const reason = 'reason' in capture.state ? capture.state.reason : undefined;
    if (reason !== undefined && reason !== this.#runs.get(id)) {
      beats.push({ kind: 'noted', run, text: `${capture.state.name}: ${reason}` });
    }
    this.#runs.set(id, reason ?? this.#runs.get(id));
    return beats;
  }
}

function beatOf(health: Health): Beat {
  return health.kind === 'healthy' ? { kind: 'alive' } : { kind: 'down', reason: health.detail };
}

function endOf({ state }: Capture, run: string): Beat {
  switch (state.name) {
    case 'committed':
      return { kind: 'done', run, text: `Kept as ${state.snapshot}.` };
    case 'duplicate':
      return { kind: 'done', run, text: `Kept before as ${state.of}.` };
    case 'unchanged':
      return { kind: 'done', run, text: `Nothing has changed since ${state.since}.` };
    case 'refused':
      return { kind: 'failed', run, reason: `The archive was refused. ${state.reason}` };
    default:
      return { kind: 'failed', run, reason: 'The link has died before the export could be fetched.' };
  }
}

/** A UUID of version 8 (RFC 9562 section 5.8) that stands for a capture, the same after a restart. */
function runOf(captureId: string): string {
  const hex = sha256(`capture ${captureId}`);
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}

/** Sends to one address, and logs when that begins to fail, then at most daily, and when it works again. */
class Sender {
  readonly #address: HeartbeatAddress;
  readonly #clock: Clock;
  readonly #trouble: LastingTrouble;

  constructor(address: HeartbeatAddress, options: Pick<DeadMansSwitchOptions, 'clock' | 'logger'>) {
    this.#address = address;
    this.#clock = options.clock;
    this.#trouble = new LastingTrouble(options);
  }

  async send(beat: Beat, signal: AbortSignal): Promise<void> {
    const { label } = this.#address;
    try {
      await this.#sendPatiently(beat, signal);
      this.#trouble.end(`${label} takes heartbeats again`);
    } catch (error) {
      if (signal.aborted) return;
      const reason = redactText(errorMessage(error));
      this.#trouble.warn(
        `A heartbeat could not be sent: ${reason}. It is tried again with the next one; backups go on.`,
      );
    }
  }

  async #sendPatiently(beat: Beat, signal: AbortSignal): Promise<void> {
    for (const pause of RETRY_PAUSES_MS) {
      try {
        return await this.#address.send(beat, { signal });
      } catch {
        await this.#clock.sleep(pause, signal);
      }
    }
    return this.#address.send(beat, { signal });
  }
}

/** The beats of captures for one address, in order. */
class CaptureLine {
  readonly #sender: Sender;
  readonly #alarm: Alarm;
  readonly #waiting: Beat[] = [];

  constructor(address: HeartbeatAddress, options: Pick<DeadMansSwitchOptions, 'clock' | 'logger'>) {
    this.#sender = new Sender(address, options);
    this.#alarm = new Alarm(options.clock);
  }

  put(beat: Beat): void {
    this.#waiting.push(beat);
    if (this.#waiting.length > MOST_WAITING) this.#waiting.shift();
    this.#alarm.wake();
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      for (let beat = this.#waiting.shift(); beat !== undefined && !signal.aborted; beat = this.#waiting.shift()) {
        await this.#sender.send(beat, signal);
      }
      await this.#alarm.sleep(Number.MAX_SAFE_INTEGER, signal);
    }
  }
}
