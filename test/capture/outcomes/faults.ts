import type { Fault } from '../../support/openai/server.ts';

/** What a capture comes to. */
export interface Ending {
  readonly state: 'committed' | 'waiting' | 'needs-login' | 'refused' | 'expired';
  /** The events that people are told of, in order; a `?` marks one that may be left out. */
  readonly told: readonly string[];
}

/** One thing that goes wrong, and what it must come to. */
export interface FaultCase {
  /** What the first requests meet, one after the other. */
  readonly first?: readonly Fault[];
  /** What all others meet. `link` is the export's own. */
  readonly always?: (link: string) => Fault;
  /** The link is signed for another export; or it is dead by the server's clock, or by its own deadline as well. */
  readonly link?: 'forged' | 'dead-for-server' | 'dead';
  /** The export is another one from the second request on. */
  readonly changesAfterFirst?: true;
  /** What its trouble is called, wherever it is told. */
  readonly says?: RegExp;
  /** Links of the Azure form, for which no login is needed. */
  readonly azure: Ending;
  /** Links of the estuary form, with a login that the server lets in. */
  readonly letIn: Ending;
  /** The same with a login that the server denies. One that cannot be used at all never gets as far as a fault. */
  readonly denied: Ending;
  /** What differs where the bytes come through a page of a browser. */
  readonly inPage?: { readonly ending?: Ending; readonly says?: RegExp };
}

const KEPT: Ending = { state: 'committed', told: ['snapshot-committed'] };
const LOGIN_WANTED: Ending = { state: 'needs-login', told: ['needs-login'] };
/** A login with several ways in may get in by the next. */
const KEPT_AT_LAST: Ending = { state: 'committed', told: ['needs-login?', 'snapshot-committed'] };
const GOES_ON_TRYING: Ending = { state: 'waiting', told: ['trouble'] };
const LOST: Ending = { state: 'expired', told: ['expired'] };

/** Nobody who is let in notices, and who is not let in gets no further than without it. */
const UNNOTICED = { azure: KEPT, letIn: KEPT, denied: LOGIN_WANTED } as const;
/** It lasts, and whoever comes is told the same. */
const HELD_UP = { azure: GOES_ON_TRYING, letIn: GOES_ON_TRYING, denied: GOES_ON_TRYING } as const;
/** It looks like a login that is wanted, but not where none is needed. */
const LIKE_A_LOGIN = { azure: GOES_ON_TRYING, letIn: LOGIN_WANTED, denied: LOGIN_WANTED } as const;
const LIKE_A_LOGIN_ONCE = { azure: KEPT, letIn: KEPT_AT_LAST, denied: LOGIN_WANTED } as const;

/** How a cut comes, each time after so many bytes; the archive has three times as many. */
export const SOME_BYTES = 30_000;
const CUT: Fault = { kind: 'reset', afterBytes: SOME_BYTES };

/** An answer in the place of the archive, and what it is like. */
interface WrongAnswer extends Pick<FaultCase, 'inPage'> {
  readonly fault: (link: string) => Fault;
  readonly says: RegExp;
  readonly like: 'login' | 'trouble';
}

/** What an answer in the place of the archive may be, once or for good. */
const ANSWERS: Readonly<Record<string, WrongAnswer>> = {
  'too many requests': { fault: () => ({ kind: 'status', status: 429, retryAfter: 1 }), says: /429/, like: 'trouble' },
  'too many requests until a date': {
    fault: () => ({ kind: 'status', status: 429, retryAfter: new Date(Date.now() + 60_000) }),
    says: /429/,
    like: 'trouble',
  },
  'a service that is not available': { fault: () => ({ kind: 'status', status: 503 }), says: /503/, like: 'trouble' },
  'the login page in the place of the archive': {
    fault: () => ({ kind: 'login-page' }),
    says: /web page/i,
    like: 'login',
  },
  'a challenge with status 403': {
    fault: () => ({ kind: 'challenge', status: 403 }),
    says: /browser check|challenge/,
    like: 'login',
  },
  'a challenge with status 503': {
    fault: () => ({ kind: 'challenge', status: 503 }),
    says: /browser check|challenge/,
    like: 'login',
  },
  'a redirect to the sign-in': {
    fault: () => ({ kind: 'redirect', status: 302, location: '/auth/login?next=%2F' }),
    says: /sign-in/,
    like: 'login',
  },
  'a redirect to the sign-in of OpenAI': {
    fault: () => ({ kind: 'redirect', status: 307, location: 'https://auth.openai.com/authorize' }),
    says: /sign-in page \(auth\.openai\.com\)/,
    like: 'login',
  },
  'a redirect to a stranger': {
    fault: (link) => ({ kind: 'redirect', status: 301, location: `https://evil.test/?${new URL(link).search}` }),
    says: /evil\.test/,
    like: 'trouble',
  },
  'a redirect inside': {
    fault: () => ({ kind: 'redirect', status: 308, location: 'http://169.254.169.254/latest/meta-data/' }),
    says: /169\.254\.169\.254/,
    like: 'trouble',
  },
  'a redirect to nowhere': {
    fault: () => ({ kind: 'redirect', status: 303, location: 'https://[' }),
    says: /nowhere/,
    like: 'trouble',
    // Chromium makes no answer of it.
    inPage: { says: /gave the browser no answer/ },
  },
};

/** What comes in the place of the archive, and what it must come to with each kind of link. */
export const WRONG_ANSWERS: Readonly<Record<string, FaultCase>> = {
  nothing: UNNOTICED,
  'a link that was changed': { link: 'forged', says: /403/, ...LIKE_A_LOGIN },
  'a link that is dead by the clock of the server alone': { link: 'dead-for-server', says: /403/, ...LIKE_A_LOGIN },
  'a link that is dead': { link: 'dead', azure: LOST, letIn: LOST, denied: LOST },
  ...Object.fromEntries(
    Object.entries(ANSWERS).flatMap(([name, { fault, like, ...words }]): [string, FaultCase][] => [
      [`${name}, for good`, { always: fault, ...words, ...(like === 'login' ? LIKE_A_LOGIN : HELD_UP) }],
      [
        `${name}, once`,
        { first: [fault('https://localhost/')], ...(like === 'login' ? LIKE_A_LOGIN_ONCE : UNNOTICED) },
      ],
    ]),
  ),
  'a redirect to itself, for good': {
    always: (location) => ({ kind: 'redirect', status: 302, location }),
    says: /in a circle/,
    ...HELD_UP,
  },
};

/** What befalls the archive on its way, and what it must come to with each kind of link. */
export const WRONG_BYTES: Readonly<Record<string, FaultCase>> = {
  'an end in silence, once': {
    first: [{ kind: 'stop', afterBytes: SOME_BYTES, framing: 'content-length' }],
    ...UNNOTICED,
  },
  'an end in silence, each time': {
    always: () => ({ kind: 'stop', afterBytes: SOME_BYTES, framing: 'content-length' }),
    ...UNNOTICED,
  },
  'an end that looks whole, once': {
    first: [{ kind: 'stop', afterBytes: SOME_BYTES, framing: 'chunked' }],
    ...UNNOTICED,
  },
  'an end that looks whole, each time': {
    always: () => ({ kind: 'stop', afterBytes: SOME_BYTES, framing: 'chunked' }),
    ...UNNOTICED,
  },
  'an end in silence before the first byte, for good': {
    always: () => ({ kind: 'stop', afterBytes: 0, framing: 'content-length' }),
    ...HELD_UP,
    denied: LOGIN_WANTED,
  },
  'a reset, once': { first: [CUT], ...UNNOTICED },
  'a reset, each time': { always: () => CUT, ...UNNOTICED },
  'a reset before the first byte, for good': {
    always: () => ({ kind: 'reset', afterBytes: 0 }),
    ...HELD_UP,
    denied: LOGIN_WANTED,
  },
  'a stall, once': { first: [{ kind: 'stall', afterBytes: SOME_BYTES }], ...UNNOTICED },
  'a stall before the first byte, for good': {
    always: () => ({ kind: 'stall', afterBytes: 0 }),
    says: /sent nothing/,
    ...HELD_UP,
    denied: LOGIN_WANTED,
  },
  'a slow line': { always: () => ({ kind: 'slow', bytesPerSecond: 2_000_000 }), ...UNNOTICED },

  'another export under the same link': { first: [CUT, { kind: 'changed' }], ...UNNOTICED },
  'a length that promises more, once': { first: [{ kind: 'long-content-length', extraBytes: 100 }], ...UNNOTICED },
  'a length that promises more, each time': {
    always: () => ({ kind: 'long-content-length', extraBytes: 100 }),
    ...UNNOTICED,
  },
  'the wrong part': { first: [CUT, { kind: 'wrong-content-range', shiftBytes: 5 }], ...UNNOTICED },
  'the wrong part, each time': {
    first: [CUT],
    always: () => ({ kind: 'wrong-content-range', shiftBytes: 5 }),
    ...UNNOTICED,
    // There all is asked for as a part, too.
    inPage: { ending: GOES_ON_TRYING, says: /another part/ },
  },
  'the whole in the place of a part': { first: [CUT, { kind: 'ignores-range' }], ...UNNOTICED },
  'the whole in the place of a part, each time': {
    first: [CUT],
    always: () => ({ kind: 'ignores-range' }),
    ...UNNOTICED,
  },
  "another export's part": {
    first: [CUT, { kind: 'ignores-if-range' }],
    changesAfterFirst: true,
    ...UNNOTICED,
  },

  'a checksum that fits nothing, once': { first: [{ kind: 'wrong-content-md5' }], ...UNNOTICED },
  'a checksum that fits nothing, for good': {
    always: () => ({ kind: 'wrong-content-md5' }),
    says: /checksum/,
    ...HELD_UP,
    denied: LOGIN_WANTED,
  },
  // Azure sends a checksum; of the estuary's archives only the CRCs inside tell.
  'a wrong byte, once': {
    first: [{ kind: 'corrupt', atByte: 2 * SOME_BYTES }],
    azure: KEPT,
    // A login that is denied first takes the fault upon itself.
    letIn: { state: 'committed', told: ['refused-archive?', 'snapshot-committed'] },
    denied: LOGIN_WANTED,
  },
  'a wrong byte, for good': {
    always: () => ({ kind: 'corrupt', atByte: 2 * SOME_BYTES }),
    azure: GOES_ON_TRYING,
    letIn: { state: 'refused', told: ['refused-archive', 'refused-archive', 'refused-archive'] },
    denied: LOGIN_WANTED,
  },
};
