/**
 * Runs inside the walls: a network namespace in which every address there is, of IPv4 and IPv6, leads to this process.
 * Reads errands from standard input, a line of JSON each, and writes reports.
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer, isIPv6, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { assemble } from '../../../src/assembly.ts';
import { loadConfig } from '../../../src/config/index.ts';
import { createLogins, createTransport, Downloader } from '../../../src/download/index.ts';
import { DAY_MS, MINUTE_MS, systemClock } from '../../../src/lib/clock.ts';
import { errorCode, errorMessage } from '../../../src/lib/errors.ts';
import { silentLogger } from '../../../src/lib/logger.ts';
import { Secret } from '../../../src/lib/secret.ts';
import { downloadPlaces } from '../../../src/notice/index.ts';
import { createAuthority } from '../../support/openai/certificates.ts';
import { type DnsServer, startDnsServer } from '../../support/openai/dns-server.ts';
import { makeEmail } from '../../support/openai/emails/index.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { zipLike } from '../../support/zip-like.ts';
import { type Errand, HONEST, type Names, type Report } from './report.ts';

/** Where a request might want to go: the web, and what else listens in private networks. */
const PORTS = [22, 80, 443, 2375, 5000, 6379, 8000, 8080, 8443, 9200];
/** A connection is accepted within a millisecond; this is for a machine that is busy. */
const LATE_MS = 10;

const ARCHIVE = zipLike(20_000);
const honestAddresses = new Set(Object.values(HONEST).flat().map(written));

await using directory = await tempDir();
raiseWalls();
const dns = await startDnsServer({ port: 53 });
const authority = await createAuthority();
const caFile = join(directory.path, 'ca.pem');
const tokenFile = join(directory.path, 'token');
await Promise.all([writeFile(caFile, authority.certPem), writeFile(tokenFile, 'the-login')]);
const guarded = await createTransport({ places: downloadPlaces([]), caFile });
const visits = await listen();
process.stdout.write('ready\n');
for await (const line of createInterface({ input: process.stdin })) {
  const report = await run(JSON.parse(line) as Errand, dns);
  process.stdout.write(`${JSON.stringify(report)}\n`);
}
process.exit(0);

/** All addresses are local, and names are looked up here. */
function raiseWalls(): void {
  for (const args of [
    ['link', 'set', 'lo', 'up'],
    ['route', 'add', 'local', '0.0.0.0/0', 'dev', 'lo'],
    ['-6', 'route', 'add', 'local', '::/0', 'dev', 'lo'],
  ]) {
    execFileSync('/usr/sbin/ip', args);
  }
  // Only this process and its mounts see these.
  for (const [target, content] of [
    ['/etc/resolv.conf', 'nameserver 127.0.0.1\n'],
    ['/etc/hosts', '127.0.0.1 localhost\n'],
  ] as const) {
    const source = join(directory.path, 'file');
    writeFileSync(source, content);
    execFileSync('mount', ['--bind', source, target]);
    rmSync(source);
  }
}

/** The one listener: honest addresses are served as the web serves them, and everybody else's visitors are written down. */
async function listen() {
  const { keyPem, certPem } = await authority.issue({ hosts: Object.keys(HONEST) });
  const web = createTlsServer({ key: keyPem, cert: certPem }, (request, response) => serve(request, response));
  const contacts: string[] = [];
  const asked: string[] = [];
  const afterVisit: { redirects: string[]; names: Names } = { redirects: [], names: {} };

  function serve({ headers, url = '/' }: IncomingMessage, response: ServerResponse): void {
    const hasLogin = headers.authorization !== undefined || headers.cookie !== undefined;
    asked.push(`${headers.host}${url.replace(/\?.*/, '')}${hasLogin ? ' + login' : ''}`);
    setNames(afterVisit.names);
    // Each request has to find its way anew.
    response.setHeader('connection', 'close');
    const location = afterVisit.redirects.shift();
    if (location !== undefined) response.writeHead(302, { location }).end();
    else response.writeHead(200, { 'content-type': 'application/zip', 'content-length': ARCHIVE.length }).end(ARCHIVE);
  }

  for (const port of PORTS) {
    const server = createServer((socket: Socket) => {
      const address = written(socket.localAddress ?? '');
      if (port === 443 && honestAddresses.has(address)) {
        web.emit('connection', socket);
        return;
      }
      contacts.push(isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`);
      socket.on('error', () => {});
      socket.destroy();
    });
    server.listen({ port, host: '::' });
    await once(server, 'listening');
  }
  return { contacts, asked, afterVisit };
}

async function run(errand: Errand, { queries }: DnsServer): Promise<Report> {
  const { redirects = [], names = {}, namesAtFirst = {}, namesAfterVisit = {} } = errand;
  const { contacts, asked, afterVisit } = visits;
  for (const query of new Set(queries)) dns.remove(query.split(' ')[1] ?? '');
  setNames({ ...HONEST, ...names });
  for (const [name, addresses] of Object.entries(namesAtFirst)) {
    for (const address of addresses) dns.setOnce(record(name, address));
  }
  contacts.length = 0;
  asked.length = 0;
  afterVisit.redirects = [...redirects];
  afterVisit.names = namesAfterVisit;
  const dialsBefore = dials();
  const { outcome, detail } = await (errand.by === 'notice' ? receive(errand) : fetchByLink(errand));
  await delay(LATE_MS);
  return { outcome, detail, asked: [...asked], contacts: [...contacts], dials: dials() - dialsBefore };
}

async function fetchByLink({
  by,
  link,
  redirects,
  extraOrigins = [],
}: Errand): Promise<Pick<Report, 'outcome' | 'detail'>> {
  const places = downloadPlaces(extraOrigins);
  // Who redirects has to be trusted; other extra origins never get as far as showing a certificate.
  const trust = redirects === undefined ? {} : { caFile };
  const transport = extraOrigins.length === 0 ? guarded : await createTransport({ places, ...trust });
  const { signal } = new AbortController();
  try {
    if (by === 'send') {
      const response = await transport.send({ address: new URL(link), headers: {}, signal });
      response.discard();
      return { outcome: 'answer', detail: String(response.status) };
    }
    await using target = await tempDir();
    const downloader = new Downloader({
      transport,
      places,
      logins: createLogins([{ type: 'bearer', tokenFile }], { transport }),
      stallMs: MINUTE_MS,
      connections: 4,
      clock: systemClock,
      logger: silentLogger,
    });
    const outcome = await downloader.download({
      link: new Secret(link),
      exportId: 'export',
      deadline: Date.now() + DAY_MS,
      directory: target.path,
      name: 'capture',
      signal,
    });
    return { outcome: outcome.kind, detail: 'detail' in outcome ? outcome.detail : '' };
  } catch (error) {
    return { outcome: errorCode(error) ?? 'error', detail: errorMessage(error) };
  } finally {
    if (transport !== guarded) await transport.close();
  }
}

/** A whole Chatkeep is given an email; its conductor does not run, so that nothing but the notice is read. */
async function receive({ link, extraOrigins = [] }: Errand): Promise<Pick<Report, 'outcome' | 'detail'>> {
  await using base = await tempDir();
  const env = {
    CHATKEEP_BACKUP_DIR: join(base.path, 'backups'),
    CHATKEEP_STATE_DIR: join(base.path, 'state'),
    CHATKEEP_NOTICES_AUTHENTICITY: 'off',
    CHATKEEP_DOWNLOAD_CA_FILE: caFile,
    CHATKEEP_DOWNLOAD_EXTRA_ORIGINS: extraOrigins.join(','),
    CHATKEEP_NOTIFY: 'json://127.0.0.1:9/',
  };
  const { config } = await loadConfig({ env, cwd: base.path, defaultPath: join(base.path, 'none') });
  await using chatkeep = await assemble(config, silentLogger);
  const source = await makeEmail({ kind: 'ready', to: 'ada@example.test', date: new Date(), link });
  try {
    await chatkeep.conductor.intake.takeMessage({
      mailbox: 'ada',
      folder: 'INBOX',
      uidValidity: '1',
      uid: 1,
      receivedAt: Date.now(),
      messageId: undefined,
      bytes: source.length,
      source,
    });
  } catch (error) {
    return { outcome: 'undecided', detail: errorMessage(error) };
  }
  const ready = (await chatkeep.journal.openCaptures()).length > 0;
  return { outcome: ready ? 'ready' : 'refused', detail: '' };
}

function setNames(names: Names): void {
  for (const [name, addresses] of Object.entries(names)) {
    dns.remove(name);
    for (const address of addresses) dns.add(record(name, address));
  }
}

function record(name: string, address: string) {
  if (!isIPv6(address)) return { type: 'A', name, data: address } as const;
  // The DNS library takes some forms for others; the hexadecimal one leaves it no choice.
  return { type: 'AAAA', name, data: new URL(`https://[${address}]`).hostname.slice(1, -1) } as const;
}

/** As a listener on both families sees it: IPv4 is not mapped into IPv6. */
function written(address: string): string {
  return address.replace(/%.*$/, '').replace(/^::ffff:(?=[\d.]+$)/, '');
}

/** The connections that were opened from within this namespace: `ActiveOpens` (RFC 4022) of both families. */
function dials(): number {
  const [names = '', values = ''] = readFileSync('/proc/self/net/snmp', 'utf8').match(/^Tcp: .*$/gm) ?? [];
  const column = names.split(' ').indexOf('ActiveOpens');
  return Number(values.split(' ')[column]);
}
