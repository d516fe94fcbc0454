import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { HEADERS_MOST_BYTES, HEADERS_MOST_LINES } from '../../src/notice/headers.ts';
import { NOTICE_MOST_BYTES } from '../../src/notice/index.ts';
import { EMAIL_KINDS, EMAIL_LANGUAGES, type EmailOptions, wrapLink } from '../support/openai/emails/index.ts';
import { AZURE_LINK, ESTUARY_LINK, email } from './messages.ts';
import { ReadingThread } from './reading-thread.ts';

/*
 * No input makes the reader of messages throw or run long, whatever it is: any bytes, any damage to any mail of the
 * provider, any depth of MIME, any pieces over and over up to the largest size that is taken. A thread reads, with a
 * limit to its processor time.
 */

const thread = new ReadingThread();
after(() => thread[Symbol.asyncDispose]());

const KINDS = ['ready', 'started', 'refused', 'undecided', 'unrelated'];

async function readable(source: Uint8Array): Promise<Awaited<ReturnType<ReadingThread['read']>>> {
  const outcome = await thread.read('message', source);
  assert.ok(KINDS.includes(outcome.kind), outcome.kind);
  return outcome;
}

/** Any mail that the provider is known to send, or that its mails become on their way. */
const mail: fc.Arbitrary<Partial<EmailOptions>> = fc.record({
  kind: fc.oneof(fc.constant('ready' as const), fc.constantFrom(...EMAIL_KINDS)),
  language: fc.constantFrom(...EMAIL_LANGUAGES),
  shape: fc.constantFrom('html-only', 'multipart', 'text-only', 'nested'),
  textLink: fc.constantFrom('bracketed', 'bare', 'hard-wrapped'),
  encoding: fc.constantFrom('quoted-printable', 'base64'),
  journey: fc.constantFrom('direct', 'forwarded', 'outlook-changed'),
  link: fc.constantFrom(ESTUARY_LINK, AZURE_LINK, wrapLink(ESTUARY_LINK, 'mandrill'), wrapLink(AZURE_LINK, 'google')),
});

type Damage = (source: Buffer) => Buffer;

/** Something done to a message, at places given as shares of its length. */
const place = fc.double({ min: 0, max: 1, noNaN: true });
const length = fc.nat({ max: 2_000 });
const damage: fc.Arbitrary<Damage> = fc.oneof(
  fc.tuple(place, fc.uint8Array({ maxLength: 60 })).map(
    ([at, bytes]): Damage =>
      (source) =>
        spliced(source, at, 0, bytes),
  ),
  fc.tuple(place, length).map(
    ([at, remove]): Damage =>
      (source) =>
        spliced(source, at, remove),
  ),
  fc.tuple(place, fc.nat({ max: 255 })).map(
    ([at, byte]): Damage =>
      (source) =>
        spliced(source, at, 1, Buffer.from([byte])),
  ),
  fc.tuple(place, fc.nat({ max: 400 }), fc.nat({ max: 40 })).map(
    ([at, remove, times]): Damage =>
      (source) =>
        spliced(source, at, 0, Buffer.concat(Array<Buffer>(times).fill(pieceOf(source, at, remove)))),
  ),
  fc.tuple(place, place, length).map(
    ([at, to, remove]): Damage =>
      (source) =>
        spliced(spliced(source, at, remove), to, 0, pieceOf(source, at, remove)),
  ),
  place.map(
    (at): Damage =>
      (source) =>
        spliced(source, at, source.length),
  ),
);

function spliced(source: Buffer, share: number, remove: number, insert: Uint8Array = new Uint8Array()): Buffer {
  const at = Math.floor(share * source.length);
  return Buffer.concat([source.subarray(0, at), insert, source.subarray(at + remove)]);
}

function pieceOf(source: Buffer, share: number, bytes: number): Buffer {
  const at = Math.floor(share * source.length);
  return source.subarray(at, at + bytes);
}

/** A part of a message, with parts in it, headers in disorder, and boundaries that may be anybody's. */
const { part } = fc.letrec<{ part: string; parts: string[] }>((tie) => ({
  parts: fc.array(tie('part'), { maxLength: 4 }),
  part: fc.oneof(
    { maxDepth: 12, depthSize: 'large' },
    fc
      .tuple(
        fc.constantFrom('text/plain', 'text/html', 'TEXT/HTML', 'image/gif', 'message/rfc822', 'x', ''),
        fc.constantFrom('utf-8', 'utf-16', 'utf-7', 'iso-2022-jp', 'x-unknown', 'us-ascii', '"'),
        fc.constantFrom('base64', 'quoted-printable', '8bit', 'x-uuencode', 'x'),
        fc.constantFrom('', 'Content-Disposition: inline\r\n', 'Content-Disposition: attachment; filename*0*=x\r\n'),
        fc.oneof(fc.string(), fc.constant(`<a href="${ESTUARY_LINK}">`), fc.constant(`=\r\n${AZURE_LINK}`)),
      )
      .map(
        ([type, charset, encoding, disposition, text]) =>
          `Content-Type: ${type}; charset=${charset}\r\nContent-Transfer-Encoding: ${encoding}\r\n${disposition}\r\n${text}\r\n`,
      ),
    fc
      .tuple(
        fc.constantFrom('mixed', 'alternative', 'related', 'digest'),
        fc.constantFrom('a', 'b', '"c d"'),
        tie('parts'),
      )
      .map(([type, boundary, parts]) => {
        const bare = boundary.replaceAll('"', '');
        const inner = parts.map((each) => `--${bare}\r\n${each}\r\n`).join('');
        return `Content-Type: multipart/${type}; boundary=${boundary}\r\n\r\n${inner}--${bare}--\r\n`;
      }),
    tie('part').map((inner) => `Content-Type: message/rfc822\r\n\r\nFrom: x@y.test\r\n${inner}`),
  ),
}));

/** What readers of mail, of addresses, of HTML and of links look for. */
const PIECES = [
  ...[
    '<',
    '>',
    '"',
    "'",
    '(',
    ')',
    '[',
    ']',
    ':',
    ';',
    ',',
    '@',
    '\\',
    '=',
    '?',
    '&',
    '%',
    '#',
    '.',
    '/',
    '-',
    '+',
    '*',
  ],
  ...[' ', '\t', '\r\n ', '\r\n', '\r', '\n', '\0', '\u00ff', 'a', '0'],
  ...['=?utf-8?q?', '=?utf-8?b?', '?=', '=20', '=\r\n', "*0*=utf-8''%41", 'boundary=', '--a', '--a--', 'begin 644 x'],
  ...['dkim=pass', 'dmarc=pass', 'header.from=tm.openai.com', 'mx.test', 'v=1', 'b=', 'h=from:', 'l=1'],
  ...[
    'noreply@tm.openai.com',
    '<x@evil.test>',
    'https://',
    'http://a.test/',
    '<a href="',
    '<!--',
    '-->',
    '<svg><title>',
  ],
  ...['&amp;', '&#x3D;', '&#', '</a>', '<![CDATA[', '%2f', 'xn--', ESTUARY_LINK, wrapLink(ESTUARY_LINK, 'safelinks')],
] as const;

/** Few pieces, over and over. */
const repeated = fc.array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 4 }).map((pieces) => pieces.join(''));

const FIELDS = [
  ...['From', 'To', 'Cc', 'Subject', 'Date', 'Message-ID', 'References', 'Received', 'List-Unsubscribe', 'X-A'],
  ...['Content-Type', 'Content-Disposition', 'Content-Transfer-Encoding', 'DKIM-Signature', 'ARC-Seal'],
  ...['Authentication-Results', 'Content-Type: multipart/mixed; boundary', 'Content-Type: text/html; charset'],
] as const;

const bodyHeaders = fc.constantFrom(
  '',
  'Content-Type: text/html\r\n',
  'Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n',
  'Content-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n',
  'Content-Type: text/plain; format=flowed; delsp=yes\r\n',
  'Content-Type: multipart/mixed; boundary=a\r\n',
  'Content-Type: message/rfc822\r\n',
);

const HONEST_HEAD = 'From: noreply@tm.openai.com\r\nSubject: ChatGPT - Your data export is ready\r\n';

function filled(piece: string, bytes: number): string {
  return piece.repeat(Math.floor(bytes / Buffer.byteLength(piece)));
}

describe('A message', () => {
  it('of any bytes is read', async () => {
    const bytes = fc.uint8Array({ maxLength: 20_000, size: 'max' });
    await fc.assert(
      fc.asyncProperty(bytes, fc.boolean(), async (body, isOurs) => {
        const head = Buffer.from(isOurs ? HONEST_HEAD : '');
        assert.notEqual((await readable(Buffer.concat([head, body]))).kind, 'ready');
      }),
      { numRuns: 100 },
    );
  });

  it('of the provider, in any language and form, is read however it is damaged, and leads nowhere else', async () => {
    await fc.assert(
      fc.asyncProperty(mail, fc.array(damage, { maxLength: 6 }), async (options, damages) => {
        const { link } = await readable(damages.reduce((source, hurt) => hurt(source), await email(options)));
        assert.ok([undefined, ESTUARY_LINK, AZURE_LINK].includes(link), link);
      }),
      { numRuns: 200 },
    );
  });

  it('of parts in parts is read, however deep and broken they are', async () => {
    await fc.assert(
      fc.asyncProperty(part, async (text) => {
        await readable(Buffer.from(`${HONEST_HEAD}${text}`, 'latin1'));
      }),
      { numRuns: 150 },
    );
  });

  it('is read as far as is needed where a thousand parts are in one another', async () => {
    for (const depth of [50, 99, 1_000, 8_000]) {
      const opened = Array.from(
        { length: depth },
        (_, at) => `Content-Type: multipart/mixed; boundary=b${at}\r\n\r\n--b${at}\r\n`,
      );
      await readable(Buffer.from(`${HONEST_HEAD}${opened.join('')}\r\n${ESTUARY_LINK}`));
    }
  });

  it('is read in time, whatever stands in a field over and over up to the longest header', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...FIELDS), repeated, async (field, piece) => {
        const separator = field.includes('; ') ? '=' : ': ';
        const head = `${field === 'From' ? '' : HONEST_HEAD}${field}${separator}`;
        const source = Buffer.from(`${head}${filled(piece, HEADERS_MOST_BYTES - head.length - 10)}\r\n\r\nx`);
        await readable(source);
      }),
      { numRuns: 40 },
    );
  });

  it('is read in time where a signature has as many lines as a header may have, none of them a field', async () => {
    const head = `${HONEST_HEAD}DKIM-Signature: `;
    const lines = HEADERS_MOST_LINES - head.split('\n').length;
    for (const count of [lines, 20 * lines]) await readable(Buffer.from(`${head}${'\n<'.repeat(count)}\r\n\r\nx`));
  });

  it('is read in time, whatever stands in its body over and over up to the largest size', async () => {
    await fc.assert(
      fc.asyncProperty(bodyHeaders, repeated, async (headers, piece) => {
        const head = `${HONEST_HEAD}${headers}\r\n`;
        const source = Buffer.from(`${head}${filled(piece, NOTICE_MOST_BYTES - head.length)}`);
        assert.ok(source.length <= NOTICE_MOST_BYTES);
        await readable(source);
      }),
      { numRuns: 40 },
    );
  });
});

describe('Text is read in time, whatever stands in it over and over', () => {
  for (const [reader, what, bytes] of [
    ['results', 'as Authentication-Results', 1_000_000],
    ['sender', 'as a sender', HEADERS_MOST_BYTES],
    ['links', 'as links, in text and in HTML', 1_000_000],
  ] as const) {
    it(what, async () => {
      await fc.assert(
        fc.asyncProperty(repeated, fc.constantFrom('', 'mx.test; ', 'https://chatgpt.com/'), async (piece, begin) => {
          await thread.read(reader, Buffer.from(`${begin}${filled(piece, bytes)}`));
        }),
        { numRuns: 40 },
      );
    });
  }
});
