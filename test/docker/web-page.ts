import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { composeProject } from '../support/docker/compose.ts';
import { docker, REPOSITORY } from '../support/docker/engine.ts';
import { startDockerWorld, writeSecret } from '../support/docker/world.ts';
import { freePort } from '../support/free-port.ts';
import { WebVisitor } from '../support/web-visitor.ts';

const PASSWORD = 'open sesame, from a file';

/** What compose.yaml has for the web page behind `#`, as a user takes the marks away; `port` of the machine is another. */
async function composeWithWebPage(port: number): Promise<string> {
  const text = await readFile(join(REPOSITORY, 'compose.yaml'), 'utf8');
  const steps: [RegExp, string][] = [
    [/# (?=CHATKEEP_WEB_LISTEN: )/, ''],
    [/# (?=CHATKEEP_WEB_PASSWORD_FILE: )/, ''],
    [/# ports: \["127\.0\.0\.1:8788:8788"\]/, `ports: ["127.0.0.1:${port}:8788"]`],
    [/secrets: \[imap_password\] # (?=\[imap_password, web_password\])/, 'secrets: '],
    [/# web_password:\n {2}# {3}file: /, 'web_password:\n    file: '],
  ];
  return steps.reduce((before, [marked, unmarked]) => {
    assert.match(before, marked);
    return before.replace(marked, unmarked);
  }, text);
}

describe('The web page of compose.yaml, with its lines as they stand there', () => {
  it('answers from outside of the container, to whoever signs in with the password in the secret file', async () => {
    await using world = await startDockerWorld();
    await writeSecret(world, 'web_password', PASSWORD);
    const port = await freePort();
    const file = join(world.base, 'compose.yaml');
    await writeFile(file, await composeWithWebPage(port));
    await using project = await composeProject(world, file);
    await project.up();
    const container = await project.container('chatkeep');
    await container.printed('the web page is at');

    const visitor = new WebVisitor(`http://127.0.0.1:${port}`);
    assert.equal((await visitor.open('/')).status, 401);
    assert.equal(await visitor.signIn('a guess'), 401);
    assert.equal(await visitor.signIn(PASSWORD), 303);
    assert.match(await visitor.read('/'), /ada@example\.test/);
    await world.deliver({ seed: 'web page', assetBytes: 100_000 });
    await world.snapshots(1);
    await visitor.assertFurnished(await visitor.readAConversation());

    const logs = await container.logs();
    assert.doesNotMatch(logs, /inside of this container only/);
    for (const text of [logs, await docker('inspect', container.name)]) assert.ok(!text.includes(PASSWORD));
    assert.equal(await container.stop(), 0);
  });
});

describe('A web page that only the container itself can reach', () => {
  it('is named as such in the log, with what to set', async () => {
    await using world = await startDockerWorld();
    await writeSecret(world, 'web_password', PASSWORD);
    const container = await world.start({ env: { CHATKEEP_WEB_PASSWORD_FILE: '/run/secrets/web_password' } });
    await container.printed('from inside of this container only');
    const said = (await container.logs()).split('\n').find((line) => line.includes('inside of this container only'));
    assert.match(said ?? '', /set CHATKEEP_WEB_LISTEN to 0\.0\.0\.0:8788/);
    assert.match(said ?? '', /127\.0\.0\.1:8788:8788/);
    assert.equal(await container.stop(), 0);
  });
});
