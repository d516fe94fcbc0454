import assert from 'node:assert/strict';
import { Resolver } from 'node:dns/promises';
import { describe, it } from 'node:test';
import { type DnsServer, startDnsServer } from './dns-server.ts';

const NAME = 's1._domainkey.tm.openai.com';

function resolverOf({ address }: DnsServer): Resolver {
  const resolver = new Resolver({ timeout: 100, tries: 1 });
  resolver.setServers([address]);
  return resolver;
}

describe('the DNS server', () => {
  it('answers with the TXT record that was set last', async () => {
    await using server = await startDnsServer();
    server.setTxt(NAME, 'v=DKIM1; p=old');
    server.setTxt(NAME, 'v=DKIM1; p=new');
    assert.deepEqual(await resolverOf(server).resolveTxt(NAME), [['v=DKIM1; p=new']]);
  });

  it('splits a long text into strings of 255 bytes', async () => {
    await using server = await startDnsServer();
    const text = `v=DKIM1; p=${'A'.repeat(800)}`;
    server.setTxt(NAME, text);
    const [strings = []] = await resolverOf(server).resolveTxt(NAME);
    assert.deepEqual(
      strings.map(({ length }) => length),
      [255, 255, 255, 46],
    );
    assert.equal(strings.join(''), text);
  });

  it('compares names without case', async () => {
    await using server = await startDnsServer();
    server.setTxt(NAME, 'key');
    assert.deepEqual(await resolverOf(server).resolveTxt(NAME.toUpperCase()), [['key']]);
  });

  it('serves the records handed in, of any type, and follows aliases', async () => {
    await using server = await startDnsServer({
      records: [
        { type: 'CNAME', name: NAME, data: 's1.domainkey.example.net' },
        { type: 'TXT', name: 's1.domainkey.example.net', data: ['key'] },
        { type: 'A', name: 'example.net', data: '192.0.2.1' },
        { type: 'A', name: 'example.net', data: '192.0.2.2' },
      ],
    });
    const resolver = resolverOf(server);
    assert.deepEqual(await resolver.resolveTxt(NAME), [['key']]);
    assert.deepEqual(await resolver.resolve4('example.net'), ['192.0.2.1', '192.0.2.2']);
    server.set({ type: 'A', name: 'example.net', data: '192.0.2.3' });
    assert.deepEqual(await resolver.resolve4('example.net'), ['192.0.2.3']);
  });

  it('can answer once otherwise than from then on', async () => {
    await using server = await startDnsServer();
    const resolver = resolverOf(server);
    server.set({ type: 'A', name: 'example.net', data: '192.0.2.1' });
    server.setOnce({ type: 'A', name: 'Example.net', data: '192.0.2.7' });
    assert.deepEqual(await resolver.resolve4('example.net'), ['192.0.2.7']);
    assert.deepEqual(await resolver.resolve4('example.net'), ['192.0.2.1']);
  });

  it('says that a name does not exist, or that it has no such record', async () => {
    await using server = await startDnsServer();
    server.setTxt(NAME, 'key');
    const resolver = resolverOf(server);
    await assert.rejects(resolver.resolveTxt('elsewhere.example'), { code: 'ENOTFOUND' });
    await assert.rejects(resolver.resolveMx(NAME), { code: 'ENODATA' });
    server.remove(NAME);
    await assert.rejects(resolver.resolveTxt(NAME), { code: 'ENOTFOUND' });
  });

  it('can fail, be silent and come back', async () => {
    await using server = await startDnsServer();
    server.setTxt(NAME, 'key');
    const resolver = resolverOf(server);
    server.mode = 'servfail';
    await assert.rejects(resolver.resolveTxt(NAME), { code: 'ESERVFAIL' });
    server.mode = 'down';
    await assert.rejects(resolver.resolveTxt(NAME), { code: 'ETIMEOUT' });
    server.mode = 'up';
    assert.deepEqual(await resolver.resolveTxt(NAME), [['key']]);
    assert.deepEqual([...new Set(server.queries)], [`TXT ${NAME}`]);
  });
});
