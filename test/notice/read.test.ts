import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { HOUR_MS, MINUTE_MS } from '../../src/lib/clock.ts';
import { NOTICE_MOST_BYTES, readNotice } from '../../src/notice/index.ts';
import { EMAIL_KINDS, EMAIL_LANGUAGES } from '../support/openai/emails/index.ts';
import {
  AZURE_ID,
  AZURE_LINK,
  brokenDns,
  ESTUARY_ID,
  ESTUARY_LINK,
  ESTUARY_QUERY,
  email,
  escaped,
  NOW,
  OWN_SIGNATURE,
  outcome,
  plain,
  RECEIVED,
  read,
  replaced,
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

describe('The proof of the sender', () => {
  const notAuthentic = 'refused: not-authentic';

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
