import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DeadMansSwitch } from '../src/dead-mans-switch.ts';
import type { Health } from '../src/heartbeat.ts';
import { MINUTE_MS } from '../src/lib/clock.ts';
import { silentLogger } from '../src/lib/logger.ts';
import { type Beat, DeliveryError, type HeartbeatAddress } from '../src/notify/index.ts';
import { END_STATES, noticeCapture, OPEN_STATES } from './capture/examples.ts';
import { settle, VirtualClock } from './support/virtual-clock.ts';

const WELL: Health = { kind: 'healthy' };
const ILL: Health = { kind: 'unhealthy', detail: 'The mailbox is silent.' };

/** An address that takes what it is told, or does not. */
class Listening implements HeartbeatAddress {
  readonly label = 'a check';
  readonly beats: Beat[] = [];
  attempts = 0;
  isDead = false;

  async send(beat: Beat): Promise<void> {
    this.attempts += 1;
    if (this.isDead) throw new DeliveryError('It is down.');
    this.beats.push(beat);
  }

  get kinds(): string[] {
    return this.beats.map(({ kind }) => kind);
  }
}

interface Scene {
  readonly clock: VirtualClock;
  readonly service: Listening;
  readonly captures: Listening;
  readonly switch: DeadMansSwitch;
  health: Health;
}

async function scene(play: (scene: Scene) => Promise<void>, begunBefore: string[] = []): Promise<void> {
  const clock = new VirtualClock();
  const [service, captures] = [new Listening(), new Listening()];
  const stop = new AbortController();
  const playing: Scene = {
    clock,
    service,
    captures,
    health: WELL,
    switch: new DeadMansSwitch({
      service: [service, new Listening()],
      captures: [captures],
      everyMs: 5 * MINUTE_MS,
      health: () => playing.health,
      begunBefore,
      clock,
      logger: silentLogger,
    }),
  };
  const running = playing.switch.run(stop.signal);
  await play(playing);
  stop.abort();
  await running;
  assert.equal(clock.sleeping, 0);
}

describe("The dead man's switch", () => {
  it('says that the service lives a minute after the start, then at its interval', async () => {
    await scene(async ({ clock, service }) => {
      await clock.advance(MINUTE_MS - 1);
      assert.deepEqual(service.kinds, []);
      await clock.advance(1 + 10 * MINUTE_MS);
      assert.deepEqual(service.kinds, ['alive', 'alive', 'alive']);
    });
  });

  it('says what is wrong as long as something is', async () => {
    await scene(async (playing) => {
      playing.health = ILL;
      await playing.clock.advance(MINUTE_MS);
      playing.health = WELL;
      await playing.clock.advance(5 * MINUTE_MS);
      assert.deepEqual(playing.service.beats, [{ kind: 'down', reason: ILL.detail }, { kind: 'alive' }]);
    });
  });

  it('tries three times, lets go, and is back with the next beat', async () => {
    await scene(async ({ clock, service }) => {
      service.isDead = true;
      await clock.advance(3 * MINUTE_MS);
      assert.equal(service.attempts, 3);
      service.isDead = false;
      await clock.advance(5 * MINUTE_MS);
      assert.deepEqual(service.kinds, ['alive']);
    });
  });

  it('tells how a capture begins, what holds it up, and how it ends, as one run', async () => {
    await scene(async ({ switch: deadMansSwitch, captures }) => {
      deadMansSwitch.look([noticeCapture()]);
      deadMansSwitch.look([noticeCapture(OPEN_STATES.downloading)]);
      deadMansSwitch.look([noticeCapture(OPEN_STATES['needs-login'])]);
      deadMansSwitch.look([noticeCapture(OPEN_STATES['needs-login'])]);
      deadMansSwitch.look([noticeCapture(END_STATES.committed)]);
      deadMansSwitch.look([noticeCapture(END_STATES.committed)]);
      await settle();
      assert.deepEqual(captures.kinds, ['begun', 'noted', 'done']);
      assert.equal(new Set(captures.beats.map((beat) => 'run' in beat && beat.run)).size, 1);
    });
  });

  it('tells of the end of a capture that was begun before a restart, and of none that had ended', async () => {
    await scene(
      async ({ switch: deadMansSwitch, captures }) => {
        deadMansSwitch.look([noticeCapture(END_STATES.expired)]);
        deadMansSwitch.look([noticeCapture(END_STATES.committed, { id: 'another' })]);
        await settle();
        assert.deepEqual(captures.kinds, ['failed']);
      },
      [noticeCapture().id],
    );
  });

  it('keeps few beats in memory for an address that is dead', async () => {
    await scene(async ({ clock, switch: deadMansSwitch, captures }) => {
      captures.isDead = true;
      for (let n = 0; n < 1000; n += 1) deadMansSwitch.look([noticeCapture(undefined, { id: `n${n}` })]);
      await clock.advance(30 * MINUTE_MS);
      captures.isDead = false;
      assert.ok(captures.attempts <= 3 * 51);
    });
  });
});
