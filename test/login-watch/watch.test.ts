import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Login, LoginHealth } from '../../src/download/index.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import type { CheckedLogin } from '../../src/login-watch/index.ts';
import { LoginWatch } from '../../src/login-watch/index.ts';
import type { Message } from '../../src/notify/index.ts';
import { settle, TEST_START_MS, VirtualClock } from '../support/virtual-clock.ts';

const ORIGIN = new URL('https://chatgpt.com');
const GOOD: LoginHealth = { kind: 'good', until: undefined, account: 'ada@example.com' };
const DYING: LoginHealth = { kind: 'dying', until: TEST_START_MS + 2 * DAY_MS, account: undefined };
const DEAD: LoginHealth = { kind: 'dead', detail: 'It was revoked.' };
const UNKNOWN: LoginHealth = { kind: 'unknown', detail: 'There is no network.' };

/** A login of which the test says how it is. */
class ScriptedLogin implements Login {
  readonly label: string;
  readonly howToRenew = 'Renew it.';
  health: LoginHealth = GOOD;
  version = 'one';
  /** When it was checked, ms UTC. */
  readonly checks: number[] = [];

  constructor(label: string) {
    this.label = label;
  }

  async *waysIn() {}

  async check(origin: URL, { now }: { now: number }): Promise<LoginHealth> {
    assert.equal(origin, ORIGIN);
    this.checks.push(now);
    return this.health;
  }

  fingerprint = async () => this.version;
}

class World {
  readonly clock = new VirtualClock();
  readonly logins: ScriptedLogin[];
  readonly told: Message[] = [];
  /** What the journal fails with, one a record. */
  readonly faults: Error[] = [];
  kept: readonly CheckedLogin[] = [];
  #stop = new AbortController();
  #running: Promise<void> | undefined;

  constructor(...labels: string[]) {
    this.logins = labels.map((label) => new ScriptedLogin(label));
  }

  get first(): ScriptedLogin {
    const [first] = this.logins;
    assert.ok(first !== undefined);
    return first;
  }

  get events(): string[] {
    return this.told.map(({ event, data }) => [event, data.state].filter(Boolean).join(' '));
  }

  async start({ everyMs = DAY_MS, random = 0.5 } = {}): Promise<void> {
    this.#stop = new AbortController();
    const watch = new LoginWatch({
      logins: this.logins,
      origin: ORIGIN,
      everyMs,
      clock: this.clock,
      random: () => random,
      logger: silentLogger,
      record: {
        read: async () => structuredClone([...this.kept]),
        write: async (logins) => {
          this.kept = structuredClone([...logins]);
        },
      },
      recorder: {
        record: async ({ messages = [] }) => {
          const fault = this.faults.shift();
          if (fault !== undefined) throw fault;
          this.told.push(...messages);
        },
      },
    });
    this.#running = watch.run(this.#stop.signal);
    await settle();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    assert.equal(this.clock.sleeping, 0);
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }
}

describe('The watch over the logins', () => {
  it('checks soon after the start, and then on its schedule', async () => {
    const world = new World('a');
    await world.start();
    assert.deepEqual(world.first.checks, []);
    await world.clock.advance(2 * MINUTE_MS);
    assert.equal(world.first.checks.length, 1);
    await world.clock.advance(3 * DAY_MS);
    assert.equal(world.first.checks.length, 4);
    await world.stop();
  });

  it('draws its moments at random, so that not all ask at the same time', async () => {
    for (const [random, hours] of [
      [0, 21.6],
      [0.999, 26.4],
    ] as const) {
      const world = new World('a');
      await world.start({ random });
      await world.clock.advance(30 * HOUR_MS);
      const [first = 0, second = 0] = world.first.checks;
      assert.ok(Math.abs(second - first - hours * HOUR_MS) < 2 * MINUTE_MS, `${(second - first) / HOUR_MS} h`);
      await world.stop();
    }
  });

  it('checks at the moment a login ends, and no more often where it lives on', async () => {
    const world = new World('a');
    const until = TEST_START_MS + 30 * HOUR_MS;
    world.first.health = { kind: 'dying', until, account: undefined };
    await world.start();
    await world.clock.advance(30 * HOUR_MS + 2 * MINUTE_MS);
    const atItsEnd = world.first.checks.at(-1) ?? 0;
    assert.ok(atItsEnd >= until && atItsEnd < until + 2 * MINUTE_MS, `${atItsEnd - until} ms after the end`);
    const before = world.first.checks.length;
    await world.clock.advance(2 * DAY_MS);
    assert.equal(world.first.checks.length, before + 2);
    await world.stop();
  });

  it('says nothing of logins that are good', async () => {
    const world = new World('a', 'b');
    await world.start();
    await world.clock.advance(10 * DAY_MS);
    assert.deepEqual(world.told, []);
    await world.stop();
  });

  it('tells once that a login has died, and once that it is back', async () => {
    const world = new World('a');
    world.first.health = DEAD;
    await world.start();
    await world.clock.advance(3 * DAY_MS);
    assert.deepEqual(world.events, ['login-failing dead']);
    world.first.health = GOOD;
    await world.clock.advance(3 * DAY_MS);
    assert.deepEqual(world.events, ['login-failing dead', 'recovered']);
    await world.stop();
  });

  it('tells that a login is about to end, that it has, that it is back for a while, and that it was renewed', async () => {
    const world = new World('a');
    await world.start();
    await world.clock.advance(HOUR_MS);
    for (const health of [DYING, DYING, DEAD, DEAD, DYING, GOOD]) {
      world.first.health = health;
      await world.clock.advance(2 * DAY_MS);
    }
    assert.deepEqual(world.events, ['login-failing dying', 'login-failing dead', 'login-failing dying', 'recovered']);
    await world.stop();
  });

  it('takes what it could not find out for no news', async () => {
    const world = new World('a');
    await world.start();
    for (const health of [UNKNOWN, DEAD, UNKNOWN, DEAD, UNKNOWN, GOOD, UNKNOWN]) {
      world.first.health = health;
      await world.clock.advance(DAY_MS);
    }
    assert.deepEqual(world.events, ['login-failing dead', 'recovered']);
    await world.stop();
  });

  it('looks again within hours, and not in a hot loop, where it could not find out or a login is dead', async () => {
    for (const health of [UNKNOWN, DEAD]) {
      const world = new World('a');
      world.first.health = health;
      await world.start();
      await world.clock.advance(DAY_MS);
      assert.ok(world.first.checks.length >= 20 && world.first.checks.length <= 27, `${world.first.checks.length}`);
      await world.stop();
    }
  });

  it('looks at once at a login that was renewed', async () => {
    const world = new World('a', 'b');
    world.first.health = DEAD;
    await world.start();
    await world.clock.advance(5 * MINUTE_MS);
    world.first.health = GOOD;
    world.first.version = 'two';
    await world.clock.advance(2 * MINUTE_MS);
    assert.deepEqual(world.events, ['login-failing dead', 'recovered']);
    assert.deepEqual(
      world.logins.map(({ checks }) => checks.length),
      [2, 1],
    );
    await world.stop();
  });

  it('does not tell again after a restart', async () => {
    const world = new World('a');
    world.first.health = DEAD;
    await world.start();
    await world.clock.advance(5 * MINUTE_MS);
    for (let restarts = 0; restarts < 5; restarts += 1) {
      await world.restart();
      await world.clock.advance(2 * HOUR_MS);
    }
    assert.deepEqual(world.events, ['login-failing dead']);
    world.first.health = GOOD;
    await world.restart();
    await world.clock.advance(2 * HOUR_MS);
    assert.deepEqual(world.events, ['login-failing dead', 'recovered']);
    await world.stop();
  });

  it('does not ask at every start of a service that is started again and again', async () => {
    const world = new World('a');
    await world.start();
    for (let restarts = 0; restarts < 10; restarts += 1) {
      await world.clock.advance(5 * MINUTE_MS);
      await world.restart();
    }
    assert.equal(world.first.checks.length, 1);
    await world.clock.advance(HOUR_MS);
    assert.equal(world.first.checks.length, 2);
    await world.stop();
  });

  it('sees after a restart that a login was renewed meanwhile', async () => {
    const world = new World('a');
    world.first.health = DEAD;
    await world.start();
    await world.clock.advance(5 * MINUTE_MS);
    await world.stop();
    world.first.health = GOOD;
    world.first.version = 'two';
    await world.start();
    await world.clock.advance(2 * MINUTE_MS);
    assert.deepEqual(world.events, ['login-failing dead', 'recovered']);
    await world.stop();
  });

  it('tells later what could not be recorded', async () => {
    const world = new World('a');
    world.first.health = DEAD;
    world.faults.push(new Error('the disk is full'), new Error('the disk is full'));
    await world.start();
    await world.clock.advance(2 * MINUTE_MS);
    assert.deepEqual(world.events, []);
    await world.clock.advance(3 * MINUTE_MS);
    assert.deepEqual(world.events, ['login-failing dead']);
    await world.stop();
  });

  it('tells whether another login works', async () => {
    const world = new World('a', 'b');
    world.first.health = DEAD;
    await world.start();
    await world.clock.advance(5 * MINUTE_MS);
    assert.match(world.told[0]?.body ?? '', /still fetched by another login: b\./);
    const [, second] = world.logins;
    if (second !== undefined) second.health = DEAD;
    await world.clock.advance(2 * DAY_MS);
    assert.match(world.told[1]?.body ?? '', /There is no other login that lives longer\./);
    await world.stop();
  });

  it('keeps two logins of one label apart, and forgets one that is no longer configured', async () => {
    const world = new World('same', 'same', 'gone');
    world.first.health = DEAD;
    await world.start();
    await world.clock.advance(5 * MINUTE_MS);
    world.logins.pop();
    await world.restart();
    await world.clock.advance(2 * HOUR_MS);
    assert.deepEqual(world.events, ['login-failing dead']);
    assert.deepEqual(
      world.kept.map(({ label, health }) => [label, health.kind]),
      [
        ['same', 'dead'],
        ['same', 'good'],
      ],
    );
    await world.stop();
  });
});
