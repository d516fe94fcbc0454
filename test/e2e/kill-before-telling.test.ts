import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WebServer } from '../notify/support.ts';
import { eventually } from '../support/eventually.ts';
import { createAccount } from '../support/openai/exports/index.ts';
import type { Environment, Service } from '../support/service.ts';
import { assertWholeSnapshot, startWorld, visibleSnapshots, type World } from '../support/world.ts';

const MINUTE_MS = 60_000;

const account = createAccount({ seed: 'kill-before-telling', email: 'ada@example.test', conversations: 6 });

/** A message as the webhook gets it. */
interface Told {
  readonly id: string;
  readonly event: string;
  readonly data: { readonly snapshot?: string };
}

describe('kill -9 after a snapshot is committed', () => {
  it('and before its message is sent: it is sent at the next start', async () => {
    await using endpoint = await WebServer.listen();
    await using world = await startWorld();
    endpoint.answer = 'hang';
    // The message about the first snapshot holds up the one about the second.
    await killAfter(world, endpoint, async () => {
      await deliver(world, 20);
      await eventually(() => told(endpoint).length === 1);
      await deliver(world, 10);
      await eventually(async () => (await visibleSnapshots(world.backups)).length === 2);
    });
    const [first, second] = await nameSnapshots(world);
    assert.deepEqual([...new Set(told(endpoint).map(({ data }) => data.snapshot))], [first]);

    endpoint.answer = { status: 204 };
    await tellUntil(world, endpoint, () => about(endpoint, second).length > 0);
    assert.equal(new Set(told(endpoint).map(({ id }) => id)).size, 2);
  });

  it('and while the answer is outstanding: it is sent again with the same id, by which it is told from a new one', async () => {
    await using endpoint = await WebServer.listen();
    await using world = await startWorld();
    endpoint.answer = 'hang';
    await killAfter(world, endpoint, async () => {
      await deliver(world, 20);
      await eventually(() => told(endpoint).length === 1);
    });
    const [snapshot] = await nameSnapshots(world);

    endpoint.answer = { status: 204 };
    await tellUntil(world, endpoint, () => told(endpoint).length > 1);
    const [outstanding, ...again] = about(endpoint, snapshot);
    for (const message of again) assert.deepEqual(message, outstanding);
    const keys = endpoint.requests.map(({ headers }) => headers['idempotency-key']);
    assert.deepEqual([...new Set(keys)], [`"${outstanding?.id}"`]);
  });

  it('and after it was refused: it is tried again with the same id, after the pause that was due', async () => {
    await using endpoint = await WebServer.listen();
    await using world = await startWorld();
    endpoint.answer = { status: 503 };
    await killAfter(world, endpoint, async (service) => {
      await deliver(world, 20);
      await service.printed('could not be delivered');
    });
    await nameSnapshots(world);

    endpoint.answer = { status: 204 };
    await tellUntil(world, endpoint, () => told(endpoint).length > 1);
    const [refused, ...again] = told(endpoint);
    for (const message of again) assert.deepEqual(message, refused);
  });
});

/** Starts the service and kills it once `steps` are done. */
async function killAfter(world: World, endpoint: WebServer, steps: (service: Service) => Promise<void>): Promise<void> {
  await using service = world.service(settingsFor(endpoint));
  await service.printed('watching');
  await steps(service);
  await service.kill();
}

/**
 * Starts the service until the endpoint was told, and then once more: whoever knows that everything was taken sends
 * nothing.
 */
async function tellUntil(world: World, endpoint: WebServer, isTold: () => boolean): Promise<void> {
  await using telling = world.service(settingsFor(endpoint));
  await eventually(isTold);
  // The stop waits for the answer that is on its way.
  await telling.stop();
  const requests = endpoint.requests.length;
  await using silent = world.service(settingsFor(endpoint));
  await silent.printed('watching');
  await silent.stop();
  assert.equal(endpoint.requests.length, requests);
}

function settingsFor(endpoint: WebServer): Environment {
  return { CHATKEEP_NOTIFY: `json://${endpoint.host}/hook` };
}

async function deliver(world: World, minutesAgo: number): Promise<void> {
  const { published } = await world.openai.publishExport(account, {
    directory: world.exports,
    form: 'estuary',
    stamp: new Date(Date.now() - minutesAgo * MINUTE_MS),
  });
  await world.dovecot.deliver(await world.openai.readyMail(published));
}

/** The snapshots as messages name them, oldest first; each of them is whole. */
async function nameSnapshots(world: World): Promise<string[]> {
  const paths = await visibleSnapshots(world.backups);
  for (const path of paths) await assertWholeSnapshot(path);
  return paths.map((path) => path.slice(world.backups.length + 1));
}

function told(endpoint: WebServer): Told[] {
  return endpoint.requests.map(({ body }) => body as Told);
}

function about(endpoint: WebServer, snapshot: string | undefined): Told[] {
  return told(endpoint).filter(({ data }) => data.snapshot === snapshot);
}
