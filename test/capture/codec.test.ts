import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Awaited } from '../../src/capture/awaited.ts';
import type { Archive, Capture, CaptureOrigin, CaptureState } from '../../src/capture/capture.ts';
import { decodeAwaited, decodeCapture, encodeAwaited, encodeCapture } from '../../src/capture/codec.ts';
import { Secret } from '../../src/lib/secret.ts';
import { LINK, LOGIN_TROUBLE, noticeCapture, OPEN_STATES } from './examples.ts';

/** As the program makes them: with a prototype. */
const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(model, { noNullPrototype: true });
const text = fc.string({ unit: 'binary', maxLength: 40 });
const time = fc.maxSafeNat();
const attempt = fc.nat();
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

const archive = record<Archive>({
  path: text,
  afterwards: fc.constantFrom('delete', 'keep'),
  from: fc.constantFrom('download', 'user'),
});

const state: fc.Arbitrary<CaptureState> = fc.oneof(
  fc.constant({ name: 'found' as const }),
  record({ name: fc.constant('downloading' as const), attempt }),
  record({
    name: fc.constant('waiting' as const),
    until: time,
    attempt,
    reason: text,
    next: fc.oneof(
      fc.constant({ name: 'download' as const }),
      record({ name: fc.constant('unpack' as const), archive }),
    ),
  }),
  record({
    name: fc.constant('needs-login' as const),
    since: time,
    until: time,
    attempt,
    reason: text,
    logins: text,
  }),
  record({ name: fc.constant('unpacking' as const), archive, attempt }),
  record({
    name: fc.constant('committed' as const),
    at: time,
    snapshot: text,
    leftover: maybe(record({ path: text, sha256: text })),
  }),
  record({
    name: fc.constant('duplicate' as const),
    at: time,
    of: text,
    leftover: maybe(record({ path: text, sha256: text })),
  }),
  record({ name: fc.constant('refused' as const), at: time, reason: text, kept: maybe(text) }),
  record({ name: fc.constant('expired' as const), at: time }),
);

const origin: fc.Arbitrary<CaptureOrigin> = fc.oneof(
  record({ kind: fc.constant('file' as const), name: text }),
  record({
    kind: fc.constant('notice' as const),
    provider: text,
    mailbox: text,
    messageId: maybe(text),
    receivedAt: time,
    proof: text,
    deadline: time,
    link: maybe(text.map((link) => new Secret(link))),
  }),
);

const troubleKind = fc.constantFrom('login' as const, 'download' as const, 'storage' as const, 'failure' as const);

const capture = record<Capture>({
  id: text,
  exportId: maybe(text),
  origin,
  exportTime: maybe(time),
  account: maybe(text),
  foundAt: time,
  damagedArchives: fc.nat(),
  waitedMs: fc.nat(),
  trouble: maybe(
    record({ kind: troubleKind, since: time, attempts: attempt, lastAt: time, detail: text, tellAt: maybe(time) }),
  ),
  told: fc.dictionary(troubleKind, time, { noNullPrototype: true }),
  state,
});

/** The capture as it was written before there were reminders. */
function withoutReminders(original: Capture): string {
  const { told: _told, waitedMs: _waited, trouble, ...rest } = JSON.parse(encodeCapture(original));
  return JSON.stringify({ ...rest, trouble: trouble === null ? null : { kind: trouble.kind, since: trouble.since } });
}

function linkOf({ origin }: Capture): string | undefined {
  return origin.kind === 'notice' ? origin.link?.reveal() : undefined;
}

describe('A capture in the journal', () => {
  it('is read as it was written, whatever is in it, its link included', () => {
    fc.assert(
      fc.property(capture, (original) => {
        const decoded = decodeCapture(encodeCapture(original));
        assert.deepEqual(decoded, original);
        assert.equal(linkOf(decoded), linkOf(original));
      }),
      { numRuns: 1000 },
    );
  });

  it('has its link as a secret again', () => {
    const decoded = decodeCapture(encodeCapture(noticeCapture()));
    assert.ok(decoded.origin.kind === 'notice' && decoded.origin.link instanceof Secret);
    assert.equal(decoded.origin.link.reveal(), LINK);
    assert.doesNotMatch(JSON.stringify(decoded), /estuary/);
  });

  it('is refused when any part of it is missing', () => {
    const whole: Record<string, unknown> = JSON.parse(encodeCapture(noticeCapture()));
    for (const key of Object.keys(whole).filter((name) => name !== 'told' && name !== 'waitedMs')) {
      const { [key]: _left, ...rest } = whole;
      assert.throws(() => decodeCapture(JSON.stringify(rest)), { name: 'ZodError' }, key);
    }
  });

  it('which was written before there were reminders counts as told of what troubled it', () => {
    const troubled = noticeCapture(OPEN_STATES['needs-login'], { trouble: LOGIN_TROUBLE });
    const { trouble, told } = decodeCapture(withoutReminders(troubled));
    const { kind, since } = LOGIN_TROUBLE;
    const known = { kind, since, attempts: 1, lastAt: since, detail: '', tellAt: undefined };
    assert.deepEqual([trouble, told], [known, { login: since }]);
    assert.deepEqual(decodeCapture(withoutReminders(noticeCapture())), noticeCapture());
  });

  for (const [what, garbage] of [
    ['nothing', ''],
    ['text that is not JSON', '{"id": '],
    ['JSON of another shape', '[]'],
    ['a state that there is not', encodeCapture(noticeCapture()).replace('"found"', '"lost"')],
    ['an origin that there is not', encodeCapture(noticeCapture()).replace('"notice"', '"rumour"')],
  ] as const) {
    it(`is refused when it is ${what}`, () => assert.throws(() => decodeCapture(garbage)));
  }
});

describe('What is awaited', () => {
  const awaited = record<Awaited>({
    mailbox: text,
    provider: text,
    cameAt: maybe(time),
    requests: fc.array(record({ askedAt: time, seenAt: time, remindedAt: maybe(time) }), { maxLength: 5 }),
  });

  it('comes back from the journal as it went in', () => {
    fc.assert(fc.property(awaited, (each) => assert.deepEqual(decodeAwaited(encodeAwaited(each)), each)));
  });
});
