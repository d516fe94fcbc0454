import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { cookieLine, SESSION_COOKIE } from '../download/logins/cookie-line.ts';
import { eventually } from '../support/eventually.ts';
import { createAccount } from '../support/openai/exports/index.ts';
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

/** Success, a cut, a refused notice, a broken archive, a missing login, a dead webhook: every text that there is. */
async function runThroughEverything(
  world: World,
): Promise<{ links: string[]; needed: string[]; printed: Map<string, string> }> {
  const printed = new Map<string, string>();
  const hour = 3_600_000;
  const publish = (hoursAgo: number) =>
    world.openai.publishExport(account, {
      directory: world.exports,
      form: 'estuary',
      stamp: new Date(Date.now() - hoursAgo * hour),
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
