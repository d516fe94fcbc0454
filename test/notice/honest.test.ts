import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ReadOptions } from '../../src/notice/index.ts';
import { EMAIL_LANGUAGES, type EmailOptions, wrapLink } from '../support/openai/emails/index.ts';
import { AZURE_LINK, ESTUARY_LINK, email, escaped, html, OWN_SIGNATURE, plain, read } from './messages.ts';

/* Every shape in which a ready notice is known to come, or is likely to: each is taken, with the right link. */

interface Honest {
  readonly what: string;
  readonly source: () => Promise<Buffer> | Buffer;
  /** The estuary link unless told. */
  readonly link?: string;
  readonly options?: Partial<ReadOptions>;
}

const SENDGRID = 'https://u20216706.ct.sendgrid.net/ls/click?upn=u001.Xk3fJ8s-2BqL0a';
/** With a signature as Azure writes it. */
const SAS_LINK = AZURE_LINK.replace(/sig=.*/, `sig=${encodeURIComponent(Buffer.alloc(32, 0xfb).toString('base64'))}`);

function mail(what: string, options: Partial<EmailOptions>, rest: Omit<Honest, 'what' | 'source'> = {}): Honest {
  return { what, source: () => email(options), ...rest };
}

/** Unsigned: how a body is read does not depend on who sent it. */
function body(what: string, source: Buffer): Honest {
  return { what, source: () => source, options: { authenticity: 'off' } };
}

function wrapped(what: string, link: string): Honest {
  return mail(what, { link });
}

const changed = (results: string): Partial<EmailOptions> => ({
  journey: 'outlook-changed',
  prepend: [['Authentication-Results', results]],
});

const HONEST: readonly Honest[] = [
  mail('a single HTML part in us-ascii, as since 2025', { shape: 'html-only', charset: 'us-ascii' }),
  mail('two parts, as in 2023', { shape: 'multipart' }),
  mail('an Azure link', { shape: 'multipart', link: SAS_LINK }, { link: SAS_LINK }),
  mail('an Azure link in HTML alone', { link: AZURE_LINK }, { link: AZURE_LINK }),
  mail('a text part alone, its link in angle brackets over two lines, with &amp; for &', { shape: 'text-only' }),
  mail('a text part alone, its link on a line of its own', { shape: 'text-only', textLink: 'bare' }),
  mail('a text part alone, its link hard-wrapped', { shape: 'text-only', textLink: 'hard-wrapped' }),
  mail(
    'a text part alone, its Azure link hard-wrapped',
    { shape: 'text-only', textLink: 'hard-wrapped', link: SAS_LINK },
    { link: SAS_LINK },
  ),
  mail('parts in parts', { shape: 'nested' }),
  mail('base64', { shape: 'multipart', encoding: 'base64' }),
  ...EMAIL_LANGUAGES.flatMap((language) =>
    (['html-only', 'multipart'] as const).map((shape) => mail(`${language}, ${shape}`, { shape, language })),
  ),
  mail('a subject that nobody has seen', { subject: 'Prenesite svoje podatke' }),
  mail('any display name', { from: { name: 'Не OpenAI' } }),
  mail('no display name', { from: { name: null } }),
  mail('another Message-ID', { messageId: '<1@mandrill>' }),
  mail('forwarded by a server, the signature intact', { journey: 'forwarded' }),
  mail('Mandrill’s signature beside its own, as in 2023', {
    dkim: [
      { ...OWN_SIGNATURE, domain: 'mandrillapp.com', selector: 'mandrill' },
      { ...OWN_SIGNATURE, domain: 'tm.openai.com', selector: 'mandrill' },
    ],
  }),
  mail('a signature of the organisation', { dkim: [{ ...OWN_SIGNATURE, domain: 'openai.com' }] }),
  mail(
    'changed by Outlook, whose server wrote no name',
    changed(
      'spf=pass (sender IP is 149.72.0.1)\r\n smtp.mailfrom=em.tm.openai.com; dkim=pass (signature was verified)\r\n header.d=tm.openai.com;dmarc=pass action=none\r\n header.from=tm.openai.com;compauth=pass reason=100',
    ),
    { options: { authservId: 'Microsoft' } },
  ),
  mail(
    'changed on its way to Gmail',
    changed(
      'mx.google.com;\r\n dkim=pass header.i=@tm.openai.com header.s=s1 header.b="ab/+c=";\r\n spf=pass (google.com: domain of x designates 149.72.0.1 as permitted sender) smtp.mailfrom=x@em.tm.openai.com;\r\n dmarc=pass (p=REJECT sp=REJECT dis=NONE) header.from=tm.openai.com',
    ),
    { options: { authservId: 'mx.google.com' } },
  ),
  mail('changed by a bridge', changed('mail.bridge.test; dmarc=pass (p=reject dis=none) header.from=tm.openai.com'), {
    options: { authservId: 'mail.bridge.test' },
  }),
  wrapped('wrapped by Google', wrapLink(ESTUARY_LINK, 'google')),
  wrapped('wrapped by Safe Links', wrapLink(ESTUARY_LINK, 'safelinks')),
  wrapped('wrapped by Mandrill', wrapLink(ESTUARY_LINK, 'mandrill')),
  wrapped('wrapped by Mandrill over http', wrapLink(ESTUARY_LINK, 'mandrill').replace('https:', 'http:')),
  wrapped(
    'wrapped by Mandrill, then Google, then Safe Links',
    wrapLink(wrapLink(wrapLink(ESTUARY_LINK, 'mandrill'), 'google'), 'safelinks'),
  ),
  mail('hidden behind a click counter', { link: SENDGRID }, { options: { followRedirect: async () => ESTUARY_LINK } }),
  body('a link without quotes', html(`<A HREF=${escaped(ESTUARY_LINK)}>Download</A>`)),
  body('numeric entities', html(`<a href='${ESTUARY_LINK.replaceAll('&', '&#38;').replaceAll('=', '&#x3D;')}'>x</a>`)),
  body('a link that was escaped twice', html(`<a href="${escaped(escaped(ESTUARY_LINK))}">x</a>`)),
  body(
    'a link broken in its attribute',
    html(`<a href="${escaped(ESTUARY_LINK).replace('&amp;ts', '\r\n\t&amp;ts')}">x</a>`),
  ),
  body('an address that HTML only shows', html(`<p>Open <b>this</b>:<br>${escaped(ESTUARY_LINK)}<br>Thanks</p>`)),
  body('an address that HTML shows in brackets', html(`<p>&lt;${escaped(ESTUARY_LINK)}&gt;</p>`)),
  body(
    'an address with places to break it',
    html(`<p>${escaped(ESTUARY_LINK).replaceAll('&amp;', '<wbr>&amp;').replaceAll('-', '&shy;-')}</p>`),
  ),
  body('an address with soft hyphens', plain(ESTUARY_LINK.replaceAll('-', '\u00AD-'))),
  body('an address at the end of a sentence', plain(`Download it at ${ESTUARY_LINK}.`)),
  body('an address behind which the text goes on', plain(`${ESTUARY_LINK}\r\nThanks\r\n`)),
  body(
    'a whole link in HTML beside one that is cut off in the text',
    alternative(`See ${ESTUARY_LINK.slice(0, 200)}\r\nthanks`, `<a href="${escaped(ESTUARY_LINK)}">x</a>`),
  ),
  body(
    'a link whose text is cut short',
    html(`<a href="${escaped(ESTUARY_LINK)}">https://chatgpt.com/backend-api/estuary/content…</a>`),
  ),
  body(
    'text that flows (RFC 3676)',
    Buffer.from(
      `From: noreply@tm.openai.com\r\nContent-Type: text/plain; format=flowed; delsp=yes\r\n\r\n${ESTUARY_LINK.slice(0, 70)} \r\n${ESTUARY_LINK.slice(70)}\r\n`,
    ),
  ),
  body(
    'UTF-16',
    Buffer.concat([
      Buffer.from(
        'From: noreply@tm.openai.com\r\nContent-Type: text/html; charset=utf-16le\r\nContent-Transfer-Encoding: base64\r\n\r\n',
      ),
      Buffer.from(Buffer.from(`<a href="${escaped(ESTUARY_LINK)}">数据</a>`, 'utf16le').toString('base64')),
    ]),
  ),
];

describe('An honest ready notice is taken', () => {
  for (const { what, source, link = ESTUARY_LINK, options = {} } of HONEST) {
    it(`as ${what}`, async () => {
      const notice = await read(await source(), options);
      assert.equal(notice.kind === 'ready' ? notice.link.reveal() : JSON.stringify(notice), link);
    });
  }
});

function alternative(text: string, body: string): Buffer {
  return Buffer.from(
    [
      'From: noreply@tm.openai.com',
      'Content-Type: multipart/alternative; boundary=b',
      '',
      '--b',
      'Content-Type: text/plain',
      '',
      text,
      '--b',
      'Content-Type: text/html',
      '',
      body,
      '--b--',
      '',
    ].join('\r\n'),
  );
}
