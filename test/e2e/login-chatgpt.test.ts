import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { cookieLine, SESSION_COOKIE } from '../download/logins/cookie-line.ts';
import { eventually } from '../support/eventually.ts';
import { startOpenAi } from '../support/openai/index.ts';
import type { OpenAiServerOptions } from '../support/openai/server.ts';
import { type CliResult, chatkeep, type Environment, Service } from '../support/service.ts';
import { tempDir } from '../support/temp-dir.ts';
import { startWebhook } from '../support/webhook.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const TOKEN = 'ey.the-good-access-token.of-ada';
const SESSION = 'the-good-session-of-ada';
const SECRETS = [TOKEN, SESSION, 'the-stale-token', 'the-stale-session', 'an-analytics-id'];

/** OpenAI with somebody who is signed in, and a configuration with logins by cookies and by token, both not there yet. */
async function scene(options: OpenAiServerOptions = {}) {
  const directory = await tempDir();
  const logins = join(directory.path, 'logins');
  const openai = await startOpenAi(directory.path, { bearerTokens: [TOKEN], sessionTokens: [SESSION], ...options });
  const tokenFile = join(logins, 'token');
  const cookiesFile = join(logins, 'cookies.txt');
  const env: Environment = {
    ...openai.settings,
    CHATKEEP_BACKUP_DIR: join(directory.path, 'backups'),
    CHATKEEP_STATE_DIR: join(directory.path, 'state'),
    CHATKEEP_DROP_DIR: join(directory.path, 'drop'),
    CHATKEEP_DOWNLOAD_BEARER_TOKEN_FILE: tokenFile,
    CHATKEEP_DOWNLOAD_COOKIES_FILE: cookiesFile,
    CHATKEEP_LOG_LEVEL: 'trace',
    CHATKEEP_LOG_FORMAT: 'json',
  };
  return {
    openai,
    env,
    logins,
    tokenFile,
    cookiesFile,
    directory: directory.path,
    async [Symbol.asyncDispose]() {
      await openai[Symbol.asyncDispose]();
      await directory[Symbol.asyncDispose]();
    },
  };
}

/** `chatkeep login chatgpt`, given `input`; no secret may be in what it prints, nor in its command line. */
async function login(args: readonly string[], env: Environment, input = ''): Promise<CliResult> {
  const child = spawn(process.execPath, [MAIN, '--log-level', 'trace', 'login', 'chatgpt', ...args], {
    env: { ...process.env, ...env },
  });
  const printed = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].on('data', (data) => {
      printed[name] += String(data);
    });
  }
  // A command that has heard enough hangs up.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const [code] = await once(child, 'close');
  for (const secret of SECRETS) assert.ok(!(printed.stdout + printed.stderr).includes(secret), `${secret} was printed`);
  return { code: code === null ? null : Number(code), ...printed };
}

const ownCookies = [
  '# Netscape HTTP Cookie File',
  `#HttpOnly_${cookieLine({ domain: 'localhost', subdomains: 'FALSE', name: `${SESSION_COOKIE}.0`, value: SESSION.slice(0, 7) })}`,
  `#HttpOnly_${cookieLine({ domain: 'localhost', subdomains: 'FALSE', name: `${SESSION_COOKIE}.1`, value: SESSION.slice(7) })}`,
  cookieLine({ domain: '.tracker.example', name: 'id', value: 'an-analytics-id' }),
].join('\n');

describe('chatkeep login chatgpt', () => {
  it('explains every way, and tells how each configured login is', async () => {
    await using world = await scene();
    const { code, stdout } = await login([], world.env);
    assert.equal(code, 0);
    for (const way of ['cookies of your browser (configured)', 'access token (configured)', 'program of your own\n']) {
      assert.ok(stdout.includes(way), way);
    }
    assert.match(stdout, /the token in \S+: does not work\. The file \S+ does not exist\./);
  });

  it('--check exits 7 while no login is good, and 0 once one is', async () => {
    await using world = await scene();
    await mkdir(world.logins);
    const before = await login(['--check'], world.env);
    assert.equal(before.code, 7);
    assert.equal(before.stdout.trimEnd().split('\n').length, 2);
    await writeFile(world.tokenFile, TOKEN);
    const after = await login(['--check'], world.env);
    assert.equal(after.code, 0);
    assert.match(after.stdout, /the token in \S+: good, as ada@example\.com\n/);
    const { code, stdout } = await login(['--check', '--json'], world.env);
    assert.equal(code, 0);
    const { logins } = JSON.parse(stdout);
    assert.deepEqual(
      logins.map(({ state, account }: { state: string; account: string | null }) => [state, account]),
      [
        ['good', 'ada@example.com'],
        ['dead', null],
      ],
    );
  });

  it('--check exits 7 where nothing can be found out, and where nothing is configured', async () => {
    await using world = await scene();
    await mkdir(world.logins);
    await writeFile(world.tokenFile, TOKEN);
    world.openai.server.accountFault = 'challenge';
    const { code, stdout } = await login(['--check'], world.env);
    assert.equal(code, 7);
    assert.match(stdout, /could not be tried out\. localhost:\d+ asked for a browser check/);
    const { CHATKEEP_DOWNLOAD_BEARER_TOKEN_FILE: _token, CHATKEEP_DOWNLOAD_COOKIES_FILE: _cookies, ...env } = world.env;
    const none = await login(['--check'], env);
    assert.equal(none.code, 7);
    assert.match(none.stdout, /No login is configured/);
  });
});

describe('chatkeep login chatgpt --token', () => {
  it('takes a token, or the page of a session, and keeps the token alone for the user alone', async () => {
    for (const input of [TOKEN, `${TOKEN}\n`, JSON.stringify({ user: {}, accessToken: TOKEN }, undefined, 2)]) {
      await using world = await scene();
      const { code, stdout } = await login(['--token'], world.env, input);
      assert.equal(code, 0);
      assert.match(stdout, /Stored in \S+, .*\nIt is good, as ada@example\.com\./);
      assert.equal(await readFile(world.tokenFile, 'utf8'), `${TOKEN}\n`);
      assert.equal((await stat(world.tokenFile)).mode & 0o777, 0o600);
      assert.deepEqual(await readdir(world.logins), ['token']);
    }
  });

  it('leaves the file as it is where the new token does not work, or is none', async () => {
    await using world = await scene();
    await mkdir(world.logins);
    await writeFile(world.tokenFile, TOKEN);
    const stale = await login(['--token'], world.env, 'the-stale-token');
    assert.equal(stale.code, 7);
    assert.match(stale.stderr, /does not accept it \(401\).* Nothing was stored\./);
    const none = await login(['--token'], world.env, 'the-stale-token and more');
    assert.equal(none.code, 2);
    assert.equal((await login(['--token'], world.env, 'x'.repeat(2_000_000))).code, 2);
    assert.equal(await readFile(world.tokenFile, 'utf8'), TOKEN);
    assert.deepEqual(await readdir(world.logins), ['token']);
  });

  it('keeps a token that could not be tried out, and says so', async () => {
    await using world = await scene();
    world.openai.server.accountFault = 'not-found';
    const { code, stdout } = await login(['--token'], world.env, TOKEN);
    assert.equal(code, 0);
    assert.match(stdout, /It could not be tried out\. localhost:\d+ answered 404/);
    assert.equal(await readFile(world.tokenFile, 'utf8'), `${TOKEN}\n`);
  });

  it("never writes the Codex CLI's file", async () => {
    await using world = await scene();
    await mkdir(world.logins);
    const auth = JSON.stringify({ tokens: { access_token: 'the-stale-token' } });
    await writeFile(world.tokenFile, auth);
    const { code, stderr } = await login(['--token'], world.env, TOKEN);
    assert.equal(code, 2);
    assert.match(stderr, /is the Codex CLI's own, and is never written/);
    assert.equal(await readFile(world.tokenFile, 'utf8'), auth);
  });

  it('says how to configure a place for it where there is none', async () => {
    await using world = await scene();
    const { CHATKEEP_DOWNLOAD_BEARER_TOKEN_FILE: _token, ...env } = world.env;
    const { code, stderr } = await login(['--token'], env, TOKEN);
    assert.equal(code, 2);
    assert.match(stderr, /Put `\{ type: bearer, token_file: … \}` into download\.logins/);
  });

  it('does not show on a terminal what is pasted into it', async () => {
    await using world = await scene();
    const page = JSON.stringify({ accessToken: TOKEN }, undefined, 2);
    const { code, shown } = await onTerminal(['--token'], world.env, `${page}\n`);
    assert.equal(code, 0, shown);
    assert.match(shown, /It is not shown/);
    for (const secret of [TOKEN, 'accessToken']) assert.ok(!shown.includes(secret), shown);
    assert.equal(await readFile(world.tokenFile, 'utf8'), `${TOKEN}\n`);
  });

  it('stops at Ctrl-C on a terminal, and stores nothing', async () => {
    await using world = await scene();
    const { code } = await onTerminal(['--token'], world.env, 'the-stale\u0003');
    assert.equal(code, 130);
    await assert.rejects(stat(world.tokenFile), /ENOENT/);
  });
});

describe('chatkeep login chatgpt --cookies', () => {
  it('keeps the cookies that are needed for the user alone', async () => {
    await using world = await scene();
    const exported = join(world.directory, 'exported.txt');
    await writeFile(exported, ownCookies);
    const { code, stdout } = await login(['--cookies', exported], world.env);
    assert.equal(code, 0);
    assert.match(stdout, /It is good until \d{4}-\d\d-\d\d \d\d:\d\d UTC, as ada@example\.com\./);
    const kept = await readFile(world.cookiesFile, 'utf8');
    assert.match(kept, /session-token\.0\t.*\n.*session-token\.1\t/);
    assert.doesNotMatch(kept, /tracker/);
    assert.equal((await stat(world.cookiesFile)).mode & 0o777, 0o600);
    assert.equal((await login(['--check'], world.env)).code, 0);
  });

  it('takes them from standard input, too', async () => {
    await using world = await scene();
    assert.equal((await login(['--cookies', '-'], world.env, ownCookies)).code, 0);
    assert.match(await readFile(world.cookiesFile, 'utf8'), /session-token/);
  });

  it('leaves the file as it is where the new ones do not work, or are none', async () => {
    await using world = await scene();
    await mkdir(world.logins);
    await writeFile(world.cookiesFile, ownCookies);
    const exported = join(world.directory, 'exported.txt');
    const cases: [string, number, RegExp][] = [
      [ownCookies.replaceAll(SESSION.slice(7), 'x'), 7, /somebody who is signed out\. Nothing was stored/],
      [ownCookies.replaceAll('localhost', 'chatgpt.example'), 2, /holds no cookie for localhost/],
      ['[{"name":"the-stale-session"}]', 2, /not a cookies\.txt in Netscape format/],
    ];
    for (const [text, expected, fault] of cases) {
      await writeFile(exported, text);
      const { code, stderr } = await login(['--cookies', exported], world.env);
      assert.equal(code, expected);
      assert.match(stderr, fault);
    }
    assert.equal((await login(['--cookies', join(world.directory, 'missing')], world.env)).code, 8);
    assert.equal(await readFile(world.cookiesFile, 'utf8'), ownCookies);
  });
});

describe('a service whose login dies', () => {
  it('tells of it before an export is waiting, once over a restart, and that it is back; status knows', async () => {
    await using world = await scene();
    await using webhook = await startWebhook();
    await mkdir(world.logins);
    await mkdir(join(world.directory, 'drop'));
    await writeFile(world.tokenFile, 'the-stale-token', { mode: 0o600 });
    const env = { ...world.env, CHATKEEP_NOTIFY: webhook.address };
    await using first = new Service(env);
    const died = await webhook.next('login-failing');
    assert.match(died.body, /can no longer sign in with the token in .*\n.*\nWhat to do: /);
    await eventually(() => webhook.of('login-failing').length === 2);
    const status = await statusOf(env);
    assert.deepEqual(
      status.logins.map(({ state }) => state),
      ['dead', 'dead'],
    );
    await first.stop();

    await using second = new Service(env);
    await second.printed('watching');
    await login(['--token'], env, TOKEN);
    const back = await webhook.next('recovered');
    assert.match(back.body, /can sign in with the token in/);
    assert.equal(webhook.of('login-failing').length, 2);
    assert.equal((await statusOf(env)).logins[0]?.account, 'ada@example.com');
    const { stdout } = await chatkeep(['status'], env);
    assert.match(stdout, /Login, the token in \S+: good, as ada@example\.com \(tried out .* ago\)/);
    await second.stop();
    for (const secret of SECRETS) {
      assert.ok(!(first.output + second.output + JSON.stringify(webhook.received)).includes(secret));
    }
  });
});

async function statusOf(env: Environment): Promise<{ logins: { state: string; account: string | null }[] }> {
  return JSON.parse((await chatkeep(['status', '--json'], env)).stdout);
}

/** The command at a terminal (util-linux's `script` gives one): everything that a person would see. */
async function onTerminal(args: readonly string[], env: Environment, typed: string) {
  const command = [process.execPath, MAIN, 'login', 'chatgpt', ...args].map((word) => `'${word}'`).join(' ');
  const child = spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
    env: { ...process.env, PATH: `${dirname(process.execPath)}:${process.env.PATH ?? ''}`, ...env },
  });
  let shown = '';
  child.stdout.on('data', (data) => {
    shown += String(data);
  });
  await eventually(() => shown.includes('press Enter'));
  child.stdin.write(typed);
  const [code] = await once(child, 'close');
  return { code: Number(code), shown };
}
