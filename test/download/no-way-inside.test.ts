import assert from 'node:assert/strict';
import { isIPv6 } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { type Errand, Walls } from './walls/index.ts';

/**
 * Whatever a link, a redirect or a name leads to: no request goes where no export can be. The network is real and
 * treacherous: every address answers. That nothing is seen there is worth something only because the same way is taken,
 * each time, with the guard told to let it pass; and the kernel counts the connections.
 */

const PATH = '/backend-api/estuary/content?id=x.zip&sig=a';
const LINK = `https://chatgpt.com${PATH}`;
const AZURE_LINK = 'https://proddatamgmtqueue.blob.core.windows.net/exportcontainer/x.zip?sig=a';
const CLICK = 'https://u20216706.ct.sendgrid.net/ls/click?upn=u001.Xk3fJ8s-2BqL0a';
const EXPORT_ID = `${'ab12'.repeat(16)}-2026-11-21-19-05-33-${'cd34'.repeat(8)}`;
const EXPORT_LINK = `https://chatgpt.com/backend-api/estuary/content?id=${EXPORT_ID}.zip&ts=1&p=de&cid=1&sig=${'ef'.repeat(32)}&v=0`;

/** Addresses at which no export is, and to which a TCP connection can be made all the same. */
const FORBIDDEN: Readonly<Record<string, readonly string[]>> = {
  'this machine': ['127.0.0.1', '127.0.0.2', '127.255.255.254', '::1'],
  'no address yet': ['0.0.0.0', '0.1.2.3', '::'],
  'private networks': [
    '10.0.0.1',
    '10.255.255.254',
    '172.16.0.1',
    '172.17.0.1',
    '172.31.255.254',
    '192.168.0.1',
    '192.168.1.254',
    'fc00::1',
    'fd00::1',
    'fd00:ec2::254',
    'fdff:ffff:ffff::1',
    'fec0::1',
  ],
  'one link: the metadata of clouds': ['169.254.169.254', '169.254.170.2', '169.254.0.1'],
  "a carrier's own network": ['100.64.0.1', '100.100.100.200', '100.127.255.254'],
  'what the protocols keep to themselves': ['192.0.0.1', '192.0.0.170', '192.0.0.192', '192.88.99.1'],
  'documentation and benchmarks': [
    '192.0.2.1',
    '198.51.100.1',
    '203.0.113.1',
    '198.18.0.1',
    '198.19.255.254',
    '2001:db8::1',
    '3fff::1',
    '2001:2::1',
  ],
  'the reserve': ['240.0.0.1', '255.255.255.254', '4000::1', '8000::1', 'e000::1', '100::1', '5f00::1', '2001:20::1'],
  'IPv4 mapped into IPv6': ['::ffff:127.0.0.1', '::ffff:10.0.0.1', '::ffff:169.254.169.254', '::ffff:192.168.1.1'],
  'IPv4 in IPv6 as it once was': ['::127.0.0.1', '::10.0.0.1', '::8.8.8.8', '::ffff:0:10.0.0.1', '::ffff:0:8.8.8.8'],
  '6to4 of private IPv4': ['2002:7f00:1::', '2002:a00:1::1', '2002:c0a8:101::1', '2002:a9fe:a9fe::1', '2002:6440:1::1'],
  'NAT64 of private IPv4': [
    '64:ff9b::127.0.0.1',
    '64:ff9b::10.0.0.1',
    '64:ff9b::169.254.169.254',
    '64:ff9b::100.64.0.1',
  ],
  'NAT64 of a local kind': ['64:ff9b:1::10.0.0.1', '64:ff9b:1::8.8.8.8', '64:ff9b:1:a00:0:100::'],
  Teredo: ['2001::1', '2001:0:4136:e378:8000:63bf:3fff:fdd2', '2001:0:7f00:1::'],
  'ISATAP of private IPv4': ['2606:4700::5efe:10.0.0.1', '2606:4700::200:5efe:192.168.1.1'],
};

/** No TCP connection can be made there, with or without a guard: the kernel refuses. */
const UNREACHABLE = ['255.255.255.255', '224.0.0.1', '239.255.255.250', 'ff02::1', 'ff05::1:3', 'fe80::1'];

/** Other ways to write an address, as WHATWG URL reads them, and what they mean. */
const SPELLINGS: Readonly<Record<string, string>> = {
  '127.1': '127.0.0.1',
  '2130706433': '127.0.0.1',
  '0x7f000001': '127.0.0.1',
  '0x7f.0.0.1': '127.0.0.1',
  '0177.0.0.1': '127.0.0.1',
  '017700000001': '127.0.0.1',
  '127.0.0.1.': '127.0.0.1',
  '１２７.０.０.１': '127.0.0.1',
  '127。0。0。1': '127.0.0.1',
  '①②⑦.0.0.1': '127.0.0.1',
  '127%2e0%2e0%2e1': '127.0.0.1',
  '0': '0.0.0.0',
  '10.1': '10.0.0.1',
  '0xa9fea9fe': '169.254.169.254',
  '2852039166': '169.254.169.254',
  '0251.0376.0251.0376': '169.254.169.254',
  '192.168.257': '192.168.1.1',
  '[0:0:0:0:0:0:0:1]': '[::1]',
  '[::ffff:7f00:1]': '[::ffff:7f00:1]',
  '[::127.0.0.1]': '[::7f00:1]',
};

/** Where a server may try to send us. */
const BAIT: Readonly<Record<string, string>> = {
  'another scheme': `http://chatgpt.com${PATH}`,
  'another scheme on the port of https': `http://chatgpt.com:443${PATH}`,
  'another port': `https://chatgpt.com:8443${PATH}`,
  'a user name': `https://ada@chatgpt.com${PATH}`,
  'a password': `https://ada:x@chatgpt.com${PATH}`,
  'a host behind an @': `https://chatgpt.com@evil.test${PATH}`,
  'a backslash': `https://evil.test\\@chatgpt.com${PATH}`,
  'a host that goes on': `https://chatgpt.com.evil.test${PATH}`,
  'a host that ends alike': `https://evilchatgpt.com${PATH}`,
  'a subdomain': `https://files.chatgpt.com${PATH}`,
  'a trailing dot': `https://chatgpt.com.${PATH}`,
  'letters that look alike': `https://сhatgpt.com${PATH}`,
  'another path': 'https://chatgpt.com/backend-api/me',
  'a path that climbs': 'https://chatgpt.com/backend-api/estuary/content/../../me',
  'a host without a scheme': `//evil.test${PATH}`,
  'a host of OpenAI': `https://auth.openai.com${PATH}`,
  'another container of Azure': 'https://evil.blob.core.windows.net/exportcontainer/x.zip?sig=a',
  'a name of this machine': `https://localhost${PATH}`,
  'the metadata of a cloud, by name': `https://metadata.google.internal${PATH}`,
  'a name that holds an address': `https://10.0.0.1.nip.io${PATH}`,
  'a file': 'file:///etc/passwd',
  'data in itself': 'data:application/zip;base64,UEsDBA==',
  'a script': 'javascript:alert(1)',
  FTP: `ftp://chatgpt.com${PATH}`,
  Gopher: 'gopher://127.0.0.1:6379/_FLUSHALL',
  'no address': 'https://',
};

const EVIL_NAMES = {
  'evil.test': ['93.184.215.14'],
  'chatgpt.com.evil.test': ['10.0.0.1'],
  'evilchatgpt.com': ['10.0.0.1'],
  'files.chatgpt.com': ['10.0.0.1'],
  'auth.openai.com': ['10.0.0.1'],
  'evil.blob.core.windows.net': ['10.0.0.1'],
  'metadata.google.internal': ['169.254.169.254'],
  '10.0.0.1.nip.io': ['10.0.0.1'],
  'xn--hatgpt-l1a.com': ['93.184.215.14'],
} as const;

const host = (address: string) => (isIPv6(address) ? `[${address}]` : address);

/** As a header field can hold it: a server that means other characters than ASCII sends the address in its normal form. */
function asField(location: string): string {
  return /^[\x20-\x7e]*$/.test(location) ? location : new URL(location).href;
}

let walls: Walls;
before(async () => {
  walls = await Walls.raise();
});
after(() => walls[Symbol.asyncDispose]());

/** Asserts that nobody was connected to but the honest, and gives the report. */
async function unseen(errand: Errand) {
  const report = await walls.run(errand);
  assert.deepEqual(report.contacts, [], `${JSON.stringify(errand)} was seen`);
  assert.equal(report.dials, report.asked.length, 'no connection but those of the honest requests was opened');
  return report;
}

/** Asserts that somebody was connected to, once the guard was told to let it pass. */
async function seen(errand: Errand): Promise<void> {
  const { contacts } = await walls.run(errand);
  assert.equal(contacts.length, 1, `${JSON.stringify(errand)} was not seen`);
}

describe('the network of these tests', () => {
  it('serves the honest', async () => {
    const report = await unseen({ by: 'download', link: LINK });
    assert.equal(report.outcome, 'whole');
    assert.deepEqual([...new Set(report.asked)], ['chatgpt.com/backend-api/estuary/content + login']);
    assert.equal((await unseen({ by: 'download', link: AZURE_LINK })).outcome, 'whole');
    assert.equal((await unseen({ by: 'notice', link: CLICK, redirects: [EXPORT_LINK] })).outcome, 'ready');
  });
});

describe('a name of the provider that resolves to', () => {
  for (const [kind, addresses] of Object.entries(FORBIDDEN)) {
    for (const address of addresses) {
      it(`${kind} (${address}) is not connected to`, async () => {
        const errand: Errand = { by: 'download', link: LINK, names: { 'chatgpt.com': [address] } };
        const { outcome, detail, asked } = await unseen(errand);
        assert.deepEqual([outcome, asked], ['interrupted', []]);
        assert.match(detail, /^chatgpt\.com is at a private address/);
        await seen({ ...errand, extraOrigins: ['https://chatgpt.com'] });
      });
    }
  }

  for (const address of UNREACHABLE) {
    it(`what is no single machine (${address}) is not connected to`, async () => {
      const { outcome, detail } = await unseen({ by: 'download', link: LINK, names: { 'chatgpt.com': [address] } });
      assert.equal(outcome, 'interrupted');
      assert.match(detail, /^chatgpt\.com is at a private address/);
    });
  }

  it('a public address among private ones is connected to there', async () => {
    const names = { 'chatgpt.com': ['10.0.0.1', 'fd00::1', '104.18.32.47', '127.0.0.1'] };
    assert.equal((await unseen({ by: 'download', link: LINK, names })).outcome, 'whole');
  });

  it('a public address of IPv4 inside IPv6 is connected to', async () => {
    for (const address of ['64:ff9b::8.8.8.8', '2002:808:808::1', '::ffff:8.8.8.8']) {
      await seen({ by: 'download', link: LINK, names: { 'chatgpt.com': [address] } });
    }
  });

  it('another address at the second question is asked for once only', async () => {
    const names = { 'chatgpt.com': ['10.0.0.1'] };
    const namesAtFirst = { 'chatgpt.com': ['104.18.32.47'] };
    const report = await unseen({ by: 'download', link: LINK, names, namesAtFirst });
    assert.equal(report.outcome, 'whole');
    const reversed = { names: namesAtFirst, namesAtFirst: names };
    assert.equal((await unseen({ by: 'download', link: LINK, ...reversed })).outcome, 'interrupted');
  });

  it('another address after a visit is judged anew', async () => {
    const namesAfterVisit = { 'chatgpt.com': ['169.254.169.254'] };
    const errand: Errand = { by: 'download', link: LINK, redirects: [LINK], namesAfterVisit };
    const { outcome, asked } = await unseen(errand);
    assert.deepEqual([outcome, asked.length], ['interrupted', 1]);
    await seen({ ...errand, extraOrigins: ['https://chatgpt.com'] });
  });
});

describe('an address in the place of a name', () => {
  for (const address of [...Object.values(FORBIDDEN).flat(), ...UNREACHABLE]) {
    it(`is not connected to, even if nothing had judged the link: ${address}`, async () => {
      const { outcome } = await unseen({ by: 'send', link: `https://${host(address)}${PATH}` });
      assert.equal(outcome, 'ENOTPUBLIC');
    });
  }

  for (const address of Object.values(FORBIDDEN).flat()) {
    const link = `https://${host(address)}${PATH}`;
    it(`is no place that exports come from, unless the user says so: ${address}`, async () => {
      assert.equal((await unseen({ by: 'download', link })).outcome, 'interrupted');
      await seen({ by: 'download', link, extraOrigins: [new URL(link).origin] });
    });
  }
});

describe('a redirect', () => {
  for (const address of [...Object.values(FORBIDDEN).flat(), ...UNREACHABLE]) {
    it(`to ${address} is not followed`, async () => {
      const { outcome, asked } = await unseen({
        by: 'download',
        link: LINK,
        redirects: [`https://${host(address)}${PATH}`],
      });
      assert.deepEqual([outcome, asked.length], ['interrupted', 1]);
    });
  }

  for (const [spelling, meaning] of Object.entries(SPELLINGS)) {
    it(`to ${meaning} written as ${spelling} is not followed`, async () => {
      const location = `https://${spelling}${PATH}`;
      assert.equal(URL.parse(location)?.hostname, meaning);
      const { outcome, asked } = await unseen({ by: 'download', link: LINK, redirects: [asField(location)] });
      assert.deepEqual([outcome, asked.length], ['interrupted', 1]);
      assert.equal((await unseen({ by: 'send', link: location })).outcome, 'ENOTPUBLIC');
    });
  }

  for (const [trick, location] of Object.entries(BAIT)) {
    it(`with ${trick} is not followed`, async () => {
      const redirects = [asField(location)];
      const { outcome, asked } = await unseen({ by: 'download', link: LINK, redirects, names: EVIL_NAMES });
      assert.match(outcome, /^(interrupted|needs-login)$/);
      assert.equal(asked.length, 1);
    });
  }
});

describe('a chain of redirects', () => {
  const chains: Readonly<Record<string, readonly string[]>> = {
    'that stays at first, and then leads inside': [LINK, LINK, `https://10.0.0.1${PATH}`],
    'over another place of exports': [AZURE_LINK, `https://169.254.169.254${PATH}`],
    'there and back, and then inside': [AZURE_LINK, LINK, `https://[::1]${PATH}`],
    'that leaves https in between': [`http://chatgpt.com${PATH}`, LINK],
    'to a name that leads inside': [AZURE_LINK, `https://evil.test${PATH}`],
  };
  for (const [how, redirects] of Object.entries(chains)) {
    it(`${how} is followed no further than where exports come from`, async () => {
      const { outcome } = await unseen({ by: 'download', link: LINK, redirects, names: EVIL_NAMES });
      assert.match(outcome, /^(interrupted|needs-login)$/);
    });
  }

  it('takes no login to another place of exports', async () => {
    const { outcome, asked } = await unseen({ by: 'download', link: LINK, redirects: [AZURE_LINK] });
    assert.equal(outcome, 'whole');
    assert.deepEqual(
      asked.filter((request) => request.startsWith('proddatamgmtqueue')),
      ['proddatamgmtqueue.blob.core.windows.net/exportcontainer/x.zip'],
    );
  });

  it('to another place of exports whose name leads inside goes no further', async () => {
    const azure = { 'proddatamgmtqueue.blob.core.windows.net': ['192.168.1.1'] };
    const errand: Errand = { by: 'download', link: LINK, redirects: [AZURE_LINK], names: azure };
    const { outcome, asked } = await unseen(errand);
    assert.deepEqual([outcome, asked.length], ['interrupted', 1]);
    await seen({ ...errand, extraOrigins: [new URL(AZURE_LINK).origin] });
  });

  it('without an end has one', async () => {
    const { outcome, asked } = await unseen({ by: 'download', link: LINK, redirects: Array(50).fill(LINK) });
    assert.equal(outcome, 'interrupted');
    assert.ok(asked.length < 10, `${asked.length} requests`);
  });
});

describe('an extra place', () => {
  it('opens no other port, scheme or host beside it', async () => {
    const extraOrigins = ['https://10.0.0.1:8443'];
    await seen({ by: 'download', link: `https://10.0.0.1:8443${PATH}`, extraOrigins });
    for (const link of [`https://10.0.0.1${PATH}`, `http://10.0.0.1:8443${PATH}`, `https://10.0.0.2:8443${PATH}`]) {
      await unseen({ by: 'download', link, extraOrigins });
      assert.equal((await unseen({ by: 'send', link, extraOrigins })).outcome, 'ENOTPUBLIC');
    }
    const names = { 'chatgpt.com': ['10.0.0.1'] };
    assert.equal((await unseen({ by: 'download', link: LINK, names, extraOrigins })).outcome, 'interrupted');
  });
});

describe('a link that only a click counter can tell', () => {
  for (const address of [
    '127.0.0.1',
    '10.0.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '::1',
    'fd00::1',
    '::ffff:10.0.0.1',
  ]) {
    it(`is not asked for where the counter is at ${address}`, async () => {
      const names = { 'u20216706.ct.sendgrid.net': [address] };
      const { outcome, asked } = await unseen({ by: 'notice', link: CLICK, names });
      assert.deepEqual([outcome, asked], ['undecided', []]);
      await seen({ by: 'notice', link: CLICK, names, extraOrigins: ['https://u20216706.ct.sendgrid.net'] });
    });
  }

  for (const [what, location] of Object.entries({
    'an address inside': `https://10.0.0.1${PATH}`,
    'the metadata of a cloud': 'http://169.254.169.254/latest/meta-data/',
    'a look-alike': `https://chatgpt.com.evil.test${PATH}`,
    itself: CLICK,
  })) {
    it(`is asked for one hop, and not at ${what}`, async () => {
      const { outcome, asked } = await unseen({ by: 'notice', link: CLICK, redirects: [location], names: EVIL_NAMES });
      assert.deepEqual([outcome, asked], ['refused', ['u20216706.ct.sendgrid.net/ls/click']]);
    });
  }

  for (const [what, link] of Object.entries({
    'no encryption': CLICK.replace('https', 'http'),
    'another port': CLICK.replace('.net/', '.net:8443/'),
    'a user name': CLICK.replace('https://', 'https://ada@'),
    'another host behind it': CLICK.replace('.net/', '.net.evil.test/'),
    'another path': CLICK.replace('/ls/click', '/wf/open'),
    'an address in its place': CLICK.replace('u20216706.ct.sendgrid.net', '10.0.0.1'),
  })) {
    it(`is not asked for where it has ${what}`, async () => {
      const { asked } = await unseen({ by: 'notice', link, names: EVIL_NAMES });
      assert.deepEqual(asked, []);
    });
  }

  it('and an email with any other link asks nobody', async () => {
    for (const link of [EXPORT_LINK, `https://10.0.0.1${PATH}`, `http://127.0.0.1:6379/`, ...Object.values(BAIT)]) {
      assert.deepEqual((await unseen({ by: 'notice', link, names: EVIL_NAMES })).asked, []);
    }
  });
});
