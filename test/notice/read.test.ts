import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { HOUR_MS, MINUTE_MS } from '../../src/lib/clock.ts';
import { NOTICE_MOST_BYTES, readNotice } from '../../src/notice/index.ts';
import { EMAIL_KINDS, EMAIL_LANGUAGES, type EmailOptions } from '../support/openai/emails/index.ts';
import {
  AZURE_ID,
  AZURE_LINK,
  brokenDns,
  ESTUARY_ID,
  ESTUARY_LINK,
  ESTUARY_QUERY,
  email,
  NOW,
  OWN_SIGNATURE,
  outcome,
  RECEIVED,
  read,
  resolveTxt,
  SIGNATURE,
  STAMP,
} from './messages.ts';

describe('An honest ready notice', () => {
  it('gives the link, the export, when it was made, its deadline and the proof', async () => {
    const notice = await read(await email());
    assert.equal(notice.kind, 'ready');
    if (notice.kind !== 'ready') return;
    assert.equal(notice.link.reveal(), ESTUARY_LINK);
    assert.deepEqual(
      { ...notice, link: undefined },
      {
        kind: 'ready',
        provider: 'openai',
        exportId: ESTUARY_ID,
        link: undefined,
        exportTime: STAMP,
        deadline: STAMP + 24 * HOUR_MS,
        proof: 'DKIM d=tm.openai.com',
      },
    );
  });

  it('keeps the link out of whatever prints it', async () => {
    const notice = await read(await email());
    assert.doesNotMatch(inspect(notice) + JSON.stringify(notice), new RegExp(SIGNATURE));
  });

  it('is known with an Azure link, whose deadline stands in it', async () => {
    const notice = await read(await email({ link: AZURE_LINK, shape: 'multipart' }));
    assert.equal(notice.kind === 'ready' && notice.exportId, AZURE_ID);
    assert.equal(notice.kind === 'ready' && notice.deadline, Date.UTC(2026, 10, 22, 19, 5, 33));
  });

  for (const shape of ['html-only', 'multipart'] as const) {
    for (const language of EMAIL_LANGUAGES) {
      it(`is known in ${language}, ${shape}`, async () => {
        assert.equal(outcome(await read(await email({ shape, language }))), 'ready');
      });
    }
  }

  it('is known after forwarding, and with any display name or none', async () => {
    assert.equal(outcome(await read(await email({ journey: 'forwarded' }))), 'ready');
    for (const name of ['ChatGPT', null, 'Не OpenAI']) {
      assert.equal(outcome(await read(await email({ from: { name } }))), 'ready');
    }
  });

  it('is known by a signature of the organisation', async () => {
    const notice = await read(await email({ dkim: [{ ...OWN_SIGNATURE, domain: 'openai.com' }] }));
    assert.equal(notice.kind === 'ready' && notice.proof, 'DKIM d=openai.com');
  });

  it('is known from a text part alone, where the address is broken over two lines and & is written &amp;', async () => {
    const broken = ESTUARY_LINK.replaceAll('&', '&amp;');
    const text = plain(`Download data export\r\n<${broken.slice(0, 90)}\r\n${broken.slice(90)}>`);
    const notice = await read(text, { authenticity: 'off' });
    assert.equal(notice.kind === 'ready' && notice.link.reveal(), ESTUARY_LINK);
  });

  it('is known by its whole HTML link where a line break cut the one in the text', async () => {
    const source = alternative(
      `See ${ESTUARY_LINK.slice(0, 200)}\r\nthanks`,
      `<a href="${escaped(ESTUARY_LINK)}">x</a>`,
    );
    const notice = await read(source, { authenticity: 'off' });
    assert.equal(notice.kind === 'ready' && notice.link.reveal(), ESTUARY_LINK);
  });

  it('dies 24 hours after its email where that was sent before the export was stamped', async () => {
    const notice = await read(await email(), {}, STAMP - HOUR_MS);
    assert.equal(notice.kind === 'ready' && notice.deadline, STAMP + 23 * HOUR_MS);
  });

  it('gains no time from a mail server whose clock is ahead', async () => {
    const late = ESTUARY_LINK.replace('2026-11-21-19-05-33', '2027-01-01-00-00-00');
    const notice = await read(await email({ link: late }), {}, NOW + 10 * HOUR_MS);
    assert.equal(notice.kind === 'ready' && notice.deadline, NOW + 24 * HOUR_MS);
  });

  it('may lead to an extra origin, with the same path and query', async () => {
    const link = `https://proxy.example.test:8443/backend-api/estuary/content?${ESTUARY_QUERY}`;
    const source = await email({ link });
    assert.equal(outcome(await read(source, { extraOrigins: ['https://proxy.example.test:8443'] })), 'ready');
    assert.equal(
      outcome(await read(source, { extraOrigins: ['https://proxy.example.test'] })),
      'refused: link-not-trusted',
    );
  });
});

describe('Other mail of the provider', () => {
  it('is a started notice, or unrelated', async () => {
    for (const kind of EMAIL_KINDS.filter((kind) => kind !== 'ready')) {
      assert.equal(outcome(await read(await email({ kind }))), kind === 'started' ? 'started' : 'unrelated', kind);
    }
  });

  it('is unrelated if it links to a picture at the place where exports are, too', async () => {
    const link = 'https://chatgpt.com/backend-api/estuary/content?id=file-abc123.png&ts=1&sig=ef56';
    assert.equal(outcome(await read(await email({ kind: 'task', link }))), 'unrelated');
  });

  it('is refused if it says that an export is ready and holds no link', async () => {
    const link = 'https://u20216706.ct.sendgrid.net/ls/click?upn=u001.abc';
    assert.equal(outcome(await read(await email({ link }))), 'refused: link-hidden');
  });
});

describe('An impostor', () => {
  const wrongLinks: Readonly<Record<string, string>> = {
    'a host of its own': `https://evil.test/backend-api/estuary/content?${ESTUARY_QUERY}`,
    'a host that begins like ours': `https://chatgpt.com.evil.test/backend-api/estuary/content?${ESTUARY_QUERY}`,
    'a host that ends like ours': `https://notchatgpt.com/backend-api/estuary/content?${ESTUARY_QUERY}`,
    'a host below ours': `https://cdn.chatgpt.com/backend-api/estuary/content?${ESTUARY_QUERY}`,
    'a host with a Cyrillic letter': `https://chаtgpt.com/backend-api/estuary/content?${ESTUARY_QUERY}`,
    'a host with a full stop at the end': `https://chatgpt.com./backend-api/estuary/content?${ESTUARY_QUERY}`,
    http: ESTUARY_LINK.replace('https', 'http'),
    'user information': ESTUARY_LINK.replace('https://', 'https://ada@'),
    'our host as user information': `https://chatgpt.com@evil.test/backend-api/estuary/content?${ESTUARY_QUERY}`,
    'our host before a backslash': `https://evil.test\\@chatgpt.com/backend-api/estuary/content?${ESTUARY_QUERY}`,
    'another port': ESTUARY_LINK.replace('chatgpt.com', 'chatgpt.com:8443'),
    'a longer path': ESTUARY_LINK.replace('content?', 'content/x?'),
    'a redirecting service that nobody knows': `https://go.test/url?q=${encodeURIComponent(ESTUARY_LINK)}`,
    'a redirecting service, twice encoded': `https://nam.safelinks.protection.outlook.com/?url=${encodeURIComponent(encodeURIComponent(ESTUARY_LINK))}`,
    'no signature': ESTUARY_LINK.replace(/&sig=[^&]*/, ''),
    'two ids': `${ESTUARY_LINK}&id=x`,
    'an id without a stamp': ESTUARY_LINK.replace('2026-11-21-19-05-33', '2026-02-30-19-05-33'),
    'an id that climbs': ESTUARY_LINK.replace('id=', 'id=../'),
    'another container': AZURE_LINK.replace('proddatamgmtqueue', 'attacker'),
    'an Azure link without an end': AZURE_LINK.replace(/se=[^&]*&/, ''),
  };
  for (const [name, link] of Object.entries(wrongLinks)) {
    it(`is refused for a link with ${name}`, async () => {
      const notice = await read(await email({ link }));
      assert.equal(outcome(notice), 'refused: link-not-trusted');
      assert.doesNotMatch(notice.kind === 'refused' ? notice.detail : '', new RegExp(SIGNATURE));
    });
  }

  it('is refused for links to two exports', async () => {
    const second = ESTUARY_LINK.replaceAll('cd34', 'cd35');
    const source = html(`<a href="${escaped(ESTUARY_LINK)}">1</a><a href="${escaped(second)}">2</a>`);
    assert.equal(outcome(await read(source, { authenticity: 'off' })), 'refused: link-not-trusted');
  });

  it('is judged by where a link leads, not by what it shows', async () => {
    const source = html(`<a href="https://evil.test/backend-api/estuary/content">${escaped(ESTUARY_LINK)}</a>`);
    assert.equal(outcome(await read(source, { authenticity: 'off' })), 'refused: link-not-trusted');
  });

  const strangers = [
    'noreply@tm.openai.com.evil.test',
    'noreply@eviltm.openai.com',
    'noreply@openai.com',
    'noreply@mail.tm.openai.com',
    'noreply@tm-openai.com',
    'noreply@tm.openai.com.',
    'noreply@tm.оpenai.com',
    'tm.openai.com@evil.test',
  ];
  for (const address of strangers) {
    it(`is refused as ${address}`, async () => {
      for (const authenticity of ['require', 'warn', 'off'] as const) {
        const notice = await read(await email({ from: { address }, dkim: [] }), { authenticity });
        assert.equal(outcome(notice), 'refused: sender-not-trusted');
      }
    });
  }

  it('is refused with our address as its display name', async () => {
    const notice = await read(await email({ from: { address: 'x@evil.test', name: 'noreply@tm.openai.com' } }));
    assert.equal(outcome(notice), 'refused: sender-not-trusted');
  });

  it('is refused for the known subject alone', async () => {
    const source = await email({ from: { address: 'openai@evil.test' }, link: 'https://evil.test/login' });
    assert.equal(outcome(await read(source)), 'refused: sender-not-trusted');
  });

  it('is refused without any sender', async () => {
    assert.equal(outcome(await read(replaced(await email(), /^From: .*\r\n/m, ''))), 'refused: sender-not-trusted');
  });

  it('is refused for two senders in one field, or two fields', async () => {
    const two = 'From: "OpenAI" <noreply@tm.openai.com>, <x@evil.test>\r\n';
    const fields = 'From: <noreply@tm.openai.com>\r\nFrom : <x@evil.test>\r\n';
    for (const from of [two, fields]) {
      const source = replaced(await email(), /^From: .*\r\n/m, from);
      assert.equal(outcome(await read(source, { authenticity: 'off' })), 'refused: several-senders');
    }
  });

  it('is refused for a group of senders', async () => {
    const group = 'From: OpenAI: <noreply@tm.openai.com>, <x@evil.test>;\r\n';
    const source = replaced(await email(), /^From: .*\r\n/m, group);
    assert.equal(outcome(await read(source, { authenticity: 'off' })), 'refused: several-senders');
  });

  it('is refused for an address that only an encoded word makes ours', async () => {
    const encoded = `From: =?utf-8?B?${Buffer.from('noreply@tm.openai.com').toString('base64')}?= <x@evil.test>\r\n`;
    const source = replaced(await email(), /^From: .*\r\n/m, encoded);
    assert.equal(outcome(await read(source, { authenticity: 'off' })), 'refused: sender-not-trusted');
  });

  it('is unrelated if it claims nothing', async () => {
    const source = plain('Shall we have lunch?', 'Grace <grace@openai.example.test>', 'Lunch');
    assert.equal(outcome(await read(source)), 'unrelated');
  });
});

describe('The proof of the sender', () => {
  const notAuthentic = 'refused: not-authentic';

  const unproved: Readonly<Record<string, Partial<EmailOptions>>> = {
    'no signature': { dkim: [] },
    'the signature of a stranger': { dkim: [{ ...OWN_SIGNATURE, domain: 'evil.test' }] },
    'the signature of the mail service alone': { dkim: [{ ...OWN_SIGNATURE, domain: 'sendgrid.net' }] },
    'a signature over a part of the body': { dkim: [{ ...OWN_SIGNATURE, bodyLength: 100 }] },
    'a signature that had run out': { dkim: [{ ...OWN_SIGNATURE, expires: new Date(RECEIVED - MINUTE_MS) }] },
    'a body that was changed': { journey: 'outlook-changed' },
    'more signatures than any honest message': { dkim: Array(11).fill(OWN_SIGNATURE) },
  };
  for (const [name, options] of Object.entries(unproved)) {
    it(`fails for ${name}`, async () => {
      assert.equal(outcome(await read(await email(options))), notAuthentic);
    });
  }

  it('holds for a signature that was valid when the message came, though it has run out since', async () => {
    const source = await email({ dkim: [{ ...OWN_SIGNATURE, expires: new Date(RECEIVED + MINUTE_MS) }] });
    assert.equal(outcome(await read(source)), 'ready');
  });

  it('fails for a changed subject, and for a second field above a signed one', async () => {
    const changed = replaced(await email(), /^Subject: .*\r\n/m, 'Subject: ChatGPT\r\n');
    assert.equal(outcome(await read(changed)), notAuthentic);
    for (const field of ['Content-Type: text/plain', 'Subject: Hello', 'Content-Transfer-Encoding: 7bit']) {
      const source = Buffer.concat([Buffer.from(`${field}\r\n`), await email()]);
      assert.equal(outcome(await read(source, { authservId: 'mx.test' })), notAuthentic, field);
    }
  });

  it('is not asked for again of a message that has none', async () => {
    assert.equal(outcome(await read(await email({ dkim: [] }), { resolveTxt: brokenDns })), notAuthentic);
  });

  it('waits for the DNS', async () => {
    const notice = await read(await email(), { resolveTxt: brokenDns });
    assert.equal(notice.kind, 'undecided');
    assert.match(notice.kind === 'undecided' ? notice.detail : '', /ESERVFAIL/);
  });

  it('never makes us ask the DNS for names of a stranger’s choice', async () => {
    const asked: string[] = [];
    await read(await email({ dkim: [{ ...OWN_SIGNATURE, domain: 'evil.test' }, OWN_SIGNATURE] }), {
      resolveTxt: async (name) => {
        asked.push(name);
        return resolveTxt(name);
      },
    });
    assert.deepEqual(asked, ['s1._domainkey.tm.openai.com']);
  });

  it('is no more than a word in the record under the policy warn, and under off', async () => {
    const source = await email({ dkim: [] });
    const warned = await read(source, { authenticity: 'warn' });
    assert.equal(warned.kind === 'ready' && warned.proof, 'none: it carries no DKIM signature (authenticity: warn)');
    const off = await read(source, { authenticity: 'off' });
    assert.equal(off.kind === 'ready' && off.proof, 'none: not asked for (authenticity: off)');
  });

  it('is not left out for a started notice', async () => {
    assert.equal(outcome(await read(await email({ kind: 'started', dkim: [] }))), notAuthentic);
  });

  describe('by the receiving server', () => {
    const server = { authservId: 'mx.example.test' };
    const changed = (...values: string[]): Promise<Buffer> =>
      email({
        journey: 'outlook-changed',
        prepend: values.map((value) => ['Authentication-Results', value] as const),
      });

    const believed = [
      'mx.example.test; dmarc=pass (p=REJECT sp=REJECT dis=NONE) header.from=tm.openai.com',
      'MX.example.test 1; spf=pass smtp.mailfrom="bounces@em.tm.openai.com"; dmarc=pass header.from=TM.openai.com',
      'mx.example.test;\r\n\tdkim=pass (2048-bit key) header.d=tm.openai.com header.i=@tm.openai.com header.b="ab/+c="',
      'mx.example.test; dkim=fail header.d=evil.test; dkim=pass header.d=openai.com; dmarc=none',
      'mx.example.test; dkim=pass (signature was verified) header.d=tm.openai.com;dmarc=pass action=none header.from=tm.openai.com;compauth=pass reason=100',
    ];
    for (const value of believed) {
      it(`holds for ${value.replace(/\s+/g, ' ')}`, async () => {
        const notice = await read(await changed(value), server);
        assert.equal(outcome(notice), 'ready');
        assert.match(notice.kind === 'ready' ? notice.proof : '', /^Authentication-Results of mx\.example\.test: d/);
      });
    }

    const disbelieved = [
      'mx.example.test; none',
      'mx.example.test; spf=pass smtp.mailfrom=tm.openai.com',
      'mx.example.test; dmarc=pass',
      'mx.example.test; dmarc=pass header.from=evil.test',
      'mx.example.test; dmarc=pass header.from=tm.openai.com header.from=evil.test',
      'mx.example.test; dmarc=fail header.from=tm.openai.com; dmarc=pass header.from=tm.openai.com',
      'mx.example.test; dmarc=fail header.from=tm.openai.com; dkim=pass header.d=tm.openai.com',
      'mx.example.test; dmarc=temperror header.from=tm.openai.com',
      'mx.example.test; dkim=pass header.d=evil.test',
      'mx.example.test; dkim=pass',
      'mx.example.test; spf=fail (dmarc=pass header.from=tm.openai.com)',
      'mx.example.test; spf=fail (a (nested) dmarc=pass header.from=tm.openai.com; \\) dmarc=pass header.from=tm.openai.com)',
      'mx.example.test; spf=fail smtp.mailfrom="x; dmarc=pass header.from=tm.openai.com"',
      'mx.example.test; spf=fail (unclosed; dmarc=pass header.from=tm.openai.com',
      'mx.example.test (comment); dmarc(=)pass header.from=tm.openai.com',
      'evil.test; dmarc=pass header.from=tm.openai.com',
      'mx.example.test.evil.test; dmarc=pass header.from=tm.openai.com',
      'x mx.example.test; dmarc=pass header.from=tm.openai.com',
      '(mx.example.test) evil.test; dmarc=pass header.from=tm.openai.com',
      'dmarc=pass header.from=tm.openai.com',
    ];
    for (const value of disbelieved) {
      it(`fails for ${value}`, async () => {
        assert.equal(outcome(await read(await changed(value), server)), notAuthentic);
      });
    }

    const pass = 'mx.example.test; dmarc=pass header.from=tm.openai.com';

    it('is taken from nobody unless the server is named', async () => {
      assert.equal(outcome(await read(await changed(pass))), notAuthentic);
    });

    it('is taken from its top-most field alone', async () => {
      const fail = 'mx.example.test; dmarc=fail header.from=tm.openai.com';
      assert.equal(outcome(await read(await changed(fail, pass), server)), notAuthentic);
      assert.equal(outcome(await read(await changed('mx.example.test; (', pass), server)), notAuthentic);
      assert.equal(outcome(await read(await changed('relay.test; dmarc=fail', pass, fail), server)), 'ready');
    });

    it('decides where the DNS cannot tell', async () => {
      const source = await email({ prepend: [['Authentication-Results', pass]] });
      assert.equal(outcome(await read(source, { ...server, resolveTxt: brokenDns })), 'ready');
    });
  });
});

describe('A message of any bytes', () => {
  const readable = async (source: Buffer | undefined) => {
    const notice = await readNotice(
      { source, receivedAt: RECEIVED },
      { extraOrigins: [], authenticity: 'require', authservId: 'mx.test', resolveTxt, now: NOW },
    );
    assert.ok(['ready', 'started', 'refused', 'undecided', 'unrelated'].includes(notice.kind));
    return notice;
  };

  it('is read without an error', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), async (bytes) => {
        assert.equal((await readable(Buffer.from(bytes))).kind, 'unrelated');
      }),
      { numRuns: 200 },
    );
  });

  it('is never ready when an honest one was changed in what is signed', async () => {
    const honest = await email({ shape: 'multipart' });
    const edit = fc.record({
      at: fc.nat({ max: honest.length - 1 }),
      remove: fc.nat({ max: 40 }),
      insert: fc.uint8Array({ maxLength: 40 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 4 }), async (edits) => {
        let source = honest;
        for (const { at, remove, insert } of edits) {
          source = Buffer.concat([source.subarray(0, at), Buffer.from(insert), source.subarray(at + remove)]);
        }
        const notice = await readable(source);
        if (notice.kind === 'ready') assert.equal(notice.link.reveal(), ESTUARY_LINK);
      }),
      { numRuns: 150 },
    );
  });

  it('is refused when it was too large to be fetched', async () => {
    assert.equal(outcome(await readable(undefined)), 'refused: too-large');
  });

  it('is judged by its sender when it is larger than any notice', async () => {
    const filling = Buffer.alloc(NOTICE_MOST_BYTES, 'x');
    assert.equal(outcome(await read(Buffer.concat([await email(), filling]))), 'refused: too-large');
    const other = plain('Pictures', 'grace@openai.example.test');
    assert.equal(outcome(await read(Buffer.concat([other, filling]))), 'unrelated');
  });

  it('is unrelated when its header is longer than any honest one', async () => {
    assert.equal(outcome(await readable(Buffer.from('X-A: b\r\n'.repeat(40_000)))), 'unrelated');
  });

  it('is refused when its thousands of parts hide behind the right sender', async () => {
    const source = Buffer.from(
      `From: noreply@tm.openai.com\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n${'--b\r\n\r\n'.repeat(5_000)}`,
    );
    assert.equal(outcome(await readable(source)), 'refused: no-link');
  });
});

function plain(text: string, from = 'noreply@tm.openai.com', subject = 'ChatGPT - Your data export is ready'): Buffer {
  return Buffer.from(
    `From: ${from}\r\nSubject: ${subject}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${text}\r\n`,
  );
}

function html(body: string): Buffer {
  return Buffer.from(`From: noreply@tm.openai.com\r\nContent-Type: text/html; charset=utf-8\r\n\r\n${body}\r\n`);
}

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

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;');
}

function replaced(source: Buffer, pattern: RegExp, by: string): Buffer {
  return Buffer.from(source.toString('latin1').replace(pattern, by), 'latin1');
}
