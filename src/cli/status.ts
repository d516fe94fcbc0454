import { Command } from 'commander';
import { journalPath } from '../assembly.ts';
import { type Capture, deadlineOf, openSqliteJournal } from '../capture/index.ts';
import type { Config } from '../config/index.ts';
import { readHeartbeat } from '../heartbeat.ts';
import { systemClock } from '../lib/clock.ts';
import { ERROR_TABLE } from '../lib/errors.ts';
import { exists } from '../lib/files.ts';
import { gatherStatus, type Kept, type Status } from '../overview/index.ts';
import { loadForCommand } from './context.ts';
import { healthJson } from './login/health.ts';
import { printJson, printLine } from './output.ts';
import { statusPage } from './status/page.ts';

/** `chatkeep status`: how things are. */
export function statusCommand(): Command {
  return new Command('status')
    .description(
      'tell what is being captured, how the mailboxes are, and what was kept last; exit code 7 if something is wrong',
    )
    .option('--json', 'print it as JSON')
    .action(async (options: { json?: true }, command: Command) => {
      const { config } = await loadForCommand(command);
      const now = systemClock.now();
      const status = await gather(config, now);
      if (options.json === true) printJson(asJson(status));
      else for (const line of statusPage(status, now)) printLine(line);
      if (!willKeepNext(status)) process.exitCode = ERROR_TABLE.unhealthy.exitCode;
    });
}

/** Whether the next export would be kept without anybody's doing. */
function willKeepNext({ health, disks, logins }: Status): boolean {
  const isRefused = disks.some(({ state }) => state === 'full') || logins.some((login) => login.health.kind === 'dead');
  return health.kind === 'healthy' && !isRefused;
}

async function gather(config: Config, now: number): Promise<Status> {
  const heartbeat = await readHeartbeat(config.stateDir);
  const path = journalPath(config);
  await using journal = (await exists(path)) ? openSqliteJournal(path) : undefined;
  return await gatherStatus(config, { heartbeat, journal }, now);
}

function asJson({
  health,
  heartbeat,
  open,
  ended,
  awaited,
  undelivered,
  logins,
  offsite,
  verified,
  snapshots,
  unchanged,
  disks,
  reminders,
}: Status): unknown {
  const newest = snapshots.at(-1);
  const same = unchanged.at(-1);
  return {
    health,
    service: heartbeat ?? null,
    logins: logins.map(({ label, checkedAt, health: found }) => healthJson(label, checkedAt, found)),
    open: open.map(captureJson),
    ended: ended.map(captureJson),
    awaited: awaited.map(({ remindAt = null, ...rest }) => ({ ...rest, remindAt })),
    offsite: offsite.map(({ name, record: { format: _format, copied, told: _told, ...record }, missing }) => {
      return { name, copied: copied.length, missing, ...record };
    }),
    verified: {
      at: verified.verifiedAt,
      everyFileReadAt: verified.roundEnded,
      damaged: verified.damage.map(({ snapshot, path }) => ({ snapshot, path })),
    },
    undeliveredNotifications: undelivered.count,
    lastDeliveryError: undelivered.lastError ?? null,
    disks: disks.map(({ path, free, total, need, state }) => ({ path, free, total, nextExport: need, state })),
    reminders: reminders.map(({ account = null, at }) => ({ account, at })),
    snapshots: snapshots.length,
    newestSnapshot: newest === undefined ? null : newestJson(newest),
    newestUnchanged: same === undefined ? null : { snapshot: same.snapshot.id, exportTime: same.meta.exportTime },
  };
}

function newestJson({ id, meta: { exportTime, files, bytes, counts } }: Kept): unknown {
  return { id, exportTime, files, bytes, counts };
}

function captureJson(capture: Capture): unknown {
  const { id, exportId, exportTime, foundAt, state, origin } = capture;
  return { id, exportId, exportTime, foundAt, deadline: deadlineOf(capture), from: origin.kind, state };
}
