import assert from 'node:assert/strict';
import type { LookupAddress, LookupOptions } from 'node:dns';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { type DownloadPlace, isPublicAddress, placeOf, publicLookup } from '../../src/download/address-guard.ts';

const CHATGPT: DownloadPlace = {
  origin: 'https://chatgpt.com',
  path: /^\/backend-api\/estuary\/content$/,
  login: true,
  extra: false,
};
const AZURE: DownloadPlace = {
  origin: 'https://proddatamgmtqueue.blob.core.windows.net',
  path: /^\/exportcontainer\/[^/]+\.zip$/,
  login: false,
  extra: false,
};
const EXTRA: DownloadPlace = { origin: 'https://proxy.lan:8443', path: /^\//, login: true, extra: true };
const PLACES = [CHATGPT, AZURE, EXTRA];

describe('places that links may lead to', () => {
  const known = {
    'https://chatgpt.com/backend-api/estuary/content?id=a.zip&sig=b': CHATGPT,
    'HTTPS://ChatGPT.com:443/backend-api/estuary/content?id=a.zip': CHATGPT,
    'https://chatgpt.com/elsewhere/../backend-api/estuary/content': CHATGPT,
    'https://proddatamgmtqueue.blob.core.windows.net/exportcontainer/a.zip?sig=b': AZURE,
    'https://proxy.lan:8443/any/path': EXTRA,
  };
  for (const [address, place] of Object.entries(known)) {
    it(`knows ${address}`, () => assert.equal(placeOf(new URL(address), PLACES), place));
  }

  const strange = {
    'plain http': 'http://chatgpt.com/backend-api/estuary/content',
    'plain http on the port of https': 'http://chatgpt.com:443/backend-api/estuary/content',
    'another scheme': 'ftp://chatgpt.com/backend-api/estuary/content',
    'a user name': 'https://ada@chatgpt.com/backend-api/estuary/content',
    'a password': 'https://:secret@chatgpt.com/backend-api/estuary/content',
    'a host in the place of the user name': 'https://chatgpt.com@evil.test/backend-api/estuary/content',
    'another port': 'https://chatgpt.com:8443/backend-api/estuary/content',
    'the port of an extra place left out': 'https://proxy.lan/any/path',
    'a host that goes on': 'https://chatgpt.com.evil.test/backend-api/estuary/content',
    'a host that ends alike': 'https://evilchatgpt.com/backend-api/estuary/content',
    'a subdomain': 'https://cdn.chatgpt.com/backend-api/estuary/content',
    'a trailing dot': 'https://chatgpt.com./backend-api/estuary/content',
    'letters that look alike': 'https://сhatgpt.com/backend-api/estuary/content',
    'a backslash for a slash': 'https://evil.test\\@chatgpt.com/backend-api/estuary/content',
    'a path that climbs': 'https://chatgpt.com/backend-api/estuary/content/../../me',
    'a path that climbs, encoded': 'https://chatgpt.com/backend-api/estuary/content/%2e%2e/%2E%2e/me',
    'a path that goes on': 'https://chatgpt.com/backend-api/estuary/content/more',
    'a slash encoded': 'https://chatgpt.com/backend-api/estuary%2Fcontent',
    'a line end, encoded': 'https://chatgpt.com/backend-api/estuary/content%0A',
    'another case in the path': 'https://chatgpt.com/Backend-api/estuary/content',
    'the path of another place': 'https://chatgpt.com/exportcontainer/a.zip',
    'no host at all': 'file:///backend-api/estuary/content',
  };
  for (const [trick, address] of Object.entries(strange)) {
    it(`knows none with ${trick}`, () => assert.equal(placeOf(new URL(address), PLACES), undefined));
  }
});

describe('public addresses', () => {
  const addresses: Record<string, Readonly<Record<string, boolean>>> = {
    'the internet': {
      '1.1.1.1': true,
      '8.8.8.8': true,
      '104.18.32.47': true,
      '172.15.255.255': true,
      '172.32.0.1': true,
      '100.63.255.255': true,
      '100.128.0.1': true,
      '192.167.255.255': true,
      '223.255.255.255': true,
      '2606:4700::6812:202f': true,
      '2001:4860:4860::8888': true,
      '2a00:1450:4001::1': true,
    },
    'this host and no host': {
      '127.0.0.1': false,
      '127.255.255.254': false,
      '0.0.0.0': false,
      '0.1.2.3': false,
      '::1': false,
      '::': false,
      '::1%lo': false,
    },
    'private networks': {
      '10.0.0.1': false,
      '10.255.255.255': false,
      '172.16.0.1': false,
      '172.31.255.255': false,
      '192.168.0.1': false,
      'fc00::1': false,
      'fd12:3456:789a::1': false,
      'fec0::1': false,
    },
    'one link': { '169.254.169.254': false, '169.254.0.1': false, 'fe80::1': false, 'fe80::1%eth0': false },
    "a carrier's own network": { '100.64.0.1': false, '100.127.255.255': false },
    'many at once': { '224.0.0.1': false, '239.255.255.255': false, '255.255.255.255': false, 'ff02::1': false },
    'documentation, benchmarks and the reserve': {
      '192.0.2.1': false,
      '198.51.100.1': false,
      '203.0.113.1': false,
      '198.18.0.1': false,
      '198.19.255.255': false,
      '192.0.0.1': false,
      '240.0.0.1': false,
      '2001:db8::1': false,
      '2001:2::1': false,
      '3fff::1': false,
      '100::1': false,
      '4000::1': false,
      '5f00::1': false,
    },
    'IPv4 inside IPv6': {
      '::ffff:8.8.8.8': true,
      '::ffff:127.0.0.1': false,
      '::ffff:7f00:1': false,
      '::ffff:10.0.0.1': false,
      '::ffff:169.254.169.254': false,
      '::127.0.0.1': false,
      '::8.8.8.8': false,
      '::7f00:1': false,
      '::ffff:0:7f00:1': false,
      '2002:808:808::1': true,
      '2002:7f00:1::': false,
      '2002:c0a8:1::1': false,
      '64:ff9b::808:808': true,
      '64:ff9b::7f00:1': false,
      '64:ff9b::a00:1': false,
      '64:ff9b:1:7f00:0:100:808:808': false,
      '64:ff9b:1::808:808': false,
      '2606:4700::5efe:8.8.8.8': true,
      '2606:4700::200:5efe:8.8.8.8': true,
      '2606:4700::5efe:10.0.0.1': false,
      '2606:4700::200:5efe:192.168.0.1': false,
      '2606:4700::300:5efe:10.0.0.1': true,
      '2001::1': false,
      '2001:0:4136:e378:8000:63bf:3fff:fdd2': false,
    },
    'other ways to write them, which the system does not use': {
      '127.1': false,
      '0x7f.0.0.1': false,
      '2130706433': false,
      '017700000001': false,
      '8.8.2056': false,
      '010.8.8.8': false,
      '0x08080808': false,
    },
    'no addresses': { '': false, localhost: false, '1.2.3.4.5': false, '[::1]': false, '8.8.8.8/8': false },
  };
  for (const [kind, table] of Object.entries(addresses)) {
    it(kind, () => {
      const judged = Object.fromEntries(Object.keys(table).map((address) => [address, isPublicAddress(address)]));
      assert.deepEqual(judged, table);
    });
  }
});

describe('name resolution for downloads', () => {
  const lookup = promisify<string, LookupOptions, string | LookupAddress[]>(publicLookup());

  it('refuses a name that resolves to this machine', async () => {
    const refusal = { code: 'ENOTPUBLIC', message: 'localhost resolves to no public address' };
    await assert.rejects(lookup('localhost', { all: true }), refusal);
    await assert.rejects(lookup('localhost', {}), refusal);
    await assert.rejects(lookup('localhost', { family: 4 }), refusal);
  });

  it('tells of a name that does not resolve', async () => {
    await assert.rejects(lookup('nowhere.invalid', { all: true }), /ENOTFOUND|EAI_AGAIN/);
  });
});
