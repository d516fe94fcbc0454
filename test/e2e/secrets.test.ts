import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { stringify } from 'yaml';
import { HOUR_MS } from '../../src/lib/clock.ts';
import { cookieLine, SESSION_COOKIE } from '../download/logins/cookie-line.ts';
import { startScriptedServer } from '../mailbox/scripted-server.ts';
import { eventually } from '../support/eventually.ts';
import type { EmailOptions } from '../support/openai/emails/index.ts';
import { createAccount } from '../support/openai/exports/index.ts';
import {
  type Fault,
  type LinkForm,
  type OpenAiServer,
  type PublishedExport,
  startOpenAiServer,
} from '../support/openai/server.ts';
import { chatkeep } from '../support/service.ts';
import { ACCESS_TOKEN, filesBelow, startWorld, type World } from '../support/world.ts';

const SESSION = 'the-session-of-ada-in-a-cookie';
const COMMAND_TOKEN = 'ey.the-token.that-a-command-prints';
const account = createAccount({ seed: 'secrets', email: 'ada@example.test', conversations: 8 });

describe('a full run at trace level', () => {
  it('leaves no link, login, password or notification address in what it prints, writes or tells', async () => {
    await using world = await startWorld({ sessionTokens: [SESSION], deniesCookieAlone: true });
    const { links, needed, printed } = await runThroughEverything(world);
    const places = new Map<string, string>([
      ...printed,
      ...(await written(world)),
      ['notifications', JSON.stringify(world.webhook.received)],
    ]);
    const secrets = new Map<string, string>([
      ...links.flatMap((link, index): [string, string][] => {
        const { searchParams, search } = new URL(link);
        return [
          [`link ${index}`, search.slice(1)],
          [`signature of link ${index}`, searchParams.get('sig') ?? ''],
        ];
      }),
      ['access token', ACCESS_TOKEN],
      ['session cookie', SESSION],
      ['token of the command', COMMAND_TOKEN],
      ['IMAP password', world.dovecot.password],
      ['IMAP password in base64', Buffer.from(world.dovecot.password).toString('base64').replace(/=+$/, '')],
      [
        'SASL PLAIN',
        Buffer.from(`\0${world.dovecot.user}\0${world.dovecot.password}`).toString('base64').replace(/=+$/, ''),
      ],
      ['webhook address', new URL(world.webhook.address).pathname],
    ]);
    assert.ok(places.size > 20 && [...secrets.values()].every((secret) => secret.length > 8));
    for (const [where, text] of places) {
      for (const [what, secret] of secrets) assert.ok(!text.includes(secret), `${what} is in ${where}`);
      // A capture that is still open needs its link: the journal, which is private, has it, and nothing else.
      if (where.startsWith('journal.sqlite')) continue;
      for (const link of needed)
        assert.ok(!text.includes(new URL(link).search.slice(1)), `an open link is in ${where}`);
    }
  });
});

describe('what goes wrong, at trace level', () => {
  it('tells no secret either, though servers repeat what they were told', async () => {
    await using world = await startWorld();
    await using trap = await setTraps(world);
    const places = await runIntoTraps(world, trap);
    assert.ok(places.size > 12);
    for (const [where, printed] of places) {
      for (const [what, secret] of trap.secrets) {
        // Links of open captures have to be kept somewhere: in the journal, which nobody else can read.
        if (where.startsWith('journal.sqlite') && trap.needed.has(secret)) continue;
        for (const form of formsOf(secret)) assert.ok(!printed.includes(form), `${what} is in ${where}`);
      }
    }
  });
});

/** Success, a cut, a refused notice, a broken archive, a missing login, a dead webhook: every text that there is. */
async function runThroughEverything(
  world: World,
): Promise<{ links: string[]; needed: string[]; printed: Map<string, string> }> {
  const printed = new Map<string, string>();
  const publish = (hoursAgo: number) =>
    world.openai.publishExport(account, {
      directory: world.exports,
      form: 'estuary',
      stamp: new Date(Date.now() - hoursAgo * HOUR_MS),
    });
  const [whole, cut, broken, denied, spoofed] = await Promise.all([1, 2, 3, 4, 5].map(publish));
  if (!whole || !cut || !broken || !denied || !spoofed) throw new Error('five exports were asked for');
  cut.published.faults.push({ kind: 'reset', afterBytes: 30_000 });
  broken.published.always = { kind: 'corrupt', atByte: Math.floor(broken.facts.bytes / 2) };
  denied.published.always = { kind: 'login-page' };
  for (const { published } of [whole, cut, broken, denied]) {
    await world.dovecot.deliver(await world.openai.readyMail(published));
  }
  const lookAlike = { from: { address: 'noreply@openai.com.evil.test' } };
  await world.dovecot.deliver(await world.openai.readyMail(spoofed.published, lookAlike));
  const settings = {
    ...(await moreLogins(world)),
    CHATKEEP_LOG_LEVEL: 'trace',
    CHATKEEP_NOTIFY: `${world.webhook.address} json://127.0.0.1:9${new URL(world.webhook.address).pathname}`,
  };
  await using service = world.service(settings);
  const events = ['snapshot-committed', 'refused-archive', 'needs-login', 'refused-notice'];
  await eventually(() => events.every((event) => world.webhook.of(event).length > 0));
  await eventually(() => world.webhook.of('snapshot-committed').length === 2);
  await service.printed('could not be delivered');
  await service.printed('is good');
  const commandLine = await readFile(`/proc/${service.pid}/cmdline`, 'utf8');
  for (const args of [
    ['status'],
    ['status', '--json'],
    ['snapshots', '--json'],
    ['config', 'show'],
    ['config', 'check'],
    ['login', 'chatgpt', '--check'],
  ]) {
    const { stdout, stderr } = await chatkeep(args, { ...world.settings, ...settings });
    printed.set(`chatkeep ${args.join(' ')}`, stdout + stderr);
  }
  await service.stop();
  printed.set('the log', service.output);
  printed.set('the process list', commandLine);
  const linksOf = (...exports: (typeof whole)[]) => exports.map(({ published }) => published.link);
  return { links: linksOf(whole, cut, spoofed), needed: linksOf(broken, denied), printed };
}

/** Cookies that need the access token of their session, and a command; all of them are checked, too. */
async function moreLogins({ base }: World): Promise<Record<string, string>> {
  const cookies = join(base, 'cookies.txt');
  await writeFile(
    cookies,
    cookieLine({ domain: 'localhost', subdomains: 'FALSE', name: SESSION_COOKIE, value: SESSION }),
    { mode: 0o600 },
  );
  const printed = join(base, 'printed');
  await writeFile(printed, `Authorization: Bearer ${COMMAND_TOKEN}\n`, { mode: 0o600 });
  return {
    CHATKEEP_DOWNLOAD_COOKIES_FILE: cookies,
    CHATKEEP_DOWNLOAD_LOGIN_COMMAND: `/bin/cat ${printed}`,
    CHATKEEP_DOWNLOAD_CHECK_LOGINS_HOURS: '24',
  };
}

/** Every file that the service has written, but for those of the exports themselves. */
async function written(world: World): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for (const directory of [world.backups, world.state]) {
    for (const path of await filesBelow(directory)) {
      if (!path.endsWith('latest')) texts.set(path, await readFile(join(directory, path), 'latin1'));
    }
  }
  assert.equal((await stat(join(world.state, 'journal.sqlite'))).mode & 0o777, 0o600);
  return texts;
}

/** Everything that is planted, by what it is; and where it is used, so that it could come out again. */
interface Traps extends AsyncDisposable {
  readonly secrets: ReadonlyMap<string, string>;
  readonly settings: Readonly<Record<string, string>>;
  /** Those of `secrets` that are links of captures which are open until the end. */
  readonly needed: ReadonlySet<string>;
}

/** As it stands, in a query, and in base64 (whose last digits depend on what follows). */
function formsOf(secret: string): string[] {
  const base64 = Buffer.from(secret).toString('base64');
  return [secret, encodeURIComponent(secret), base64.slice(0, Math.floor(secret.length / 3) * 4)];
}

async function setTraps(world: World): Promise<Traps> {
  await using stack = new AsyncDisposableStack();
  const secrets = new Map<string, string>();
  const plant = (what: string): string => {
    const secret = `Canary+${secrets.size}/${randomBytes(9).toString('base64url')}`;
    secrets.set(what, secret);
    return secret;
  };
  const save = async (name: string, content: string, mode = 0o600): Promise<string> => {
    const path = join(world.base, name);
    await writeFile(path, content, { mode });
    return path;
  };

  // Mailboxes that cannot be used, each for another reason.
  const echo = await startScriptedServer((command, tag) =>
    command.startsWith('LOGIN') ? `${tag} NO [AUTHENTICATIONFAILED] who are you? ${command}` : undefined,
  );
  stack.defer(() => echo.close());
  const authority = createServer(async (request, response) => {
    const form = new URLSearchParams(await text(request));
    const description = `not with ${form.get('refresh_token')} of ${form.get('client_secret')}`;
    response.writeHead(400, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ error: 'invalid_grant', error_description: description }));
  });
  const authorityPort = await listening(authority, stack);
  const consent = {
    format: 1,
    provider: 'google',
    client_id: 'chatkeep-test',
    user: 'consenting',
    refresh_token: plant('refresh token'),
  };
  const command = `#!/bin/sh\nsleep 1\necho '${plant('output of the password command')}' >&2\nexit 3\n`;
  const local = { host: '127.0.0.1', port: echo.port, security: 'none' };
  const { dovecot } = world;
  const mailboxes = [
    { host: dovecot.host, port: dovecot.port, ca_file: dovecot.caFile, user: dovecot.user, password: dovecot.password },
    {
      ...{ host: dovecot.host, port: dovecot.port, ca_file: dovecot.caFile, user: 'ben' },
      password_file: await save('wrong-password', plant('wrong password')),
    },
    { ...local, user: 'echo', password_file: await save('told-password', plant('password that is repeated')) },
    { ...local, user: 'command', password_command: [await save('password-command', command, 0o700)] },
    {
      ...{ ...local, user: 'consenting' },
      oauth2: {
        provider: 'google',
        client_id: 'chatkeep-test',
        client_secret_file: await save('client-secret', plant('client secret')),
        token_file: await save('consent.json', JSON.stringify(consent)),
        token_endpoint: `http://127.0.0.1:${authorityPort}/token`,
      },
    },
  ];

  // Links that come to nothing, each in another way.
  const { authority: trusted } = world.openai.server;
  const stranger = stack.use(await startOpenAiServer());
  const gone = await startOpenAiServer({ authority: trusted });
  const needed = new Set<string>();
  const deliver = async (published: PublishedExport, options: Partial<EmailOptions> = {}) =>
    dovecot.deliver(await world.openai.readyMail(published, options));
  const publish = (server: OpenAiServer, form: LinkForm, hoursAgo: number, always?: (link: URL) => Fault) => {
    const stamp = new Date(Date.now() - hoursAgo * HOUR_MS);
    const published = server.publish({ form, body: { bytes: Buffer.from('no archive') }, stamp });
    const { search, searchParams } = new URL(published.link);
    published.always = always?.(new URL(published.link));
    secrets.set(`query of link ${secrets.size}`, search.slice(1));
    secrets.set(`signature of link ${secrets.size}`, searchParams.get('sig') ?? search);
    return published;
  };
  const redirect = (location: string): Fault => ({ kind: 'redirect', status: 302, location });
  const { server } = world.openai;
  for (const published of [
    publish(server, 'estuary', 1),
    publish(server, 'estuary', 2, ({ search }) => redirect(`https://evil.test/steal${search}`)),
    publish(server, 'estuary', 3, ({ search, searchParams }) =>
      redirect(`https://ada:${searchParams.get('sig')}@evil.test/${search}#${search}`),
    ),
    publish(server, 'estuary', 4, ({ search }) => redirect(`/auth/login${search}`)),
    publish(server, 'azure', 5, () => ({ kind: 'reset', afterBytes: 0 })),
    publish(server, 'azure', 6, () => ({ kind: 'stop', afterBytes: 2, framing: 'content-length' })),
    publish(stranger, 'azure', 7),
    publish(gone, 'azure', 8),
  ]) {
    const { search, searchParams } = new URL(published.link);
    for (const part of [search.slice(1), searchParams.get('sig') ?? search]) needed.add(part);
    await deliver(published);
  }
  const extraOrigins = [server, stranger, gone].map(({ origin }) => origin).join(',');
  await gone.close();
  await deliver(publish(server, 'estuary', 30));
  await deliver(publish(server, 'estuary', 9), { from: { address: 'noreply@tm.openai.com.evil.test' } });

  // Logins that are denied.
  const cookie = `#HttpOnly_localhost\tFALSE\t/\tTRUE\t0\t__Secure-next-auth.session-token\t${plant('cookie')}\n`;
  const token = plant('access token').replaceAll('+', '-');
  secrets.set('access token', token);

  const chatter = `#!/bin/sh\necho 'Set-Cookie: ${plant('output of the login command')}'\necho '${plant('complaint of the login command')}' >&2\n`;

  // Services that do not take what they are told.
  const moving = createServer(({ url, headers }, response) => {
    response.writeHead(302, { location: `http://127.0.0.1:9${url}?${headers.authorization}` }).end(`${url}`);
  });
  const movingPort = await listening(moving, stack);
  const mailServer = createTcpServer((socket) => {
    socket.on('error', () => {});
    socket.write('220 ready\r\n');
    socket.on('data', (line) => {
      const isHello = /^EHLO/i.test(String(line));
      socket.write(
        isHello ? '250-me\r\n250 AUTH PLAIN LOGIN\r\n' : `535 5.7.8 I do not like ${String(line).trim()}\r\n`,
      );
    });
  });
  const mailPort = await listening(mailServer, stack);
  const inAddress = (what: string) => encodeURIComponent(plant(what));
  const addresses = [
    world.webhook.address,
    `json://ada:${inAddress('webhook password')}@127.0.0.1:${movingPort}/${inAddress('webhook path')}`,
    `json://127.0.0.1:9/${inAddress('path of a webhook that is gone')}`,
    `ntfy://:tk_${inAddress('ntfy token')}@127.0.0.1:${movingPort}/topic?scheme=http`,
    `smtp://ada:${inAddress('mail password')}@127.0.0.1:${mailPort}/?from=a@example.org&to=b@example.org`,
  ];

  const config = await save('chatkeep.yaml', stringify({ mailboxes, notify: addresses }));
  const unset = Object.keys(world.settings).filter((name) => /^CHATKEEP_(IMAP|NOTIFY|DOWNLOAD_BEARER)/.test(name));
  const settings = {
    ...Object.fromEntries(unset.map((name) => [name, ''])),
    CHATKEEP_CONFIG: config,
    CHATKEEP_LOG_LEVEL: 'trace',
    CHATKEEP_DOWNLOAD_EXTRA_ORIGINS: extraOrigins,
    CHATKEEP_DOWNLOAD_BEARER_TOKEN_FILE: await save('dead-token', token),
    CHATKEEP_DOWNLOAD_COOKIES_FILE: await save('cookies.txt', cookie),
    CHATKEEP_DOWNLOAD_LOGIN_COMMAND: await save('login-command', chatter, 0o700),
  };
  const parts = stack.move();
  return { secrets, settings, needed, [Symbol.asyncDispose]: () => parts.disposeAsync() };
}

/** Runs until everything has gone wrong, and gives every text that came of it. */
async function runIntoTraps(world: World, { settings }: Traps): Promise<Map<string, string>> {
  const places = new Map<string, string>();
  const processes = new Set<string>();
  await using service = world.service(settings);
  const watch = setInterval(() => void commandLinesBelow(service.pid, processes), 20);
  const stuck = ['"ben"', '"echo"', '"consenting"'].map((name) => `"mailbox":${name}`);
  try {
    await eventually(() => world.webhook.of('needs-login').length >= 2);
    await eventually(() => world.webhook.of('expired').length >= 1 && world.webhook.of('refused-notice').length >= 1);
    // The mailboxes that refuse, and every download that is not a matter of the login.
    await eventually(() => world.webhook.of('trouble').length >= stuck.length + 6, 120_000);
    for (const mailbox of stuck) assert.ok(JSON.stringify(world.webhook.received).includes(mailbox), mailbox);
    for (const args of [
      ['status'],
      ['status', '--json'],
      ['healthcheck'],
      ['snapshots', '--json'],
      ['config', 'show', '--json'],
      ['config', 'check', '--json'],
      ['login', 'chatgpt', '--check'],
      ['import', '--json', join(world.base, 'chatkeep.yaml')],
    ]) {
      const { stdout, stderr } = await chatkeep(args, { ...world.settings, ...settings });
      places.set(`chatkeep ${args.slice(0, 2).join(' ')}`, stdout + stderr);
    }
  } finally {
    clearInterval(watch);
  }
  await service.stop();
  assert.ok(
    [...processes].some((line) => line.includes('password-command')),
    'the children were seen',
  );
  places.set('the log', service.output);
  places.set('the process list', [...processes].join('\n'));
  places.set('notifications', JSON.stringify(world.webhook.received));
  for (const [path, content] of await written(world)) places.set(path, content);
  return places;
}

/** Adds the command lines of a process and of all below it, as `ps` shows them. */
async function commandLinesBelow(pid: number, lines: Set<string>): Promise<void> {
  try {
    lines.add((await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' '));
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
    for (const child of children.trim().split(' ').filter(Boolean)) await commandLinesBelow(Number(child), lines);
  } catch {
    // It has ended meanwhile.
  }
}

async function listening(server: Server, stack: AsyncDisposableStack): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stack.defer(() => {
    server.close();
  });
  return (server.address() as AddressInfo).port;
}
