import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { domainToASCII } from 'node:url';
import { MINUTE_MS } from '../../src/lib/clock.ts';
import { NOTICE_MOST_BYTES, type ReadOptions, type RefusalReason } from '../../src/notice/index.ts';
import { createDkimKey, type EmailOptions, wrapLink } from '../support/openai/emails/index.ts';
import {
  AZURE_LINK,
  ESTUARY_LINK,
  ESTUARY_QUERY,
  email,
  escaped,
  html,
  OWN_SIGNATURE,
  outcome,
  RECEIVED,
  read,
  replaced,
  SIGNATURE,
} from './messages.ts';

/*
 * The spoof corpus: what an impostor may try, each refused, and for the right reason. The receiving server is
 * mx.example.test, and its Authentication-Results are believed.
 */

interface Spoof {
  readonly what: string;
  readonly source: () => Promise<Buffer> | Buffer;
  readonly options?: Partial<ReadOptions>;
}

const SERVER = { authservId: 'mx.example.test' };
const EVIL_KEY = { ...createDkimKey(), domain: 'evil.test' };
const EVIL_PATH = `backend-api/estuary/content?${ESTUARY_QUERY}`;
const EVIL_LINK = `https://evil.test/${EVIL_PATH}`;
const SENDGRID = 'https://u20216706.ct.sendgrid.net/ls/click?upn=u001.Xk3fJ8s-2BqL0a';

/** A message of the provider's, changed in a way, and signed by nobody but the impostor. */
function from(value: string, options: Partial<EmailOptions> = {}): () => Promise<Buffer> {
  return async () => replaced(await email({ dkim: [], ...options }), /^From: .*\r\n/m, `${value}\r\n`);
}

function sentBy(address: string): Spoof {
  return { what: address, source: () => email({ from: { address }, dkim: [EVIL_KEY] }) };
}

/** An honest, signed message of the provider, above which something was put on its way. */
function below(header: string, options: Partial<EmailOptions> = {}): () => Promise<Buffer> {
  return async () => Buffer.concat([Buffer.from(`${header}\r\n`), await email(options)]);
}

/** A message that no signature proves any more, with Authentication-Results, the top-most first. */
function results(...values: string[]): Spoof {
  return {
    what: `Authentication-Results: ${values.join(' | ').replace(/\s+/g, ' ')}`,
    source: () =>
      email({
        journey: 'outlook-changed',
        prepend: values.map((value) => ['Authentication-Results', value] as const),
      }),
  };
}

function link(what: string, address: string, options: Partial<ReadOptions> = {}): Spoof {
  return { what, source: () => email({ link: address }), options };
}

const fail = 'mx.example.test; dmarc=fail header.from=tm.openai.com';
const pass = 'mx.example.test; dmarc=pass header.from=tm.openai.com';

const CORPUS: Readonly<Record<RefusalReason, readonly Spoof[]>> = {
  'sender-not-trusted': [
    sentBy('noreply@tm.openai.com.evil.test'),
    sentBy('noreply@eviltm.openai.com'),
    sentBy('noreply@openai.com'),
    sentBy('noreply@mail.tm.openai.com'),
    sentBy('noreply@tm-openai.com'),
    sentBy('noreply@tm.openai.co'),
    sentBy('noreply@tm.openai.com.'),
    sentBy('noreply@tm.оpenai.com'),
    sentBy(`noreply@tm.${domainToASCII('оpenai.com')}`),
    sentBy('noreply@[tm.openai.com]'),
    sentBy('tm.openai.com@evil.test'),
    { what: 'our address in quotes before the @', source: from('From: "noreply@tm.openai.com"@evil.test') },
    { what: 'our address as display name', source: from('From: "noreply@tm.openai.com" <x@evil.test>') },
    { what: 'our whole From as display name', source: from('From: "OpenAI <noreply@tm.openai.com>" <x@evil.test>') },
    { what: 'our address in a comment', source: from('From: x@evil.test (noreply@tm.openai.com)') },
    {
      what: 'an address that only an encoded word makes ours',
      source: from(`From: =?utf-8?B?${Buffer.from('<noreply@tm.openai.com>').toString('base64')}?= <x@evil.test>`),
    },
    {
      what: 'an encoded word with a line break and a From field in it',
      source: from('From: =?utf-8?Q?x=0D=0AFrom:_noreply=40tm.openai.com?= <x@evil.test>'),
    },
    { what: 'our address as Sender', source: from('From: x@evil.test\r\nSender: noreply@tm.openai.com') },
    { what: 'our address as Resent-From', source: from('From: x@evil.test\r\nResent-From: noreply@tm.openai.com') },
    { what: 'no sender at all', source: from('X-From: noreply@tm.openai.com') },
    {
      what: 'a From field whose name has a space of no width in it',
      source: from('Fr\u200bom: noreply@tm.openai.com'),
    },
    {
      what: 'the known subject alone',
      source: () => email({ from: { address: 'openai@evil.test' }, link: 'https://evil.test/login' }),
    },
    {
      what: 'the known subject in another language',
      source: () => email({ from: { address: 'openai@evil.test' }, link: 'https://evil.test/login', language: 'ko' }),
    },
    {
      what: 'our link in the wrapping of a service',
      source: () =>
        email({ from: { address: 'openai@evil.test' }, subject: 'Hi', link: wrapLink(EVIL_LINK, 'mandrill') }),
    },
    {
      what: 'the policy off',
      source: () => email({ from: { address: 'noreply@tm.openai.com.evil.test' }, dkim: [] }),
      options: { authenticity: 'off' },
    },
  ],

  'several-senders': [
    { what: 'two From fields, ours first', source: from('From: <noreply@tm.openai.com>\r\nFrom: <x@evil.test>') },
    { what: 'two From fields, ours last', source: from('From : <x@evil.test>\r\nFROM: <noreply@tm.openai.com>') },
    { what: 'a From field above the signed one', source: below('From: x@evil.test') },
    { what: 'two addresses', source: from('From: "OpenAI" <noreply@tm.openai.com>, <x@evil.test>') },
    { what: 'a group', source: from('From: OpenAI: <noreply@tm.openai.com>, <x@evil.test>;') },
    { what: 'two addresses and no comma', source: from('From: <x@evil.test> <noreply@tm.openai.com>') },
    { what: 'an address before the one in brackets', source: from('From: noreply@tm.openai.com <x@evil.test>') },
    { what: 'an address behind ours', source: from('From: noreply@tm.openai.com x@evil.test') },
    { what: 'two @', source: from('From: noreply@tm.openai.com@evil.test') },
    { what: 'a route', source: from('From: <@evil.test:noreply@tm.openai.com>') },
    { what: 'a lone carriage return', source: from('From: x@evil.test\rFrom: noreply@tm.openai.com') },
    { what: 'a NUL', source: from('From: noreply@tm.openai.com\0.evil.test') },
    {
      what: 'two addresses under the policy off',
      source: from('From: <noreply@tm.openai.com>, <x@evil.test>'),
      options: { authenticity: 'off' },
    },
  ],

  'not-authentic': [
    { what: 'no signature', source: () => email({ dkim: [] }) },
    { what: 'the signature of a stranger', source: () => email({ dkim: [EVIL_KEY] }) },
    {
      what: 'the signature of a look-alike',
      source: () => email({ dkim: [{ ...EVIL_KEY, domain: 'tm.openai.com.evil.test' }] }),
    },
    {
      what: 'the signature of a domain below',
      source: () => email({ dkim: [{ ...EVIL_KEY, domain: 'x.openai.com' }] }),
    },
    {
      what: 'the signature of the mail service alone',
      source: () => email({ dkim: [{ ...OWN_SIGNATURE, domain: 'sendgrid.net' }] }),
    },
    { what: 'our signature by another key', source: () => email({ dkim: [createDkimKey()] }) },
    {
      what: 'a signature over a part of the body',
      source: () => email({ dkim: [{ ...OWN_SIGNATURE, bodyLength: 100 }] }),
    },
    {
      what: 'a signature over a part of the body that more was added to',
      source: async () =>
        Buffer.concat([await email({ dkim: [{ ...OWN_SIGNATURE, bodyLength: 500 }] }), Buffer.from('<p>more</p>\r\n')]),
    },
    {
      what: 'a signature over a part of the body that the server lets pass',
      source: () =>
        email({ dkim: [{ ...OWN_SIGNATURE, bodyLength: 100 }], prepend: [['Authentication-Results', pass]] }),
    },
    {
      what: 'a signature that had run out',
      source: () => email({ dkim: [{ ...OWN_SIGNATURE, expires: new Date(RECEIVED - MINUTE_MS) }] }),
    },
    {
      what: 'a signature that leaves From out',
      source: async () => replaced(await email(), /MIME-Version: From:/, 'MIME-Version:'),
    },
    { what: 'more signatures than any honest message', source: () => email({ dkim: Array(11).fill(OWN_SIGNATURE) }) },
    { what: 'a body that was changed', source: () => email({ journey: 'outlook-changed' }) },
    {
      what: 'a link that was put in place of another',
      source: async () => replaced(await email(), /cd34cd34/, 'dc34dc34'),
    },
    {
      what: 'the signature of another message',
      source: async () => {
        const [signature = ''] =
          /^DKIM-Signature: [\s\S]*?\r\n(?=\S)/.exec((await email({ kind: 'code' })).toString('latin1')) ?? [];
        return Buffer.concat([Buffer.from(signature, 'latin1'), await email({ dkim: [] })]);
      },
    },
    {
      what: 'a changed subject',
      source: async () =>
        replaced(await email(), /^Subject: .*\r\n/m, 'Subject: ChatGPT - Your data export is ready!\r\n'),
    },
    { what: 'a second Subject above the signed one', source: below('Subject: ChatGPT - Your data export is ready') },
    { what: 'a second Content-Type above the signed one', source: below('Content-Type: text/plain') },
    { what: 'a second Content-Transfer-Encoding', source: below('Content-Transfer-Encoding: 7bit') },
    {
      what: 'our From and a Sender of the impostor’s, who signed it',
      source: () => email({ dkim: [EVIL_KEY], prepend: [['Sender', 'x@evil.test']] }),
    },
    { what: 'a started notice that nobody signed', source: () => email({ kind: 'started', dkim: [] }) },
    {
      what: 'an ARC chain that says pass',
      source: () =>
        email({
          journey: 'outlook-changed',
          prepend: [
            ['ARC-Seal', 'i=1; a=rsa-sha256; t=1795287933; cv=none; d=evil.test; s=arc; b=c2VhbA=='],
            [
              'ARC-Message-Signature',
              'i=1; a=rsa-sha256; c=relaxed/relaxed; d=evil.test; s=arc; h=from; bh=eA==; b=eA==',
            ],
            ['ARC-Authentication-Results', 'i=1; mx.example.test; dmarc=pass header.from=tm.openai.com'],
          ],
        }),
    },
    {
      what: 'header fields that are only like Authentication-Results',
      source: () =>
        email({
          journey: 'outlook-changed',
          prepend: [
            ['X-Authentication-Results', pass],
            ['Authentication-Results-Original', pass],
            ['Received-SPF', 'pass'],
          ],
        }),
    },
    results('mx.example.test; none'),
    results('mx.example.test; spf=pass smtp.mailfrom=tm.openai.com'),
    results('mx.example.test; dmarc=pass'),
    results('mx.example.test; dmarc=pass header.from=evil.test'),
    results('mx.example.test; dmarc=pass header.from=tm.openai.com.evil.test'),
    results('mx.example.test; dmarc=pass header.from=tm.openai.com header.from=evil.test'),
    results('mx.example.test; dmarc=fail header.from=tm.openai.com; dmarc=pass header.from=tm.openai.com'),
    results('mx.example.test; dmarc=pass header.from=tm.openai.com; dmarc=fail header.from=tm.openai.com'),
    results('mx.example.test; dmarc=fail header.from=tm.openai.com; dkim=pass header.d=tm.openai.com'),
    results('mx.example.test; dmarc=temperror header.from=tm.openai.com'),
    results('mx.example.test; dkim=pass header.d=evil.test'),
    results('mx.example.test; dkim=pass header.d=evil.test header.i=@tm.openai.com'),
    results('mx.example.test; dkim=pass header.i=@tm.openai.com.evil.test'),
    results('mx.example.test; dkim=pass'),
    results('mx.example.test; spf=fail (dmarc=pass header.from=tm.openai.com)'),
    results(
      'mx.example.test; spf=fail (a (nested) dmarc=pass header.from=tm.openai.com; \\) dmarc=pass header.from=tm.openai.com)',
    ),
    results('mx.example.test; spf=fail smtp.mailfrom="x; dmarc=pass header.from=tm.openai.com"'),
    results('mx.example.test; spf=fail smtp.mailfrom="\\"; dmarc=pass header.from=tm.openai.com"'),
    results('mx.example.test; spf=fail (unclosed; dmarc=pass header.from=tm.openai.com'),
    results('mx.example.test (comment); dmarc(=)pass header.from=tm.openai.com'),
    results('mx.example.test 2; dmarc=pass header.from=tm.openai.com'),
    results('mx.example.test; dmarc/2=pass header.from=tm.openai.com'),
    results('evil.test; dmarc=pass header.from=tm.openai.com'),
    results('mx.example.test.evil.test; dmarc=pass header.from=tm.openai.com'),
    results('x mx.example.test; dmarc=pass header.from=tm.openai.com'),
    results('(mx.example.test) evil.test; dmarc=pass header.from=tm.openai.com'),
    results('dmarc=pass header.from=tm.openai.com'),
    results('microsoft; dmarc=pass header.from=tm.openai.com'),
    results(fail, pass),
    results(fail, 'relay.test; dmarc=pass', pass),
    results('mx.example.test; (', pass),
    results('; dmarc=fail', pass),
    results('"', pass),
  ],

  'link-not-trusted': [
    link('a host of its own', EVIL_LINK),
    link('a host that begins like ours', `https://chatgpt.com.evil.test/${EVIL_PATH}`),
    link('a host that ends like ours', `https://notchatgpt.com/${EVIL_PATH}`),
    link('a host below ours', `https://cdn.chatgpt.com/${EVIL_PATH}`),
    link('a host with a Cyrillic letter', `https://chаtgpt.com/${EVIL_PATH}`),
    link('the same host in Punycode', `https://${domainToASCII('chаtgpt.com')}/${EVIL_PATH}`),
    link('a host with a full stop at the end', `https://chatgpt.com./${EVIL_PATH}`),
    link('http', ESTUARY_LINK.replace('https', 'http')),
    link('user information', ESTUARY_LINK.replace('https://', 'https://ada@')),
    link('our host as user information', `https://chatgpt.com@evil.test/${EVIL_PATH}`),
    link('our host and a port as user information', `https://chatgpt.com:443@evil.test/${EVIL_PATH}`),
    link('our host before a backslash', `https://evil.test\\@chatgpt.com/${EVIL_PATH}`),
    link(
      'our host in the fragment',
      `https://evil.test/x.zip?-2026-11-21-19-05-33.zip#https://chatgpt.com/${EVIL_PATH}`,
    ),
    link('another port', ESTUARY_LINK.replace('chatgpt.com', 'chatgpt.com:8443')),
    link('a longer path', ESTUARY_LINK.replace('content?', 'content/x?')),
    link('a path that climbs out', ESTUARY_LINK.replace('content?', 'content/../../../x?')),
    link('a path with encoded letters', ESTUARY_LINK.replace('estuary', '%65stuary')),
    link('a path with an encoded slash', ESTUARY_LINK.replace('estuary/', 'estuary%2f')),
    link('a path with encoded dots', ESTUARY_LINK.replace('estuary/', 'estuary/%2e%2e/files/')),
    link('a doubled slash', ESTUARY_LINK.replace('estuary/', 'estuary//')),
    link('no signature', ESTUARY_LINK.replace(/&sig=[^&]*/, '')),
    link('two ids', `${ESTUARY_LINK}&id=x`),
    link('an id without a real stamp', ESTUARY_LINK.replace('2026-11-21-19-05-33', '2026-02-30-19-05-33')),
    link('an id that climbs', ESTUARY_LINK.replace('id=', 'id=../')),
    link('another container', AZURE_LINK.replace('proddatamgmtqueue', 'attacker')),
    link('another cloud', AZURE_LINK.replace('core.windows.net', 'core.windows.net.evil.test')),
    link('an Azure link without an end', AZURE_LINK.replace(/se=[^&]*&/, '')),
    link('a redirecting service that nobody knows', `https://go.test/url?q=${encodeURIComponent(ESTUARY_LINK)}`),
    link('a host like Google’s', wrapLink(ESTUARY_LINK, 'google').replace('google.com', 'google.com.evil.test')),
    link('another page of Google’s', wrapLink(ESTUARY_LINK, 'google').replace('/url?', '/amp?')),
    link('Google’s page on another port', wrapLink(ESTUARY_LINK, 'google').replace('google.com', 'google.com:444')),
    link('Google’s page with two targets', `${wrapLink(ESTUARY_LINK, 'google')}&q=x`),
    link(
      'a host like that of Safe Links',
      wrapLink(ESTUARY_LINK, 'safelinks').replace('outlook.com', 'outlook.com.evil.test'),
    ),
    link(
      'a target that is encoded twice',
      wrapLink('', 'safelinks').replace('url=', `url=${encodeURIComponent(encodeURIComponent(ESTUARY_LINK))}`),
    ),
    link('Google’s page to elsewhere', wrapLink(EVIL_LINK, 'google')),
    link('Safe Links to elsewhere', wrapLink(EVIL_LINK, 'safelinks')),
    link('Mandrill’s counter to elsewhere', wrapLink(EVIL_LINK, 'mandrill')),
    link('Mandrill’s counter to http', wrapLink(ESTUARY_LINK.replace('https', 'http'), 'mandrill')),
    link('Mandrill’s counter to user information', wrapLink(ESTUARY_LINK.replace('//', '//x:y@'), 'mandrill')),
    link(
      'wrappings in wrappings to elsewhere',
      wrapLink(wrapLink(wrapLink(EVIL_LINK, 'mandrill'), 'google'), 'safelinks'),
    ),
    link(
      'four wrappings',
      wrapLink(wrapLink(wrapLink(wrapLink(ESTUARY_LINK, 'google'), 'google'), 'google'), 'safelinks'),
    ),
    link('a click counter to elsewhere', SENDGRID, { followRedirect: async () => EVIL_LINK }),
    {
      what: 'two exports',
      source: () =>
        html(
          `<a href="${escaped(ESTUARY_LINK)}">1</a><a href="${escaped(ESTUARY_LINK.replaceAll('cd34', 'cd35'))}">2</a>`,
        ),
      options: { authenticity: 'off' },
    },
    {
      what: 'two exports, one of them wrapped',
      source: () =>
        html(
          `<a href="${escaped(ESTUARY_LINK)}">1</a><a href="${escaped(wrapLink(ESTUARY_LINK.replaceAll('cd34', 'cd35'), 'mandrill'))}">2</a>`,
        ),
      options: { authenticity: 'off' },
    },
    {
      what: 'our address shown, and another behind it',
      source: () => html(`<a href="${escaped(EVIL_LINK)}">${escaped(ESTUARY_LINK)}</a>`),
      options: { authenticity: 'off' },
    },
    {
      what: 'our link beside an imitation',
      source: () => html(`<a href="${escaped(ESTUARY_LINK)}">1</a><a href="${escaped(EVIL_LINK)}">2</a>`),
      options: { authenticity: 'off' },
    },
  ],

  'link-hidden': [
    link('a click counter that nobody may ask', SENDGRID),
    link('a wrapped click counter that nobody may ask', wrapLink(SENDGRID, 'safelinks')),
  ],

  'no-link': [
    link('a click counter of another page', SENDGRID.replace('/ls/click', '/ls/open')),
    link('a host like that of the click counter', SENDGRID.replace('sendgrid.net', 'sendgrid.net.evil.test'), {
      followRedirect: async () => ESTUARY_LINK,
    }),
    link('a click counter without encryption', SENDGRID.replace('https', 'http'), {
      followRedirect: async () => ESTUARY_LINK,
    }),
    link('a click counter on another port', SENDGRID.replace('.net', '.net:8443'), {
      followRedirect: async () => ESTUARY_LINK,
    }),
    link('a click counter that leads to another', SENDGRID, { followRedirect: async () => `${SENDGRID}2` }),
    link('a click counter that leads nowhere', SENDGRID, { followRedirect: async () => undefined }),
    link('a script', `javascript:location='${ESTUARY_LINK}'`),
    link('a page of the impostor’s', 'https://evil.test/login'),
  ],

  'too-large': [
    {
      what: 'a link that is hidden behind half a megabyte',
      source: async () => Buffer.concat([await email({ dkim: [] }), Buffer.alloc(NOTICE_MOST_BYTES, 'x')]),
    },
  ],
};

describe('The spoof corpus', () => {
  it('has at least 40 cases', () => {
    assert.ok(Object.values(CORPUS).flat().length >= 40);
  });

  it('has every reason that docs/authenticity.md names, and no other', async () => {
    const page = await readFile(new URL('../../docs/authenticity.md', import.meta.url), 'utf8');
    const [, table = ''] = page.split('## What you are told');
    const documented = [...table.matchAll(/^\| `([a-z-]+)` \|/gm)].map((match) => match[1]);
    assert.deepEqual(documented.toSorted(), Object.keys(CORPUS).toSorted());
  });

  for (const [reason, spoofs] of Object.entries(CORPUS)) {
    describe(`refused as ${reason}`, () => {
      for (const { what, source, options } of spoofs) {
        it(what, async () => {
          const notice = await read(await source(), { ...SERVER, ...options });
          assert.equal(outcome(notice), `refused: ${reason}`);
          assert.doesNotMatch(JSON.stringify(notice), new RegExp(SIGNATURE));
        });
      }
    });
  }

  it('is told to the user in whole sentences, with the way out', async () => {
    for (const spoof of Object.values(CORPUS).flat()) {
      const notice = await read(await spoof.source(), { ...SERVER, ...spoof.options });
      const detail = notice.kind === 'refused' ? notice.detail : '';
      assert.match(
        detail,
        /^A message claims to be about an export\. .+\. If it is honest, download .+\.$/,
        spoof.what,
      );
    }
  });
});

describe('A message that claims nothing', () => {
  const unrelated: Readonly<Record<string, Partial<EmailOptions>>> = {
    'is left alone though it comes from a look-alike': {
      from: { address: 'noreply@tm.openai.com.evil.test' },
      kind: 'code',
    },
    'is left alone though it is a plan mail in our name': { kind: 'plan', dkim: [] },
    'is left alone though it is about an export of something else': {
      from: { address: 'openai-fans@evil.test' },
      subject: 'Your data export is ready',
      link: 'https://evil.test/export.zip',
    },
  };
  for (const [name, options] of Object.entries(unrelated)) {
    it(name, async () => {
      assert.equal(outcome(await read(await email(options), SERVER)), 'unrelated');
    });
  }
});
