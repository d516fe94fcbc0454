import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HOUR_MS, MINUTE_MS } from '../../src/lib/clock.ts';
import { type MailboxState, type MailboxTrouble, OutageTracker } from '../../src/mailbox/index.ts';

const watching: MailboxState = { name: 'watching', since: 0, lastAnswer: 0, trouble: undefined };
const connecting: MailboxState = { name: 'connecting', attempt: 1 };

function waiting(kind: MailboxTrouble['kind']): MailboxState {
  return { name: 'waiting', until: 0, attempt: 1, trouble: { kind, detail: 'why' } };
}

/** What is told when the states come at these minutes. */
function told(...states: [minute: number, state: MailboxState][]): [minute: number, kind: string][] {
  const tracker = new OutageTracker();
  return states.flatMap(([minute, state]): [number, string][] => {
    const news = tracker.look(state, minute * MINUTE_MS);
    return news === undefined ? [] : [[minute, news.kind]];
  });
}

describe('An outage of a mailbox', () => {
  const away = waiting('unreachable');

  it('is told once, after an hour', () => {
    assert.deepEqual(told([0, watching], [5, away], [64, away], [65, away], [66, away], [600, away]), [
      [65, 'unreachable'],
    ]);
  });

  it('is not told when it is over before', () => {
    assert.deepEqual(told([0, away], [30, connecting], [59, watching], [60, away], [119, away]), []);
  });

  it('is told to be over, if it was told of', () => {
    assert.deepEqual(told([0, away], [60, away], [61, connecting], [61, watching], [62, watching]), [
      [60, 'unreachable'],
      [61, 'recovered'],
    ]);
  });

  it('is told of again when it comes again', () => {
    const states: [number, MailboxState][] = [0, 1, 2].flatMap((round): [number, MailboxState][] => [
      [round * 100, away],
      [round * 100 + 60, away],
      [round * 100 + 70, watching],
    ]);
    assert.equal(told(...states).length, 6);
  });

  it('is told at once where the sign-in is refused, and once', () => {
    const refused = waiting('sign-in-refused');
    assert.deepEqual(told([0, connecting], [0, refused], [20, refused], [300, refused], [400, watching]), [
      [0, 'sign-in-refused'],
      [400, 'recovered'],
    ]);
  });

  it('that turns into a refused sign-in is told as that, too', () => {
    assert.deepEqual(told([0, away], [60, away], [61, waiting('sign-in-refused')], [90, away], [200, away]), [
      [60, 'unreachable'],
      [61, 'sign-in-refused'],
    ]);
  });

  it('says since when', () => {
    const tracker = new OutageTracker();
    tracker.look(away, 7);
    assert.deepEqual(tracker.look(away, 7 + HOUR_MS), {
      kind: 'unreachable',
      since: 7,
      trouble: { kind: 'unreachable', detail: 'why' },
    });
    assert.deepEqual(tracker.look(watching, 8 + HOUR_MS), { kind: 'recovered', since: 7 });
  });
});
