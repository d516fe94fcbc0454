import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { type AuthorizationServer, startAuthorizationServer } from '../support/authorization-server.ts';
import { type Dovecot, startDovecot } from '../support/dovecot.ts';
import { eventually } from '../support/eventually.ts';
import { chatkeep } from '../support/service.ts';
import { tempDir } from '../support/temp-dir.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

/** A Dovecot that takes tokens, the authority that gives them, and a configuration for both. */
async function scene(provider: 'google' | 'microsoft', consenting = 'ada@example.test') {
  const directory = await tempDir();
  const authority = await startAuthorizationServer({ user: consenting, intervalSeconds: 1, rotates: true });
  const dovecot = await startDovecot({ tokenInfo: authority.tokenInfo });
  const state = join(directory.path, 'state');
  await mkdir(state);
  const config = join(directory.path, 'chatkeep.yaml');
  await writeFile(config, stringify(settings(provider, authority, dovecot, directory.path)));
  return {
    authority,
    tokenFile: join(state, 'oauth', 'ada%40example.test.json'),
    env: { CHATKEEP_CONFIG: config },
    async [Symbol.asyncDispose]() {
      await Promise.all([dovecot.close(), authority[Symbol.asyncDispose]()]);
      await directory[Symbol.asyncDispose]();
    },
  };
}

function settings(provider: string, authority: AuthorizationServer, dovecot: Dovecot, directory: string): unknown {
  return {
    backup_dir: join(directory, 'backups'),
    state_dir: join(directory, 'state'),
    mailboxes: [
      {
        host: dovecot.host,
        port: dovecot.port,
        ca_file: dovecot.caFile,
        user: dovecot.user,
        oauth2: {
          provider,
          client_id: 'chatkeep-test',
          authorization_endpoint: authority.authorizationEndpoint,
          token_endpoint: authority.tokenEndpoint,
          device_endpoint: authority.deviceEndpoint,
        },
      },
    ],
  };
}

/** `chatkeep login mail`, as somebody at a terminal runs it. */
function logIn(env: Readonly<Record<string, string>>, args: readonly string[] = []) {
  const child = spawn(process.execPath, [MAIN, 'login', 'mail', ...args], { env: { ...process.env, ...env } });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data) => {
      output += String(data);
    });
  }
  return {
    output: () => output,
    printed: (what: RegExp) => eventually(() => what.test(output), 20_000),
    type: (line: string) => child.stdin.write(`${line}\n`),
    ended: once(child, 'close').then(([code]) => Number(code)),
  };
}

describe('chatkeep login mail', () => {
  it('asks for a code to be typed in at Microsoft, and signs in with the consent', async () => {
    await using world = await scene('microsoft');
    const login = logIn(world.env);
    await login.printed(/type in this code: [0-9A-F]{8}/);
    world.authority.answerDevice('approve');
    assert.equal(await login.ended, 0, login.output());
    assert.match(login.output(), /Done: Chatkeep can read the mailbox "ada@example\.test"/);
    assert.equal((await stat(world.tokenFile)).mode & 0o777, 0o600);
    assert.doesNotMatch(login.output(), /refresh-|access-|device-/);
    assert.match(await readFile(world.tokenFile, 'utf8'), /"refresh_token": "refresh-/);
  });

  it('takes the pasted address of a browser on another machine at Google', async () => {
    await using world = await scene('google');
    const login = logIn(world.env);
    await login.printed(/Paste that whole address here/);
    const address = /^http\S+authorize\S+$/m.exec(login.output())?.[0] ?? '';
    login.type('not an address');
    await login.printed(/That cannot be used/);
    login.type(world.authority.answerBrowser(address, 'approve'));
    assert.equal(await login.ended, 0, login.output());
  });

  it('says so when consent is not given, and stores nothing', async () => {
    await using world = await scene('microsoft');
    const login = logIn(world.env);
    await login.printed(/type in this code/);
    world.authority.answerDevice('deny');
    assert.equal(await login.ended, 7);
    assert.match(login.output(), /Consent was not given, and nothing was stored/);
    await assert.rejects(stat(world.tokenFile), /ENOENT/);
  });

  it('says so when somebody else than the owner of the mailbox has consented', async () => {
    await using world = await scene('microsoft', 'grace@example.test');
    const login = logIn(world.env);
    await login.printed(/type in this code/);
    world.authority.answerDevice('approve');
    assert.equal(await login.ended, 7);
    assert.match(login.output(), /Sign in as ada@example\.test/);
  });

  it('says which mailboxes it is for', async () => {
    await using world = await scene('microsoft');
    const unknown = await chatkeep(['login', 'mail', 'grace'], world.env);
    assert.equal(unknown.code, 8);
    assert.match(unknown.stderr, /No mailbox "grace" signs in with consent; there is ada@example\.test/);
  });
});
