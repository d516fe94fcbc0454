import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { HEADERS_MOST_BYTES } from '../../src/notice/headers.ts';
import { MOST_HOPS } from '../../src/notice/hidden-links.ts';
import { NOTICE_MOST_BYTES } from '../../src/notice/index.ts';
import { ReadingThread } from './reading-thread.ts';

/*
 * Messages as large as are taken, made of what a careless parser is slow at: work that grows with the square of their
 * size would take minutes here, and run into the limit of the thread that reads.
 */

const HEADER = HEADERS_MOST_BYTES - 1_000;
const BODY = NOTICE_MOST_BYTES - 1_000;
const FROM = 'From: noreply@tm.openai.com\r\n';
const NOTICE = `${FROM}Subject: ChatGPT - Your data export is ready\r\n`;
const SIGNED = 'v=1; a=rsa-sha256; d=tm.openai.com; s=s1; bh=x; b=y; h=from';

const over = (piece: string, size: number): string => piece.repeat(Math.floor(size / piece.length));
const text = (piece: string): string => `${NOTICE}\r\n${over(piece, BODY)}`;
const html = (piece: string): string => `${NOTICE}Content-Type: text/html\r\n\r\n${over(piece, BODY)}`;

const HOSTILE: Readonly<Record<string, string>> = {
  'a sender with commas': `From: ${over('a@b,', HEADER)}\r\n\r\n`,
  'a sender with quotes': `From: ${over('"', HEADER)}\r\n\r\n`,
  'a sender with brackets': `From: ${over('<', HEADER)}\r\n\r\n`,
  'a sender with comments': `From: ${over('(', HEADER)}x@y.test\r\n\r\n`,
  'a sender with groups': `From: ${over('a:b@c,', HEADER)};\r\n\r\n`,
  'a subject of encoded words': `${FROM}Subject: ${over('=?utf-8?q?a?= ', HEADER)}\r\n\r\n`,
  'a subject of prefixes': `${FROM}Subject: ${over('fwd: ', HEADER)}chatgpt - data export\r\n\r\n`,
  'a subject of spaces': `${FROM}Subject: chatgpt ${over(' ', HEADER)}- data export\r\n\r\n`,
  'recipients with commas': `${NOTICE}To: ${over('a@b,', HEADER)}\r\n\r\n`,
  'recipients in groups': `${NOTICE}Cc: ${over('a:b@c;,', HEADER)}\r\n\r\n`,
  'recipients that are encoded words': `${NOTICE}To: ${over('=?utf-8?q?a?= ', HEADER)}\r\n\r\n`,
  references: `${NOTICE}References: ${over('<a@b> ', HEADER)}\r\n\r\n`,
  'addresses of a list': `${NOTICE}List-Unsubscribe: ${over('<mailto:a@b>, ', HEADER)}\r\n\r\n`,
  'many hops': `${NOTICE}${over('Received: from a by b; x\r\n', HEADER)}\r\n`,
  'many seals': `${NOTICE}${over('ARC-Seal: i=1\r\n', HEADER)}\r\n`,
  'many fields': `${FROM}${over('A: b\r\n', HEADER)}\r\n`,
  'a field of folds': `${FROM}A: ${over('\r\n ', HEADER)}\r\n\r\n`,
  'parameters of a type': `${FROM}Content-Type: text/html; ${over('a*0*=x; ', HEADER)}\r\n\r\n`,
  'open comments in results': `${NOTICE}Authentication-Results: mx.test; ${over('dkim=pass (', HEADER)}\r\n\r\n`,
  'many results': `${NOTICE}Authentication-Results: mx.test; ${over('dkim=pass; ', HEADER)}\r\n\r\n`,
  'quotes in results': `${NOTICE}Authentication-Results: mx.test; a=b c="${over('\\"', HEADER)}\r\n\r\n`,
  'many fields of results': `${NOTICE}${over('Authentication-Results: x\r\n', HEADER)}\r\n`,
  'tags of a signature': `${NOTICE}DKIM-Signature: ${over('a=b;', HEADER)}\r\n\r\n`,
  'signed fields': `${NOTICE}${over('X: y\r\n', HEADER / 2)}DKIM-Signature: ${SIGNED}:${over('x:', HEADER / 2)}\r\n\r\n`,
  boundaries: `${NOTICE}Content-Type: multipart/mixed; boundary=b\r\n\r\n${over('--b\r\n\r\n', BODY)}`,
  'parts in parts': `${NOTICE}${over('Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n', BODY - 100)}`,
  'a charset of shifts': `${NOTICE}Content-Type: text/html; charset=utf-7\r\n\r\n${over('+AGE-', BODY - 100)}`,
  'messages in messages': `${NOTICE}Content-Type: message/rfc822\r\n\r\n${over('Content-Type: message/rfc822\r\nContent-Disposition: inline\r\n\r\n', BODY)}`,
  'flowing quotes': `${NOTICE}Content-Type: text/plain; format=flowed; delsp=yes\r\n\r\n${over('> > \r\n', BODY)}`,
  'soft line breaks': `${NOTICE}Content-Transfer-Encoding: quoted-printable\r\n\r\n${over('=\r\n', BODY)}`,
  'open tags': html('<'),
  'elements in elements': html('<a>'),
  'foreign elements': html('<svg><title>'),
  'closing tags': html('</a>'),
  links: html('<a href="http://x.test/">'),
  'open attributes': html('<a href='),
  entities: html('&'),
  comments: html('<!--'),
  'addresses that are shown': html('&lt;http://x.test<p>'),
  'open brackets': text('<http://'),
  'addresses on lines': text('http://a\r\n'),
  'an address on many lines': `${NOTICE}\r\nhttp://${over('a\r\n', BODY)}`,
  'an address of full stops': `${NOTICE}\r\nhttp://a.test/${over('.', BODY)}`,
  'an address of entities': `${NOTICE}\r\nhttp://a.test/${over('&amp;', BODY)}`,
  'click counters': html('<a href="https://u1.ct.sendgrid.net/ls/click?upn=a">'),
};

describe('A message as large as any that is taken', () => {
  const thread = new ReadingThread();
  after(() => thread[Symbol.asyncDispose]());

  for (const [what, source] of Object.entries(HOSTILE)) {
    it(`is read to its end: ${what}`, async () => {
      assert.ok(source.length <= NOTICE_MOST_BYTES);
      const { kind, lookups, hops } = await thread.read('message', Buffer.from(source, 'latin1'));
      assert.ok(kind === 'unrelated' || kind === 'refused', kind);
      assert.ok(lookups <= 1 && hops <= MOST_HOPS);
    });
  }
});
