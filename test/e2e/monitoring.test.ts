import assert from 'node:assert/strict';
import { rename, writeFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { type ReceivedRequest, WebServer } from '../notify/support.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { createAccount } from '../support/openai/exports/index.ts';
import type { Service } from '../support/service.ts';
import { ACCESS_TOKEN, startWorld, type World } from '../support/world.ts';

const HOUR_MS = 3_600_000;
const SERVICE_CHECK = '/ping/6731de76-14a6-49ae-97bc-6eba6914391e';
const CAPTURES_CHECK = '/ping/0c8983c9-9d73-446f-adb5-0641fdacc9d4';

const account = createAccount({ seed: 'monitoring', email: 'ada@example.test', conversations: 12 });

/** A beat as the machine that watches hears it. */
interface Heard {
  readonly signal: string;
  readonly run: string | null;
  readonly text: string;
}

describe('a service that machines watch over, with `listen` and `heartbeat`', () => {
  let world: World;
  let checks: WebServer;
  let service: Service;
  let at: string;
  before(async () => {
    world = await startWorld({ signedIn: false });
    checks = await WebServer.listen();
    const port = await freePort();
    at = `http://127.0.0.1:${port}`;
    service = world.service({
      CHATKEEP_LISTEN: `127.0.0.1:${port}`,
      CHATKEEP_HEARTBEAT: `http://${checks.host}${SERVICE_CHECK}`,
      CHATKEEP_HEARTBEAT_CAPTURES: `http://${checks.host}${CAPTURES_CHECK}`,
      CHATKEEP_HEARTBEAT_EVERY_MINUTES: '0.1',
    });
    await service.printed('watching');
  });
  after(async () => {
    await world[Symbol.asyncDispose]();
    await checks[Symbol.asyncDispose]();
  });

  const heardAt = (check: string): Heard[] => checks.requests.flatMap((request) => beatOf(request, check));
  const answer = async (path: string) => {
    const response = await fetch(`${at}${path}`);
    return { status: response.status, text: await response.text() };
  };
  const metrics = async () => new Map((await answer('/metrics')).text.split('\n').map(seriesOf));

  it('says that it lives once its mailbox has answered, and is ready', async () => {
    await eventually(() => heardAt(SERVICE_CHECK).some(isAlive));
    assert.deepEqual(await answer('/healthz'), { status: 200, text: 'ok\n' });
    assert.deepEqual(await answer('/readyz'), { status: 200, text: 'ok\n' });
    const found = await metrics();
    assert.equal(found.get('chatkeep_healthy'), 1);
    assert.equal(found.get(`chatkeep_mailbox_up{mailbox="${world.dovecot.user}"}`), 1);
    assert.equal(found.get('chatkeep_captures{state="committed"}'), 0);
    assert.deepEqual(heardAt(CAPTURES_CHECK), []);
  });

  it('says that a capture begins, and what holds it up, and shows it with its deadline', async () => {
    await mail(world, 2);
    await eventually(() => heardAt(CAPTURES_CHECK).length >= 2);
    const [begun, noted] = heardAt(CAPTURES_CHECK);
    assert.deepEqual([begun?.signal, noted?.signal], ['/start', '/log']);
    assert.match(noted?.text ?? '', /^needs-login: .*chatgpt-token does not exist/);
    assert.match(begun?.run ?? '', /^[0-9a-f-]{36}$/);
    assert.equal(noted?.run, begun?.run);
    const found = await metrics();
    assert.equal(found.get('chatkeep_captures{state="needs-login"}'), 1);
    const [deadline] = [...found].filter(([name]) => name.startsWith('chatkeep_capture_deadline_timestamp_seconds{'));
    const hoursLeft = ((deadline?.[1] ?? 0) * 1000 - Date.now()) / HOUR_MS;
    assert.ok(hoursLeft > 21 && hoursLeft < 22.1, `${hoursLeft} h are left`);
  });

  it('says that the capture has succeeded, and counts the snapshot and what was downloaded', async () => {
    // At one stroke: a half-written file would be told of as well.
    await writeFile(`${world.tokenFile}.new`, ACCESS_TOKEN, { mode: 0o600 });
    await rename(`${world.tokenFile}.new`, world.tokenFile);
    await eventually(() => heardAt(CAPTURES_CHECK).length >= 3);
    const [begun, , done] = heardAt(CAPTURES_CHECK);
    assert.deepEqual([done?.signal, done?.run], ['', begun?.run]);
    assert.match(done?.text ?? '', /^Kept as ada@example\.test\/.*Z\.$/);
    const found = await metrics();
    assert.equal(found.get('chatkeep_captures{state="needs-login"}'), 0);
    assert.equal(found.get('chatkeep_captures{state="committed"}'), 1);
    assert.equal(found.get('chatkeep_snapshots{account="ada@example.test"}'), 1);
    assert.ok((found.get('chatkeep_downloaded_bytes_total') ?? 0) > 0);
    assert.ok(![...found.keys()].some((name) => name.startsWith('chatkeep_capture_deadline')));
  });

  it('says that a capture has failed whose link was dead when its email was found', async () => {
    await mail(world, 30);
    await eventually(() => heardAt(CAPTURES_CHECK).length >= 5);
    const [first, , , begun, failed] = heardAt(CAPTURES_CHECK);
    assert.deepEqual([begun?.signal, failed?.signal], ['/start', '/fail']);
    assert.equal(failed?.text, 'The link has died before the export could be fetched.');
    assert.equal(failed?.run, begun?.run);
    assert.notEqual(begun?.run, first?.run);
    assert.equal((await metrics()).get('chatkeep_captures{state="expired"}'), 1);
  });

  it('goes on to say that it lives, tells neither check what the other hears, and logs no address', async () => {
    const before = heardAt(SERVICE_CHECK).length;
    await eventually(() => heardAt(SERVICE_CHECK).slice(before).some(isAlive));
    assert.ok(heardAt(SERVICE_CHECK).every(({ signal, run }) => signal !== '/start' && run === null));
    assert.equal(heardAt(CAPTURES_CHECK).length, 5);
    const { code } = await service.stop();
    assert.equal(code, 0);
    assert.doesNotMatch(service.output, /6731de76|0c8983c9/);
    await assert.rejects(fetch(`${at}/healthz`));
  });
});

/** An export that was made so many hours ago, and its email. */
async function mail(world: World, hoursAgo: number): Promise<void> {
  const { published } = await world.openai.publishExport(account, {
    directory: world.exports,
    form: 'estuary',
    stamp: new Date(Date.now() - hoursAgo * HOUR_MS),
  });
  await world.dovecot.deliver(await world.openai.readyMail(published));
}

function beatOf({ method, url = '', body }: ReceivedRequest, check: string): Heard[] {
  const { pathname, searchParams } = new URL(url, 'http://check');
  if (method !== 'POST' || !pathname.startsWith(check)) return [];
  return [{ signal: pathname.slice(check.length), run: searchParams.get('rid'), text: String(body) }];
}

function isAlive({ signal, run, text }: Heard): boolean {
  return signal === '' && run === null && text === 'The service lives, and its mailboxes answer.';
}

/** `name{labels} value` */
function seriesOf(line: string): [string, number] {
  const space = line.lastIndexOf(' ');
  return [line.slice(0, space), Number(line.slice(space + 1))];
}
