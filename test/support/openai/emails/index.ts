import { createHash } from 'node:crypto';
import { type DkimSignature, signed } from './dkim.ts';
import { asciiHtml, base64Lines, escapeHtml, headerText, isAscii, quotedPrintable } from './encoding.ts';
import { DEFAULT_LINKS, type EmailKind, type EmailLanguage, type Wording, wordingOf } from './wording.ts';

export {
  createDkimKey,
  DKIM_DOMAIN,
  DKIM_SELECTOR,
  type DkimKey,
  type DkimSignature,
  dkimRecordName,
} from './dkim.ts';
export { EMAIL_KINDS, EMAIL_LANGUAGES, type EmailKind, type EmailLanguage } from './wording.ts';
export { type LinkWrapping, wrapLink } from './wrapping.ts';

/**
 * How the mail is built: `html-only` (2025) is a single HTML part, quoted-printable; `multipart` (2023) is
 * multipart/alternative, its text part with the address in `<…>`, broken over two lines, `&amp;` for `&`; `text-only` is
 * that text part alone; `nested` is what gateways make of a mail: multipart/mixed with a multipart/related in it, which
 * holds the HTML and a picture.
 */
export type EmailShape = 'html-only' | 'multipart' | 'text-only' | 'nested';

/**
 * How a text part writes its link: in `<…>`, broken over two lines; `bare`, on a line of its own; or `hard-wrapped`, bare
 * and broken at 76 characters.
 */
export type EmailTextLink = 'bracketed' | 'bare' | 'hard-wrapped';

/**
 * How it came: as sent; `forwarded` by a mail server (Received chain, Resent and X-Forwarded headers on top, signature
 * intact); or `outlook-changed`, with a body that Exchange rewrote after the signing, so that DKIM fails.
 */
export type EmailJourney = 'direct' | 'forwarded' | 'outlook-changed';

/** A header field, not yet folded. */
export type EmailHeader = readonly [name: string, value: string];

export interface EmailOptions {
  readonly kind: EmailKind;
  readonly to: string;
  readonly date: Date;
  /** Where the button leads. Kinds without a button (`started`, `code`) hold no link even so. */
  readonly link?: string;
  readonly language?: EmailLanguage;
  readonly shape?: EmailShape;
  readonly textLink?: EmailTextLink;
  /** How the bodies travel; quoted-printable unless told. */
  readonly encoding?: 'quoted-printable' | 'base64';
  /** `us-ascii` writes other scripts as character references; unless told, what the text needs. */
  readonly charset?: 'us-ascii' | 'utf-8';
  readonly journey?: EmailJourney;
  readonly from?: { readonly address?: string; readonly name?: string | null };
  readonly subject?: string;
  /** With its angle brackets. */
  readonly messageId?: string;
  /** Signatures, the first on top; none unless told. */
  readonly dkim?: readonly DkimSignature[];
  /** Put above everything after signing: what servers on the way add (Authentication-Results), or an attacker. */
  readonly prepend?: readonly EmailHeader[];
}

const SENDER = 'noreply@tm.openai.com';
const HELP_CENTRE = 'https://help.openai.com/en/articles/7260999-how-do-i-export-my-chatgpt-history-and-data';
const LOGO = 'https://cdn.openai.com/API/logo-assets/openai-logo-email-header-1.png';
const OPEN_PIXEL = 'https://u20216706.ct.sendgrid.net/wf/open?upn=u001.';

/**
 * A mail of OpenAI's sender as a mailbox holds it: raw RFC 5322, CRLF. The same options give the same bytes.
 *
 * @throws Error if a DKIM signature cannot be made
 */
export async function makeEmail(options: EmailOptions): Promise<Buffer> {
  const wording = wordingOf(options.kind, options.language ?? 'en');
  const token = createHash('sha256')
    .update(JSON.stringify([options.kind, options.to, options.date, options.link, options.language]))
    .digest('base64url');
  const { contentHeaders, body } = content(options, wording, token);
  const headers: EmailHeader[] = [
    ['Date', mailDate(options.date)],
    ['From', sender(options)],
    ['MIME-Version', '1.0'],
    ['Message-ID', options.messageId ?? `<${token.slice(0, 22)}@geopod-ismtpd-9>`],
    ['Subject', headerText(options.subject ?? wording.subject)],
    ['X-SG-EID', `u001.${token}`],
    ['To', options.to],
    ...contentHeaders,
  ];
  const original = Buffer.from(`${headerLines(headers)}\r\n${body}`);
  const sent = options.dkim === undefined ? original : await signed(original, options.dkim, options.date);
  const arrived = travelled(sent, options);
  return Buffer.concat([Buffer.from(headerLines(options.prepend ?? [])), arrived]);
}

function headerLines(headers: readonly EmailHeader[]): string {
  return headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
}

/** RFC 5322 section 3.3, in UTC. */
function mailDate(date: Date): string {
  return date.toUTCString().replace('GMT', '+0000');
}

function sender({ from }: EmailOptions): string {
  const address = from?.address ?? SENDER;
  const name = from?.name === undefined ? 'OpenAI' : from.name;
  if (name === null) return address;
  return isAscii(name) ? `"${name.replace(/["\\]/g, '\\$&')}" <${address}>` : `${headerText(name)} <${address}>`;
}

interface Content {
  readonly contentHeaders: readonly EmailHeader[];
  readonly body: string;
}

function content(options: EmailOptions, wording: Wording, token: string): Content {
  const link = options.link ?? DEFAULT_LINKS[options.kind];
  const { shape = 'html-only', encoding = 'quoted-printable' } = options;
  const html = htmlPart(wording, link, { language: options.language ?? 'en', token });
  const charset = options.charset ?? (isAscii(html) ? 'us-ascii' : 'utf-8');
  const htmlContent = part(`text/html; charset=${charset}`, charset === 'us-ascii' ? asciiHtml(html) : html, encoding);
  const text = textPart(wording, link, options.textLink ?? 'bracketed');
  const textContent = part('text/plain; charset=utf-8', text, encoding);
  switch (shape) {
    case 'html-only':
      return htmlContent;
    case 'text-only':
      return textContent;
    case 'multipart':
      return multipart('alternative', [textContent, htmlContent], token);
    case 'nested':
      return multipart(
        'mixed',
        [multipart('related', [htmlContent, part('image/gif', '', 'base64')], `r${token}`)],
        token,
      );
  }
}

function part(type: string, text: string, encoding: 'quoted-printable' | 'base64'): Content {
  return {
    contentHeaders: [
      ['Content-Type', type],
      ['Content-Transfer-Encoding', encoding],
    ],
    body: encoding === 'base64' ? `${base64Lines(text)}\r\n` : quotedPrintable(text),
  };
}

function multipart(subtype: string, parts: readonly Content[], token: string): Content {
  const boundary = `_av-${token.slice(0, 24)}`;
  const bodies = parts.map((part) => `--${boundary}\r\n${headerLines(part.contentHeaders)}\r\n${part.body}\r\n`);
  return {
    contentHeaders: [['Content-Type', `multipart/${subtype}; boundary="${boundary}"`]],
    body: `${bodies.join('')}--${boundary}--\r\n`,
  };
}

function htmlPart(
  { lines, button, help }: Wording,
  link: string,
  { language, token }: { language: EmailLanguage; token: string },
): string {
  const href = escapeHtml(link);
  const paragraphs = lines.map((line) => `<p style="font-size: 16px; line-height: 24px;">${escapeHtml(line)}</p>`);
  const action = `<p><a href="${href}" style="background: #10a37f; color: #fff; padding: 12px 20px;" target="_blank">${escapeHtml(button ?? '')}</a></p>`;
  return [
    '<!DOCTYPE html>',
    `<html lang="${language}">`,
    '<head><meta http-equiv="Content-Type" content="text/html"><title></title></head>',
    '<body style="font-family: Helvetica, sans-serif;">',
    `<a href="https://openai.com/?utm_source=email&amp;utm_medium=logo"><img src="${LOGO}" width="560" alt="OpenAI logo"></a>`,
    ...paragraphs,
    ...(button === undefined ? [] : [action]),
    `<p style="color: #6e6e80;"><a href="${HELP_CENTRE}">${escapeHtml(help)}</a></p>`,
    `<img src="${OPEN_PIXEL}${token}" alt="" width="1" height="1" border="0">`,
    '</body>',
    '</html>',
    '',
  ].join('\r\n');
}

/** The text part's address is broken here: inside the query of any export link. */
const TEXT_LINK_BREAK = 72;

function textPart({ lines, button, help }: Wording, link: string, textLink: EmailTextLink): string {
  const action = button === undefined ? [] : [button, writtenLink(link, textLink), ''];
  return ['OpenAI <https://openai.com/>', '', ...lines, '', ...action, `${help} <${HELP_CENTRE}>`, ''].join('\r\n');
}

function writtenLink(link: string, textLink: EmailTextLink): string {
  switch (textLink) {
    case 'bracketed': {
      const address = link.replaceAll('&', '&amp;');
      return `<${address.slice(0, TEXT_LINK_BREAK)}\r\n${address.slice(TEXT_LINK_BREAK)}>`;
    }
    case 'bare':
      return link;
    case 'hard-wrapped':
      return (link.match(/.{1,76}/g) ?? []).join('\r\n');
  }
}

function travelled(message: Buffer, { journey = 'direct', to, date }: EmailOptions): Buffer {
  switch (journey) {
    case 'direct':
      return message;
    case 'forwarded':
      return Buffer.concat([Buffer.from(headerLines(forwardingHeaders(to, date))), message]);
    case 'outlook-changed':
      return Buffer.from(rewritten(message.toString('latin1')), 'latin1');
  }
}

/** What a forwarding server leaves, newest on top. SPF is its own from here on. */
function forwardingHeaders(to: string, date: Date): EmailHeader[] {
  const keeper = 'keeper+forwarded@example.net';
  const at = (seconds: number): string => mailDate(new Date(date.getTime() + seconds * 1000));
  return [
    ['Return-Path', '<SRS0=a1b2=Z9=tm.openai.com=bounces@forwarder.example>'],
    ['Delivered-To', keeper],
    [
      'Received',
      `from mail.forwarder.example (mail.forwarder.example [198.51.100.7])\r\n by mx.example.net (Postfix) with ESMTPS id 4XyZ\r\n for <${keeper}>; ${at(9)}`,
    ],
    ['X-Forwarded-For', `${to} ${keeper}`],
    ['X-Forwarded-To', keeper],
    ['Resent-From', to],
    ['Resent-To', keeper],
    ['Resent-Date', at(6)],
    [
      'Received',
      `from o1.ptr5678.tm.openai.com (o1.ptr5678.tm.openai.com [149.72.0.1])\r\n by mail.forwarder.example with ESMTPS id abc123\r\n for <${to}>; ${at(3)}`,
    ],
  ];
}

/** Exchange adds a generator line to the head of HTML bodies. */
function rewritten(message: string): string {
  const generator = '<meta name=3D"Generator" content=3D"Microsoft Exchange Server">\r\n';
  const bodyStart = message.indexOf('\r\n\r\n');
  return message.slice(0, bodyStart) + message.slice(bodyStart).replace('<head>', `<head>\r\n${generator}`);
}
