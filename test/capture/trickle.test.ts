import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Capture } from '../../src/capture/capture.ts';
import { hasEnded } from '../../src/capture/index.ts';
import { type CaptureEvent, step } from '../../src/capture/transitions.ts';
import type { DownloadOutcome } from '../../src/download/index.ts';
import { HOUR_MS } from '../../src/lib/clock.ts';
import type { Message } from '../../src/notify/index.ts';
import { serve, VirtualScene } from '../download/virtual-scene.ts';
import type { FakeRequest, Serving } from '../support/fake-transport.ts';
import { tempDir } from '../support/temp-dir.ts';
import { inVirtualTime } from '../support/virtual-time.ts';
import { zipLike } from '../support/zip-like.ts';
import { DEADLINE_MS, noticeCapture, SETTINGS } from './examples.ts';

const EXPORT = zipLike(20_000_000);

interface Day {
  readonly requests: readonly FakeRequest[];
  readonly told: readonly Message[];
  readonly end: Capture;
}

/** The life of a capture, by the real state machine and the real downloader, with a network that answers as told. */
async function day(answers: readonly Serving[], connections: number): Promise<Day> {
  await using directory = await tempDir();
  const stage = new VirtualScene(directory.path, answers, { body: EXPORT, connections });
  const { clock, network } = stage;
  const told: Message[] = [];
  let capture = noticeCapture({ name: 'found' });
  const meet = (event: CaptureEvent) => {
    const next = step(capture, event, { now: clock.now(), random: () => 0, settings: SETTINGS });
    capture = next.capture;
    told.push(...next.messages);
  };
  while (!hasEnded(capture)) {
    meet({ kind: 'download-started' });
    meet(eventOf(await stage.download({ deadline: DEADLINE_MS })));
    if (capture.state.name === 'waiting') await inVirtualTime(clock, clock.sleep(capture.state.until - clock.now()));
    if (capture.state.name === 'unpacking') break;
  }
  return { requests: network.requests, told, end: capture };
}

function eventOf(outcome: DownloadOutcome): CaptureEvent {
  switch (outcome.kind) {
    case 'whole':
      return { kind: 'downloaded', path: outcome.path };
    case 'interrupted':
      return { ...outcome, kind: 'download-interrupted', retryAfterMs: outcome.retryAfterMs };
    case 'expired':
      return { kind: 'deadline-passed' };
    case 'needs-login':
      throw new Error('nobody asked for a login');
  }
}

/** Of each connection, three a minute; with the shortest pauses it would be nearly 100 times as many. */
const MOST_REQUESTS_A_DAY = 4500;

describe('a server that gives out a few bytes at a time, all day', () => {
  const few = fc.record({
    afterBytes: fc.oneof(fc.nat(2), fc.nat(1000)),
    how: fc.constantFrom('quietly' as const, 'reset' as const),
  });
  const trickle = fc.array(few, { minLength: 1, maxLength: 5 });

  it('is asked less and less often, people are told, and the last attempt comes before the end', async () => {
    await fc.assert(
      fc.asyncProperty(trickle, fc.constantFrom(1, 4), async (cuts, connections) => {
        const answers = Array.from({ length: 4 * MOST_REQUESTS_A_DAY }, (_, at) => {
          const cut = cuts[at % cuts.length];
          return serve(cut === undefined ? {} : { cut, chunkBytes: 20_000 });
        });
        const { requests, told, end } = await day(answers, connections);
        assert.equal(end.state.name, 'expired');
        assert.ok(requests.length <= MOST_REQUESTS_A_DAY * connections, `${requests.length} requests`);
        assert.deepEqual([told[0]?.event, told.at(-1)?.event], ['trouble', 'expired']);
        const last = requests.at(-1)?.at ?? 0;
        assert.ok(last < DEADLINE_MS && last > DEADLINE_MS - HOUR_MS);
      }),
      { numRuns: 3 },
    );
  });
});

describe('a server that gives out a worthwhile part at a time', () => {
  it('is gone on with at once, each time', async () => {
    const part = serve({ cut: { afterBytes: 300_000, how: 'quietly' }, chunkBytes: 100_000 });
    const { requests, told, end } = await day(
      Array.from({ length: 100 }, () => part),
      1,
    );
    assert.deepEqual([end.state.name, told], ['unpacking', []]);
    assert.equal(requests.length, 67);
    assert.ok((requests.at(-1)?.at ?? 0) - (requests[0]?.at ?? 0) < 60_000);
  });
});
