import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { simpleParser } from 'mailparser';
import type { Message } from '../../../src/notify/index.ts';
import { eventually } from '../../support/eventually.ts';
import { type Exim, startExim } from '../../support/exim.ts';
import { KEY, MESSAGE, noAbort, serviceAt, trustedCertificates } from '../support.ts';

const { own: tls } = await trustedCertificates();

const OTHER_KEY = 'fedcba9876543210fedcba9876543210';

describe('e-mail through a real mail server (Exim) that wants STARTTLS and a login', () => {
  let exim: Exim;
  before(async () => {
    exim = await startExim({ tls, login: { user: 'ada', password: 'geheim' }, domain: 'example.org' });
  });
  after(() => exim[Symbol.asyncDispose]());

  /** Gives the raw mail as it lies in the mailbox. */
  async function delivered(message: Message, key = KEY): Promise<string> {
    const before = await exim.mails();
    await serviceAt(address('geheim')).send(message, { signal: noAbort(), key });
    let arrived: string | undefined;
    await eventually(async () => {
      arrived = (await exim.mails()).find((mail) => !before.includes(mail));
      return arrived !== undefined;
    });
    return arrived ?? '';
  }

  function address(password: string): string {
    return `smtp://ada:${password}@localhost:${exim.port}/?from=keep@example.org&to=me@example.org`;
  }

  it('arrives whole, as plain text and as HTML, signed in and encrypted', async () => {
    const raw = await delivered(MESSAGE);
    const mail = await simpleParser(raw);
    assert.equal(mail.subject, MESSAGE.title);
    assert.equal(mail.text, `${MESSAGE.body}\n\n-- \nChatkeep, 2026-11-21 19:05 UTC\n`);
    assert.match(String(mail.html), /An export is ready &lt;and waits&gt; &amp; needs &quot;you&quot;/);
    assert.match(raw, /^Return-path: <keep@example\.org>$/m);
    assert.match(raw, /^Envelope-to: me@example\.org$/m);
    // RFC 3848: extended, secured, authenticated.
    assert.match(raw, /^Received: from [\s\S]*? with esmtpsa /m);
  });

  it('keeps the headers by which programs know, thread and do not answer it', async () => {
    const raw = await delivered(MESSAGE);
    const [first, again] = [await simpleParser(raw), await simpleParser(await delivered(MESSAGE))];
    const rawLater = await delivered({ ...MESSAGE, event: 'expired', level: 'failure' }, OTHER_KEY);
    const later = await simpleParser(rawLater);
    assert.equal(first.messageId, `<${KEY}@example.org>`);
    assert.equal(again.messageId, first.messageId);
    assert.notEqual(later.messageId, first.messageId);
    assert.match(first.inReplyTo ?? '', /^<thread-[0-9a-f]{32}@example\.org>$/);
    assert.equal(later.inReplyTo, first.inReplyTo);
    assert.equal(first.references, first.inReplyTo);
    assert.equal(first.headers.get('auto-submitted'), 'auto-generated');
    assert.doesNotMatch(raw, /^Importance:/m);
    assert.match(rawLater, /^Importance: high$/m);
  });

  it('of a title or body with line breaks and markup stays one mail, with its own headers only', async () => {
    const mail = await simpleParser(
      await delivered({
        ...MESSAGE,
        title: 'A title\r\nBcc: eve@example.org',
        body: '.\r\n<script>alert(1)</script>\n.\nDATA',
      }),
    );
    assert.equal(mail.bcc, undefined);
    assert(!mail.headers.has('bcc'));
    assert(!String(mail.html).includes('<script'));
    assert.match(String(mail.text), /^\.\r?\n<script>alert\(1\)<\/script>\n\.\nDATA\n/);
  });

  it('with a wrong password is refused, and neither the password nor the server’s words are told', async () => {
    const sending = serviceAt(address('wrong')).send(MESSAGE, { signal: noAbort(), key: KEY });
    await assert.rejects(sending, {
      message: `e-mail through localhost:${exim.port} does not accept the user and password of the address (535)`,
    });
  });
});
