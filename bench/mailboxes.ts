import { Secret } from '../src/lib/secret.ts';
import { MailboxWatcher } from '../src/mailbox/index.ts';
import { mailboxConfig, SeenInMemory } from '../test/mailbox/fake-server.ts';
import { startDovecot } from '../test/support/dovecot.ts';
import { eventually } from '../test/support/eventually.ts';
import type { Bench } from './bench.ts';

const MAILBOXES = 200;
const GOAL_BYTES_EACH = 1_000_000;
/** Until what the sign-ins took is given back. */
const SETTLE_MS = 3_000;

/** What one more mailbox costs: many in one process, each with its own user, over TLS. */
export const mailboxes: Bench = {
  name: 'mailboxes',
  summary: `memory per mailbox, of ${MAILBOXES} that one process watches at a real Dovecot`,
  needs: [{ path: '/usr/sbin/dovecot', debianPackage: 'dovecot-imapd' }],
  async run(say) {
    const users = Array.from({ length: MAILBOXES }, (_, index) => ({ user: `user-${index}`, password: 'geheim' }));
    const [first, ...others] = users;
    if (first === undefined) throw new RangeError('There are no mailboxes.');
    const server = await startDovecot({ users: [first, ...others], mostConnections: 2 * MAILBOXES });
    const stop = new AbortController();
    try {
      const before = process.memoryUsage().rss;
      const cpuBefore = process.cpuUsage();
      const from = performance.now();
      const watchers = users.map(({ user, password }) => watcherOf(server, user, password));
      const runs = watchers.map((watcher) => watcher.run(stop.signal));
      await eventually(() => watchers.every(({ state }) => state.name === 'watching'), 120_000);
      const wallMs = performance.now() - from;
      const { user, system } = process.cpuUsage(cpuBefore);
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
      const each = Math.round((process.memoryUsage().rss - before) / MAILBOXES);
      say(`${Math.round(each / 1000)} kB for each mailbox`);
      stop.abort();
      await Promise.all(runs);
      return {
        name: 'mailboxes',
        goal: `resident memory per mailbox ≤ ${GOAL_BYTES_EACH / 1000} kB`,
        ratio: each / GOAL_BYTES_EACH,
        met: each <= GOAL_BYTES_EACH,
        rows: [
          {
            tool: 'chatkeep',
            wall_ms: Math.round(wallMs),
            cpu_ms: Math.round((user + system) / 1000),
            rss_bytes: before + each * MAILBOXES,
            bytes: 0,
            mailboxes: MAILBOXES,
            bytes_each: each,
          },
        ],
      };
    } finally {
      stop.abort();
      await server.close();
    }
  },
};

function watcherOf(
  { host, port, caFile }: { host: string; port: number; caFile: string },
  user: string,
  password: string,
): MailboxWatcher {
  const seen = new SeenInMemory();
  return new MailboxWatcher({
    config: mailboxConfig({ name: user, user, host, port, caFile }, { password: new Secret(password) }),
    senders: ['openai'],
    seen,
    onMessage: seen.take,
  });
}
