import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { dkimVerify } from 'mailauth/lib/dkim/verify.js';
import { type ParsedMail, simpleParser } from 'mailparser';
import { headerText, quotedPrintable } from './encoding.ts';
import {
  createDkimKey,
  type DkimSignature,
  dkimRecordName,
  EMAIL_KINDS,
  EMAIL_LANGUAGES,
  type EmailOptions,
  makeEmail,
} from './index.ts';

const LINK = `https://chatgpt.com/backend-api/estuary/content?id=${'ab'.repeat(32)}-2026-03-01-10-20-30-${'cd'.repeat(16)}.zip&ts=1&p=de&cid=2&sig=${'ef'.repeat(32)}&v=0`;
const READY = { kind: 'ready', to: 'me@example.com', date: new Date('2026-03-01T10:25:00Z'), link: LINK } as const;
const key = createDkimKey();
const signature: DkimSignature = { privateKeyPem: key.privateKeyPem };

async function parsed(options: EmailOptions): Promise<ParsedMail> {
  return simpleParser(await makeEmail(options));
}

/** The verdicts of the signatures, each with its domain, by the keys published here. */
async function verdicts(mail: Buffer, records: Readonly<Record<string, string>> = { [dkimRecordName()]: key.dnsTxt }) {
  const resolver = async (name: string): Promise<string[][]> => {
    const record = records[name];
    if (record === undefined) throw Object.assign(new Error(`no record for ${name}`), { code: 'ENOTFOUND' });
    return [[record]];
  };
  const { results } = await dkimVerify(mail, { resolver, curTime: READY.date });
  return results.map((result) => `${result.signingDomain}/${result.selector}: ${result.status.result}`);
}

function hrefs(html: string): string[] {
  return Array.from(html.matchAll(/href="([^"]*)"/g), ([, href]) => href ?? '');
}

describe('the shape of a mail', () => {
  it('is a single HTML part in us-ascii and quoted-printable, with the link entity-escaped in an href', async () => {
    const raw = (await makeEmail(READY)).toString('latin1');
    assert.match(raw, /^Content-Type: text\/html; charset=us-ascii\r$/m);
    assert.match(raw, /^Content-Transfer-Encoding: quoted-printable\r$/m);
    const mail = await simpleParser(raw);
    assert.ok(typeof mail.html === 'string');
    assert.ok(hrefs(mail.html).includes(LINK.replaceAll('&', '&amp;')));
  });

  it('ends every line with CRLF and keeps every line of the body to 76 characters', async () => {
    for (const shape of ['html-only', 'multipart'] as const) {
      const raw = (await makeEmail({ ...READY, shape, language: 'ru' })).toString('latin1');
      assert.equal(raw.replaceAll('\r\n', '').search(/[\r\n]/), -1);
      const body = raw.slice(raw.indexOf('\r\n\r\n'));
      assert.ok(body.split('\r\n').every((line) => line.length <= 76));
    }
  });

  it('breaks the address over two lines within <…> in the text part of a multipart mail, with &amp; for &', async () => {
    const mail = await parsed({ ...READY, shape: 'multipart' });
    const [, first, second] = /<(https:\/\/chatgpt\.com[^>\n]*)\n([^>\n]*)>/.exec(mail.text ?? '') ?? [];
    assert.equal(`${first}${second}`, LINK.replaceAll('&', '&amp;'));
    assert.ok(typeof mail.html === 'string' && hrefs(mail.html).includes(LINK.replaceAll('&', '&amp;')));
  });

  it('holds addresses before the link that are not the link: the site, the logo, then the help centre and a pixel', async () => {
    const mail = await parsed(READY);
    assert.ok(typeof mail.html === 'string');
    const addresses = Array.from(mail.html.matchAll(/(?:href|src)="https:\/\/([^/"]+)/g), ([, host]) => host);
    assert.deepEqual(addresses, [
      'openai.com',
      'cdn.openai.com',
      'chatgpt.com',
      'help.openai.com',
      'u20216706.ct.sendgrid.net',
    ]);
  });

  it('comes from noreply@tm.openai.com with a Message-ID that is not on a domain of OpenAI', async () => {
    const mail = await parsed(READY);
    assert.deepEqual(mail.from?.value, [{ address: 'noreply@tm.openai.com', name: 'OpenAI' }]);
    assert.match(mail.messageId ?? '', /^<[\w-]{22}@geopod-ismtpd-9>$/);
    assert.equal(mail.date?.getTime(), READY.date.getTime());
  });

  it('takes another sender, name, subject and Message-ID when told', async () => {
    const mail = await parsed({
      ...READY,
      from: { address: 'noreply@tm.openai.com.evil.test', name: 'ChatGPT 数据' },
      subject: 'Ваш экспорт',
      messageId: '<1@mandrill>',
    });
    assert.deepEqual(mail.from?.value, [{ address: 'noreply@tm.openai.com.evil.test', name: 'ChatGPT 数据' }]);
    assert.equal(mail.subject, 'Ваш экспорт');
    assert.equal(mail.messageId, '<1@mandrill>');
    const nameless = await parsed({ ...READY, from: { name: null } });
    assert.deepEqual(nameless.from?.value, [{ address: 'noreply@tm.openai.com', name: '' }]);
  });

  it('writes other scripts as character references where us-ascii is asked for', async () => {
    const options = { ...READY, language: 'zh', charset: 'us-ascii' } as const;
    const raw = await makeEmail(options);
    assert.ok(raw.every((byte) => byte < 0x80));
    const mail = await simpleParser(raw);
    assert.ok(typeof mail.html === 'string' && mail.html.includes('&#19979;&#36733;'));
  });

  it('puts handed-in headers above everything, the signature included', async () => {
    const raw = await makeEmail({
      ...READY,
      dkim: [signature],
      prepend: [['Authentication-Results', 'mx.example.net; dmarc=pass']],
    });
    const names = raw.toString('latin1').split('\r\n').slice(0, 2);
    assert.deepEqual(
      names.map((line) => line.split(':')[0]),
      ['Authentication-Results', 'DKIM-Signature'],
    );
    assert.deepEqual(await verdicts(raw), ['tm.openai.com/s1: pass']);
  });

  it('is the same bytes for the same options', async () => {
    const options = { ...READY, dkim: [signature], shape: 'multipart' } as const;
    assert.deepEqual(await makeEmail(options), await makeEmail(options));
  });
});

describe('what a mail says', () => {
  it('announces the ready export in every language, with the known subjects in English and Chinese', async () => {
    const subjects = await Promise.all(
      EMAIL_LANGUAGES.map(async (language) => (await parsed({ ...READY, language })).subject ?? ''),
    );
    assert.equal(new Set(subjects).size, EMAIL_LANGUAGES.length);
    assert.ok(subjects.includes('ChatGPT - Your data export is ready'));
    assert.ok(subjects.includes('ChatGPT - 你的数据导出已准备就绪'));
    const chinese = await parsed({ ...READY, language: 'zh' });
    assert.ok(typeof chinese.html === 'string' && chinese.html.includes('>下载数据导出</a>'));
  });

  it('holds the download link in no mail but the ready one', async () => {
    for (const kind of EMAIL_KINDS.filter((other) => other !== 'ready')) {
      const { date, to } = READY;
      const { text, html } = await parsed({ kind, to, date, shape: 'multipart' });
      assert.doesNotMatch(`${text}${html}`, /estuary|\.zip/, kind);
    }
  });

  it('gives the started mail the subject of the twin and no button', async () => {
    const mail = await parsed({ ...READY, kind: 'started' });
    assert.equal(mail.subject, 'ChatGPT - Your data export has started');
    assert.ok(typeof mail.html === 'string' && !mail.html.includes('estuary'));
  });

  it("leads the sender's other mails through its click counter, and tasks to a conversation", async () => {
    const { date, to } = READY;
    const plan = await parsed({ kind: 'plan', to, date });
    const task = await parsed({ kind: 'task', to, date });
    assert.ok(typeof plan.html === 'string' && plan.html.includes('https://u20216706.ct.sendgrid.net/ls/click?upn='));
    assert.ok(typeof task.html === 'string' && task.html.includes('https://chatgpt.com/c/'));
  });
});

describe('the DKIM signature', () => {
  it('passes for every kind, shape and language', async () => {
    for (const kind of EMAIL_KINDS) {
      for (const shape of ['html-only', 'multipart'] as const) {
        const mail = await makeEmail({ ...READY, kind, shape, language: 'ja', dkim: [signature] });
        assert.deepEqual(await verdicts(mail), ['tm.openai.com/s1: pass'], `${kind}, ${shape}`);
      }
    }
  });

  it('is absent unless a key is handed in', async () => {
    assert.doesNotMatch((await makeEmail(READY)).toString('latin1'), /DKIM-Signature/);
  });

  it('can be several, of other domains and selectors, as Mandrill made them', async () => {
    const other = createDkimKey();
    const mail = await makeEmail({
      ...READY,
      dkim: [
        { ...signature, selector: 'mandrill' },
        { privateKeyPem: other.privateKeyPem, domain: 'mandrillapp.com', selector: 'mandrill' },
      ],
    });
    const records = {
      [dkimRecordName('tm.openai.com', 'mandrill')]: key.dnsTxt,
      [dkimRecordName('mandrillapp.com', 'mandrill')]: other.dnsTxt,
    };
    assert.deepEqual((await verdicts(mail, records)).toSorted(), [
      'mandrillapp.com/mandrill: pass',
      'tm.openai.com/mandrill: pass',
    ]);
  });

  it('leaves what comes after the length open when limited by l=', async () => {
    const mail = await makeEmail({ ...READY, dkim: [{ ...signature, bodyLength: 64 }] });
    assert.match(mail.toString('latin1'), /l=64;/);
    const longer = Buffer.concat([mail, Buffer.from('<a href=3D"https://evil.test">added</a>\r\n')]);
    const resolver = async (): Promise<string[][]> => [[key.dnsTxt]];
    const { results } = await dkimVerify(longer, { resolver, curTime: READY.date });
    assert.deepEqual(
      results.map((result) => [result.status.result, result.canonBodyLengthLimited]),
      [['pass', true]],
    );
  });

  it('survives a forwarding server, whose headers stand on top', async () => {
    const mail = await makeEmail({ ...READY, dkim: [signature], journey: 'forwarded' });
    const { headers, to } = await simpleParser(mail);
    assert.ok(headers.has('x-forwarded-to') && headers.has('resent-from'));
    assert.equal(Array.isArray(headers.get('received')), true);
    assert.ok(to !== undefined && !Array.isArray(to) && to.text === READY.to);
    assert.deepEqual(await verdicts(mail), ['tm.openai.com/s1: pass']);
  });

  it('no longer verifies when Outlook has changed the body, while the link is still there', async () => {
    const mail = await makeEmail({ ...READY, dkim: [signature], journey: 'outlook-changed' });
    assert.deepEqual(await verdicts(mail), ['tm.openai.com/s1: neutral']);
    const { html } = await simpleParser(mail);
    assert.ok(typeof html === 'string' && hrefs(html).includes(LINK.replaceAll('&', '&amp;')));
    assert.ok(html.includes('<meta name="Generator" content="Microsoft Exchange Server">'));
  });

  it('says what is wrong with a key that cannot sign', async () => {
    await assert.rejects(makeEmail({ ...READY, dkim: [{ privateKeyPem: 'not a key' }] }), Error);
  });
});

describe('the encodings', () => {
  it('carry any text through a parser unchanged', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme' }), async (any) => {
        const line = `x${any.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, '')}x`;
        const source = `Subject: ${headerText(line)}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n${quotedPrintable(line)}`;
        const { subject, text } = await simpleParser(source);
        assert.deepEqual([subject, text], [line, line]);
      }),
      { numRuns: 100 },
    );
  });
});
