import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { type CaptureState, deadlineOf, lacksArchive } from '../capture/index.ts';
import { SECOND_MS } from '../lib/clock.ts';
import type { Reading } from './reading.ts';

/** Every state has its series from the start, so that a rule can tell "none" from "no data". */
const STATES: readonly CaptureState['name'][] = [
  'found',
  'downloading',
  'waiting',
  'needs-login',
  'unpacking',
  'committed',
  'duplicate',
  'unchanged',
  'refused',
  'expired',
];

/**
 * The metrics of the service, named by the conventions of Prometheus (https://prometheus.io/docs/practices/naming/):
 * moments are UNIX timestamps in seconds, so that an age is `time() - x`; what is not known has no series.
 */
export class Metrics {
  readonly #registry = new Registry();
  readonly #downloaded: Counter;
  readonly #gauges: Readonly<Record<string, { readonly gauge: Gauge; readonly read: (reading: Reading) => Series[] }>>;
  #downloadedSoFar = 0;

  constructor() {
    collectDefaultMetrics({ register: this.#registry });
    this.#downloaded = new Counter({
      name: 'chatkeep_downloaded_bytes_total',
      help: 'Bytes of exports downloaded since the start',
      registers: [this.#registry],
    });
    this.#gauges = Object.fromEntries(
      Object.entries(GAUGES).map(([name, { help, labels = [], read }]) => {
        const gauge = new Gauge({ name, help, labelNames: [...labels], registers: [this.#registry] });
        return [name, { gauge, read }];
      }),
    );
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** The text that Prometheus reads. */
  async render(reading: Reading): Promise<string> {
    for (const { gauge, read } of Object.values(this.#gauges)) {
      gauge.reset();
      // Without labels, that leaves a series of zero.
      gauge.remove({});
      for (const [labels, value] of read(reading)) {
        if (value !== undefined) gauge.set(labels, value);
      }
    }
    this.#downloaded.inc(Math.max(0, reading.downloadedBytes - this.#downloadedSoFar));
    this.#downloadedSoFar = reading.downloadedBytes;
    return this.#registry.metrics();
  }
}

type Series = readonly [labels: Readonly<Record<string, string>>, value: number | undefined];

interface GaugeOptions {
  readonly help: string;
  readonly labels?: readonly string[];
  readonly read: (reading: Reading) => Series[];
}

const NONE = {};

const GAUGES: Readonly<Record<string, GaugeOptions>> = {
  chatkeep_build_info: {
    help: 'Always 1; the version is in the labels',
    labels: ['version', 'node'],
    read: ({ version }) => [[{ version, node: process.version }, 1]],
  },
  chatkeep_healthy: {
    help: '1 while mailboxes answer and the work goes on, as `chatkeep healthcheck` and /readyz judge it',
    read: ({ health }) => [[NONE, health.kind === 'healthy' ? 1 : 0]],
  },
  chatkeep_mailbox_up: {
    help: '1 while the mailbox is watched without trouble',
    labels: ['mailbox'],
    read: ({ mailboxes }) =>
      mailboxes.map(({ name, state, trouble }) => [
        { mailbox: name },
        state === 'watching' && trouble === null ? 1 : 0,
      ]),
  },
  chatkeep_mailbox_last_answer_timestamp_seconds: {
    help: 'When the mail server last answered a command',
    labels: ['mailbox'],
    read: ({ mailboxes }) => mailboxes.map(({ name, lastAnswer }) => [{ mailbox: name }, seconds(lastAnswer)]),
  },
  chatkeep_captures: {
    help: 'Captures by state, of all that were ever made',
    labels: ['state'],
    read: ({ captures }) => STATES.map((state) => [{ state }, captures[state] ?? 0]),
  },
  chatkeep_capture_deadline_timestamp_seconds: {
    help: 'When the link of an export dies that is not downloaded yet',
    labels: ['capture', 'state'],
    read: ({ open }) =>
      open
        .filter(lacksArchive)
        .map((capture) => [{ capture: capture.id, state: capture.state.name }, seconds(deadlineOf(capture))]),
  },
  chatkeep_awaited_exports: {
    help: 'Exports that were asked for and have not come',
    read: ({ awaited }) => [[NONE, awaited]],
  },
  chatkeep_snapshots: {
    help: 'Snapshots kept',
    labels: ['account'],
    read: (reading) => byAccount(reading, (snapshots) => snapshots.length),
  },
  chatkeep_snapshot_bytes: {
    help: 'Size of all snapshots together; what they share by hard links takes its room once and is counted each time',
    labels: ['account'],
    read: (reading) => byAccount(reading, (snapshots) => snapshots.reduce((sum, { meta }) => sum + meta.bytes, 0)),
  },
  chatkeep_newest_snapshot_timestamp_seconds: {
    help: 'When the newest export was made that is in the backup: as a snapshot, or with nothing changed since one',
    labels: ['account'],
    read: ({ exports }) =>
      [...Map.groupBy(exports, ({ snapshot }) => snapshot.account)].map(([account, ofAccount]) => [
        { account },
        seconds(ofAccount.at(-1)?.meta.exportTime),
      ]),
  },
  chatkeep_newest_snapshot_bytes: {
    help: 'Size of the newest snapshot',
    labels: ['account'],
    read: (reading) => byAccount(reading, (snapshots) => snapshots.at(-1)?.meta.bytes),
  },
  chatkeep_newest_snapshot_messages: {
    help: 'Messages in the newest snapshot',
    labels: ['account'],
    read: (reading) => byAccount(reading, (snapshots) => snapshots.at(-1)?.meta.counts.messages),
  },
  chatkeep_verified_timestamp_seconds: {
    help: 'When snapshots were last verified',
    read: ({ verifiedAt }) => [[NONE, seconds(verifiedAt)]],
  },
  chatkeep_login_up: {
    help: '1 while the login works, 0 when it does not; no series while that is not known',
    labels: ['login'],
    read: ({ logins }) =>
      logins.map(({ label, health }) => [
        { login: label },
        health.kind === 'unknown' ? undefined : health.kind === 'dead' ? 0 : 1,
      ]),
  },
  chatkeep_login_expiry_timestamp_seconds: {
    help: 'When the login ends, where it says so',
    labels: ['login'],
    read: ({ logins }) =>
      logins.map(({ label, health }) => [{ login: label }, 'until' in health ? seconds(health.until) : undefined]),
  },
  chatkeep_outbox_notifications: {
    help: 'Notifications that wait for their service',
    read: ({ undelivered }) => [[NONE, undelivered.count]],
  },
  chatkeep_outbox_oldest_timestamp_seconds: {
    help: 'When the oldest notification was recorded that still waits',
    read: ({ undelivered }) => [[NONE, seconds(undelivered.oldestAt)]],
  },
  chatkeep_disk_free_bytes: {
    help: 'Free space on the disks of the backup and the state directory',
    labels: ['path'],
    read: ({ disks }) => disks.map(({ path, free }) => [{ path }, free]),
  },
  chatkeep_disk_needed_bytes: {
    help: 'What an export like the last ones takes while it is taken in',
    labels: ['path'],
    read: ({ disks }) => disks.map(({ path, need }) => [{ path }, need]),
  },
};

function seconds(ms: number | null | undefined): number | undefined {
  return ms === null || ms === undefined ? undefined : ms / SECOND_MS;
}

function byAccount({ snapshots }: Reading, measure: (ofAccount: Reading['snapshots']) => number | undefined): Series[] {
  return [...Map.groupBy(snapshots, ({ account }) => account)].map(([account, ofAccount]) => [
    { account },
    measure(ofAccount),
  ]);
}
