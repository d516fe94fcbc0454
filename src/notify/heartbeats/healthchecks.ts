import type { Beat, BeatRequest, HeartbeatKind } from './beat.ts';

/** healthchecks.io, or one of your own (https://healthchecks.io/docs/http_api/): by UUID, or by ping key and slug. */
export const healthchecks: HeartbeatKind = {
  name: 'Healthchecks',
  recognizes({ hostname, pathname }) {
    const path = hostname === 'hc-ping.com' ? pathname : /\/ping(\/.*)$/.exec(pathname)?.[1];
    return (
      path !== undefined && /^\/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\/?$|^\/[\w-]{22}\/[\w-]+\/?$/i.test(path)
    );
  },
  requestFor(url, beat) {
    switch (beat.kind) {
      case 'alive':
        return ping(url, '', 'The service lives, and its mailboxes answer.', beat);
      case 'down':
        return ping(url, '/fail', beat.reason, beat);
      case 'begun':
        return ping(url, '/start', '', beat);
      case 'noted':
        return ping(url, '/log', beat.text, beat);
      case 'done':
        return ping(url, '', beat.text, beat);
      case 'failed':
        return ping(url, '/fail', beat.reason, beat);
    }
  },
};

function ping(base: URL, signal: string, body: string, beat: Beat): BeatRequest {
  const url = new URL(base);
  url.pathname = `${base.pathname.replace(/\/$/, '')}${signal}`;
  if ('run' in beat) url.searchParams.set('rid', beat.run);
  return { method: 'POST', url: url.href, body };
}
