import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import type { Health } from '../../src/heartbeat.ts';
import { MINUTE_MS } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { type Listener, listenAt } from '../../src/listener.ts';
import { observabilityRoutes, type Reading } from '../../src/observability/index.ts';
import { keptExports } from '../../src/snapshot/index.ts';
import { DEADLINE_MS, noticeCapture, OPEN_STATES } from '../capture/examples.ts';
import { writeSnapshot } from '../support/snapshot-on-disk.ts';
import { tempDir } from '../support/temp-dir.ts';
import { TEST_START_MS as NOW } from '../support/virtual-clock.ts';

const WELL: Health = { kind: 'healthy' };
const ILL: Health = { kind: 'unhealthy', detail: 'The mailbox "ann@example.org" has not answered for 20 min.' };

async function reading(changes: Partial<Reading> = {}): Promise<Reading> {
  await using directory = await tempDir();
  const snapshot = await writeSnapshot(directory.path, 'ann@example.org', NOW, { messages: 17 });
  return {
    now: NOW,
    version: '1.2.3',
    health: WELL,
    mailboxes: [
      {
        name: 'ann@example.org',
        state: 'watching',
        lastAnswer: NOW - MINUTE_MS,
        silenceLimit: MINUTE_MS,
        trouble: null,
        troubleSince: null,
      },
    ],
    open: [noticeCapture(OPEN_STATES['needs-login'])],
    captures: { 'needs-login': 1, committed: 4 },
    awaited: 1,
    downloadedBytes: 100,
    snapshots: [snapshot],
    exports: keptExports({ snapshots: [snapshot], unchanged: [] }),
    undelivered: { count: 2, oldestAt: NOW },
    logins: [
      {
        label: 'the token in /t',
        checkedAt: NOW,
        fingerprint: '',
        health: { kind: 'dying', until: NOW, account: undefined },
        told: null,
      },
    ],
    disks: [{ what: 'the disk', path: '/backups', free: 5, total: 10, need: 3 }],
    verifiedAt: NOW,
    ...changes,
  };
}

function serve(read: () => Promise<Reading>, health: Health = WELL): Promise<Listener> {
  const routes = observabilityRoutes({ health: () => health, read, logger: silentLogger });
  return listenAt({ host: '127.0.0.1', port: 0 }, routes);
}

/** What the program of Prometheus says (Debian's `prometheus`), which ends with 0. */
function promtool(args: readonly string[], input = ''): string {
  const { status, stdout, stderr, error } = spawnSync('promtool', args, { input, encoding: 'utf8' });
  assert.equal(status, 0, `promtool: ${error?.message ?? stderr}`);
  return `${stdout}${stderr}`;
}

async function get({ port }: Listener, path: string): Promise<{ status: number; text: string; type: string | null }> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`);
  return { status: answer.status, text: await answer.text(), type: answer.headers.get('content-type') };
}

/** `name{labels} value` of each series of ours. */
async function seriesOf(listener: Listener): Promise<string[]> {
  const { text } = await get(listener, '/metrics');
  return text.split('\n').filter((line) => line.startsWith('chatkeep_'));
}

describe('The health checks', () => {
  it('are well while the service is', async () => {
    await using listener = await serve(reading);
    assert.deepEqual(
      [await get(listener, '/healthz'), await get(listener, '/readyz')].map(({ status, text }) => [status, text]),
      [
        [200, 'ok\n'],
        [200, 'ok\n'],
      ],
    );
  });

  it('tell that the process lives, and why the service is not ready', async () => {
    await using listener = await serve(reading, ILL);
    assert.equal((await get(listener, '/healthz')).status, 200);
    const ready = await get(listener, '/readyz');
    assert.deepEqual([ready.status, ready.text], [503, `${ILL.kind === 'unhealthy' ? ILL.detail : ''}\n`]);
  });
});

describe('The metrics', () => {
  it('are those of the moment, in the format of Prometheus', async () => {
    await using listener = await serve(reading);
    const { type } = await get(listener, '/metrics');
    assert.match(type ?? '', /^text\/plain; version=0\.0\.4/);
    const seconds = NOW / 1000;
    assert.deepEqual(await seriesOf(listener), [
      'chatkeep_downloaded_bytes_total 100',
      `chatkeep_build_info{version="1.2.3",node="${process.version}"} 1`,
      'chatkeep_healthy 1',
      'chatkeep_mailbox_up{mailbox="ann@example.org"} 1',
      `chatkeep_mailbox_last_answer_timestamp_seconds{mailbox="ann@example.org"} ${seconds - 60}`,
      'chatkeep_captures{state="found"} 0',
      'chatkeep_captures{state="downloading"} 0',
      'chatkeep_captures{state="waiting"} 0',
      'chatkeep_captures{state="needs-login"} 1',
      'chatkeep_captures{state="unpacking"} 0',
      'chatkeep_captures{state="committed"} 4',
      'chatkeep_captures{state="duplicate"} 0',
      'chatkeep_captures{state="unchanged"} 0',
      'chatkeep_captures{state="refused"} 0',
      'chatkeep_captures{state="expired"} 0',
      `chatkeep_capture_deadline_timestamp_seconds{capture="a1b2c3d4e5f6",state="needs-login"} ${DEADLINE_MS / 1000}`,
      'chatkeep_awaited_exports 1',
      'chatkeep_snapshots{account="ann@example.org"} 1',
      'chatkeep_snapshot_bytes{account="ann@example.org"} 29',
      `chatkeep_newest_snapshot_timestamp_seconds{account="ann@example.org"} ${seconds}`,
      'chatkeep_newest_snapshot_bytes{account="ann@example.org"} 29',
      'chatkeep_newest_snapshot_messages{account="ann@example.org"} 17',
      `chatkeep_verified_timestamp_seconds ${seconds}`,
      'chatkeep_login_up{login="the token in /t"} 1',
      `chatkeep_login_expiry_timestamp_seconds{login="the token in /t"} ${seconds}`,
      'chatkeep_outbox_notifications 2',
      `chatkeep_outbox_oldest_timestamp_seconds ${seconds}`,
      'chatkeep_disk_free_bytes{path="/backups"} 5',
      'chatkeep_disk_needed_bytes{path="/backups"} 3',
    ]);
  });

  it('are what Prometheus itself finds no fault with', async () => {
    await using listener = await serve(reading);
    const { text } = await get(listener, '/metrics');
    // What Node.js and the process are measured by is prom-client's, names and all.
    const ours = text.split(/(?=^# HELP )/m).filter((family) => family.startsWith('# HELP chatkeep_'));
    assert.equal(promtool(['check', 'metrics'], ours.join('')), '');
  });

  it('have no series for what is not known, or is over', async () => {
    let current = await reading();
    await using listener = await serve(async () => current);
    await seriesOf(listener);
    current = await reading({ open: [], verifiedAt: undefined, undelivered: { count: 0, oldestAt: undefined } });
    const names = (await seriesOf(listener)).join('\n');
    assert.doesNotMatch(names, /capture_deadline|verified|outbox_oldest/);
    assert.match(names, /chatkeep_downloaded_bytes_total 100/);
  });

  it('are an error with a plain word when they cannot be read', async () => {
    await using listener = await serve(() => Promise.reject(new Error('the disk is gone')));
    const { status, text } = await get(listener, '/metrics');
    assert.deepEqual([status, text], [500, 'The metrics could not be read; the log has the reason.\n']);
  });
});

describe('The listener', () => {
  it('says plainly when another program has the port', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as { port: number };
    const listening = listenAt(
      { host: '127.0.0.1', port },
      observabilityRoutes({ health: () => WELL, read: reading, logger: silentLogger }),
    );
    await assert.rejects(listening, {
      class: 'config',
      message: `listen: 127.0.0.1:${port} cannot be listened at (another program has it).`,
    });
    other.close();
  });
});

describe('The example dashboard and alert rules', () => {
  const directory = new URL('../../config/observability/', import.meta.url);

  async function known(): Promise<Set<string>> {
    await using listener = await serve(reading);
    const { text } = await get(listener, '/metrics');
    return new Set([...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name = '']) => name));
  }

  it('the alert rules speak of metrics that there are, and each says what to do', async () => {
    const text = await readFile(new URL('alerts.yaml', directory), 'utf8');
    const metrics = await known();
    const { groups } = parse(text) as {
      groups: { rules: { alert: string; expr: string; annotations: { description: string } }[] }[];
    };
    const rules = groups.flatMap((group) => group.rules);
    assert.ok(rules.length >= 8);
    for (const { expr, annotations } of rules) {
      for (const [name] of expr.matchAll(/\b(chatkeep|process|nodejs)_\w+/g)) assert.ok(metrics.has(name), name);
      assert.ok(annotations.description.length > 20);
    }
  });

  it('Prometheus takes the alert rules', () => {
    const said = promtool(['check', 'rules', fileURLToPath(new URL('alerts.yaml', directory))]);
    assert.match(said, /SUCCESS: \d+ rules found/);
  });

  it('the dashboard shows metrics that there are', async () => {
    const text = await readFile(new URL('grafana-dashboard.json', directory), 'utf8');
    const metrics = await known();
    const { panels } = JSON.parse(text) as { panels: { title: string; targets?: { expr: string }[] }[] };
    const exprs = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    assert.ok(exprs.length >= 8);
    for (const expr of exprs) {
      const names = [...expr.matchAll(/\b(chatkeep|process|nodejs)_\w+/g)].map(([name]) => name);
      assert.ok(names.length > 0, expr);
      for (const name of names) assert.ok(metrics.has(name), name);
    }
  });
});
