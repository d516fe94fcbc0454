import type { BeatRequest, HeartbeatKind } from './beat.ts';

/** A push monitor of Uptime Kuma: `https://host/api/push/TOKEN`, with or without what its page puts behind it. */
export const uptimeKuma: HeartbeatKind = {
  name: 'Uptime Kuma',
  recognizes: ({ pathname }) => /\/api\/push\/[\w-]+\/?$/.test(pathname),
  requestFor(url, beat) {
    switch (beat.kind) {
      case 'alive':
        return push(url, 'up', 'OK');
      case 'done':
        return push(url, 'up', beat.text);
      case 'down':
      case 'failed':
        return push(url, 'down', beat.reason);
      case 'begun':
      case 'noted':
        // It knows up and down only.
        return undefined;
    }
  },
};

/** Kept short: it goes into the address, and onto a status page. */
const MOST_CHARACTERS = 200;

function push(base: URL, status: 'up' | 'down', msg: string): BeatRequest {
  const url = new URL(base);
  url.searchParams.set('status', status);
  url.searchParams.set('msg', msg.length > MOST_CHARACTERS ? `${msg.slice(0, MOST_CHARACTERS - 1)}…` : msg);
  // A chart of response times: there are none here.
  url.searchParams.set('ping', '');
  return { method: 'GET', url: url.href };
}
