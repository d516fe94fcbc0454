import { ChatkeepError } from '../../lib/errors.ts';
import type { Secret } from '../../lib/secret.ts';
import { type HeartbeatAddress, type HeartbeatKind, heartbeatAddress } from './beat.ts';
import { healthchecks } from './healthchecks.ts';
import { uptimeKuma } from './uptime-kuma.ts';

export { type Beat, type HeartbeatAddress, RETRY_PAUSES_MS } from './beat.ts';

const KINDS: readonly HeartbeatKind[] = [healthchecks, uptimeKuma];

/**
 * What a heartbeat address stands for (docs/how-to/monitoring.md).
 * @throws ChatkeepError `config` that shows nothing of the address
 */
export function openHeartbeat(address: Secret): HeartbeatAddress {
  const text = address.reveal().trim();
  const url = /^https?:\/\//i.test(text) ? URL.parse(text) : null;
  const kind = url === null ? undefined : KINDS.find((each) => each.recognizes(url));
  if (url !== null && kind !== undefined && url.username === '') return heartbeatAddress(kind, url);
  throw new ChatkeepError(
    'config',
    'A heartbeat address is none of those that are known: give the ping URL of a check at healthchecks.io or one of your own (https://hc-ping.com/UUID, https://host/ping/UUID, without /start or /fail behind it), or the push URL of Uptime Kuma (https://host/api/push/TOKEN).',
  );
}
