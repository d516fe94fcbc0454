import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { createTxtResolver } from '../../src/notice/index.ts';
import { type DnsServer, startDnsServer } from '../support/openai/dns-server.ts';
import { createDkimKey } from '../support/openai/emails/index.ts';
import { email, outcome, read } from './messages.ts';

const servers: DnsServer[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function dns(): Promise<DnsServer> {
  const server = await startDnsServer();
  servers.push(server);
  return server;
}

describe('The resolver', () => {
  const name = 's1._domainkey.tm.openai.com';

  it('gives a record longer than one string whole', async () => {
    const server = await dns();
    const { dnsTxt } = createDkimKey();
    server.setTxt(name, dnsTxt);
    const records = await createTxtResolver([server.address])(name);
    assert.equal(records[0]?.join(''), dnsTxt);
  });

  it('tells a name that is not there from a server that cannot tell', async () => {
    const server = await dns();
    const resolve = createTxtResolver([server.address]);
    await assert.rejects(resolve(name), { code: 'ENOTFOUND' });
    server.mode = 'servfail';
    await assert.rejects(resolve(name), { code: 'ESERVFAIL' });
  });

  it('says which setting is wrong', () => {
    assert.throws(() => createTxtResolver(['dns.example.test']), /notices\.dns_servers: dns\.example\.test: give IP/);
  });

  it('proves a message with keys from a real DNS, and leaves it undecided while that fails', async () => {
    const server = await dns();
    const key = createDkimKey();
    server.setTxt(name, key.dnsTxt);
    const source = await email({ dkim: [key] });
    const resolveTxt = createTxtResolver([server.address]);
    server.mode = 'servfail';
    assert.equal(outcome(await read(source, { resolveTxt })), 'undecided');
    server.mode = 'up';
    assert.equal(outcome(await read(source, { resolveTxt })), 'ready');
  });
});
