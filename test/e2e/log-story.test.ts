import assert from 'node:assert/strict';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { createAccount } from '../support/openai/exports/index.ts';
import { ACCESS_TOKEN, startWorld, type World } from '../support/world.ts';

/** What a user reads of a capture. UPDATE_GOLDEN=1 writes the file anew. */
const GOLDEN = new URL('./log-story.golden.txt', import.meta.url);
const INFO = { CHATKEEP_LOG_LEVEL: 'info' };
const account = createAccount({ seed: 'log-story', email: 'ada@example.test', conversations: 12 });

describe('the log of a capture, at level info', () => {
  it('is a short story of one line a step', async () => {
    await using world = await startWorld();
    await using service = world.service(INFO);
    await service.printed('watching');
    await publish(world);
    await service.printed('told webhook');
    await service.stop();
    await compare('all goes well', storyIn(service.output, world));
  });

  it('tells of a login that is dead once, and goes on when it is renewed', async () => {
    await using world = await startWorld({ signedIn: false });
    await using service = world.service(INFO);
    await service.printed('watching');
    await publish(world);
    await service.printed(/told webhook.*login/);
    await renewLogin(world, 'ey.dead');
    await service.printed('The server answered 403');
    // For the same reason once more: that is not told again.
    const { requests } = world.openai.server;
    const before = requests.length;
    await renewLogin(world, 'ey.dead-too');
    await eventually(() => requests.length > before);
    await renewLogin(world, ACCESS_TOKEN);
    await service.printed(/told webhook.*done/);
    await service.stop();
    await compare('the login is dead, and is renewed', storyIn(service.output, world));
  });
});

async function publish(world: World): Promise<void> {
  const { published } = await world.openai.publishExport(account, { directory: world.exports, form: 'estuary' });
  await world.dovecot.deliver(await world.openai.readyMail(published));
}

/** In one step: the service never sees half of it. */
async function renewLogin({ tokenFile }: World, token: string): Promise<void> {
  await writeFile(`${tokenFile}.new`, token, { mode: 0o600 });
  await rename(`${tokenFile}.new`, tokenFile);
}

/** The lines of captures: what else the service says comes at times of its own. */
function storyIn(output: string, world: World): string {
  const lines = output
    .split('\n')
    .filter((line) => line.includes('"capture":'))
    .map((line) => JSON.parse(line) as { level: string; msg: string });
  return lines.map(({ level, msg }) => `${level} ${normalized(msg.replaceAll(world.base, '<BASE>'))}\n`).join('');
}

function normalized(message: string): string {
  return message
    .replace(/\d{4}-\d\d-\d\dT\d{6}Z(-\d+)?/g, '<SNAPSHOT>')
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d UTC/g, '<TIME>')
    .replace(/\d+(\.\d+)? (h|min|ms|s)( \d+ (min|s))?(?![a-z])/g, '<DURATION>')
    .replace(/\d+(\.\d+)? (B|kB|MB)\b/g, '<SIZE>')
    .replace(/:\d{4,5}\b/g, ':<PORT>');
}

async function compare(title: string, story: string): Promise<void> {
  const head = `=== ${title}\n`;
  const golden = await readFile(GOLDEN, 'utf8').catch(() => '');
  const others = golden.split(/^(?==== )/m).filter((part) => !part.startsWith(head));
  if (process.env.UPDATE_GOLDEN === '1') return writeFile(GOLDEN, [...others, head + story].join(''));
  assert.ok(golden.includes(head + story), `UPDATE_GOLDEN=1 writes the file anew. It is now:\n${story}`);
}
