import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HOUR_MS, MINUTE_MS } from '../../src/lib/clock.ts';
import type { ReadOptions } from '../../src/notice/index.ts';
import { AZURE_LINK, brokenDns, email, OWN_SIGNATURE, outcome, RECEIVED, read, resolveTxt, STAMP } from './messages.ts';

describe('The proof of the sender', () => {
  const notAuthentic = 'refused: not-authentic';

  it('holds for a signature that was valid when the message came, though it has run out since', async () => {
    const source = await email({ dkim: [{ ...OWN_SIGNATURE, expires: new Date(RECEIVED + MINUTE_MS) }] });
    assert.equal(outcome(await read(source)), 'ready');
  });

  it('holds if one of several signatures does', async () => {
    const others = [
      { ...OWN_SIGNATURE, domain: 'sendgrid.net' },
      { ...OWN_SIGNATURE, selector: 'gone' },
      { ...OWN_SIGNATURE, bodyLength: 10 },
      { ...OWN_SIGNATURE, expires: new Date(RECEIVED - MINUTE_MS) },
    ];
    assert.equal(outcome(await read(await email({ dkim: [...others, OWN_SIGNATURE] }))), 'ready');
    assert.equal(outcome(await read(await email({ dkim: [OWN_SIGNATURE, ...others] }))), 'ready');
  });

  it('is not asked for again of a message that has none', async () => {
    assert.equal(outcome(await read(await email({ dkim: [] }), { resolveTxt: brokenDns })), notAuthentic);
  });

  const gone = { dkim: [{ ...OWN_SIGNATURE, selector: 'gone' }] };
  const missing: Readonly<Record<string, [Promise<Buffer>, Partial<ReadOptions>, RegExp]>> = {
    'the DNS is down': [email(), { resolveTxt: brokenDns }, /could not be looked up \(ESERVFAIL\)/],
    'its key is gone from the DNS': [email(gone), {}, /its DKIM key is not in the DNS/],
    'its key’s record is empty': [email(), { resolveTxt: async () => [] }, /its DKIM key is not in the DNS/],
    'its key is gone, and another signature fails': [
      email({ dkim: [{ ...OWN_SIGNATURE, bodyLength: 10 }, ...gone.dkim] }),
      {},
      /its DKIM key is not in the DNS/,
    ],
  };
  for (const [name, [source, options, why]] of Object.entries(missing)) {
    it(`is waited for until the link dies while ${name}, and then refused with the reason`, async () => {
      const deadline = STAMP + 24 * HOUR_MS;
      const waiting = await read(await source, { ...options, now: deadline - 1 });
      assert.equal(waiting.kind === 'undecided' && waiting.until, deadline);
      assert.match(waiting.kind === 'undecided' ? waiting.detail : '', why);
      const over = await read(await source, { ...options, now: deadline });
      assert.equal(outcome(over), notAuthentic);
      assert.match(over.kind === 'refused' ? over.detail : '', why);
    });
  }

  it('is waited for by the link’s own end where it says so, and a day where there is no link', async () => {
    const options = { resolveTxt: brokenDns };
    const azure = await read(await email({ link: AZURE_LINK }), options);
    assert.equal(azure.kind === 'undecided' && azure.until, Date.UTC(2026, 10, 22, 19, 5, 33));
    const started = await read(await email({ kind: 'started' }), options);
    assert.equal(started.kind === 'undecided' && started.until, RECEIVED + 24 * HOUR_MS);
  });

  it('is not waited for where the key was withdrawn', async () => {
    const withdrawn = { resolveTxt: async () => [['v=DKIM1; k=rsa; p=']] };
    assert.equal(outcome(await read(await email(), withdrawn)), notAuthentic);
  });

  it('does not hold by a key that is only being tested', async () => {
    const testing = async (name: string) => [[`${(await resolveTxt(name)).flat().join('')}; t=y`]];
    assert.equal(outcome(await read(await email(), { resolveTxt: testing })), notAuthentic);
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
    assert.match((warned.kind === 'ready' && warned.warning) || '', /not proved that tm\.openai\.com sent .*no DKIM/);
    const off = await read(source, { authenticity: 'off' });
    assert.equal(off.kind === 'ready' && off.proof, 'none: not asked for (authenticity: off)');
    assert.match((off.kind === 'ready' && off.warning) || '', /Nobody checked who sent this/);
  });

  it('needs no warning under warn where it holds', async () => {
    const notice = await read(await email(), { authenticity: 'warn' });
    assert.equal(notice.kind === 'ready' && notice.proof, 'DKIM d=tm.openai.com');
    assert.equal(notice.kind === 'ready' && notice.warning, undefined);
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
      '"MX.EXAMPLE.TEST" (by hand) 1; dmarc / 1 = pass (dmarc=fail) header.from="tm.openai.com"',
      'mx.example.test; dkim=pass header.i=@tm.openai.com header.s=s1',
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

    it('is taken from its top-most field, whatever stands below or is of other servers', async () => {
      const fail = 'mx.example.test; dmarc=fail header.from=tm.openai.com';
      assert.equal(outcome(await read(await changed('relay.test; dmarc=fail', pass, fail), server)), 'ready');
    });

    it('is taken without a name from Microsoft’s servers alone, and from their top-most field of all', async () => {
      const microsoft = { authservId: 'microsoft' };
      const nameless = 'dmarc=pass action=none header.from=tm.openai.com';
      assert.equal(outcome(await read(await changed(nameless), microsoft)), 'ready');
      for (const values of [
        ['relay.test; none', nameless],
        ['dmarc=fail action=none', nameless],
        [pass],
        ['(', nameless],
      ]) {
        assert.equal(outcome(await read(await changed(...values), microsoft)), notAuthentic, values.join(' | '));
      }
    });

    it('is told to be missing, unreadable or of no use', async () => {
      const why = async (...values: string[]) => {
        const notice = await read(await changed(...values), server);
        return notice.kind === 'refused' ? notice.detail : notice.kind;
      };
      assert.match(await why(), /there are no Authentication-Results of mx\.example\.test/);
      assert.match(await why('mx.example.test; ('), /the Authentication-Results of mx\.example\.test cannot be read/);
      assert.match(
        await why('mx.example.test; none'),
        /the Authentication-Results of mx\.example\.test do not show it/,
      );
    });

    it('decides where the DNS cannot tell', async () => {
      const source = await email({ prepend: [['Authentication-Results', pass]] });
      assert.equal(outcome(await read(source, { ...server, resolveTxt: brokenDns })), 'ready');
    });
  });
});
