import type { LoginHealth } from '../download/index.ts';
import { formatDuration, formatMoment } from '../lib/text.ts';
import type { Message } from '../notify/index.ts';

/** What people are told of logins: what happened, what it means for the backup, what to do, by when. No secrets. */

/** A login that something is told of. */
export interface LoginFacts {
  readonly label: string;
  readonly howToRenew: string;
  /** The other logins of the configuration, in its order. */
  readonly others: readonly { readonly label: string; readonly health: LoginHealth | undefined }[];
}

const KEPT = 'The snapshots that you have are untouched.';
const NOTICED = 'Chatkeep notices by itself, and tells you that the login works again.';

/** It will not be let in any more. */
export function loginDead(login: LoginFacts, detail: string, now: number): Message {
  const substitute = substituteFor(login, now);
  return {
    event: 'login-failing',
    level: substitute === undefined ? 'failure' : 'warning',
    title: 'A ChatGPT login no longer works',
    body: [
      `Chatkeep can no longer sign in with ${login.label}. ${detail}`,
      substitute === undefined
        ? `${alone(login)} Until it is renewed, an export that gets ready waits for it, and its link lives for 24 hours only. ${KEPT}`
        : `Exports are still fetched by another login: ${substitute}. ${KEPT}`,
      `What to do: ${login.howToRenew} ${NOTICED}`,
    ].join('\n'),
    at: now,
    data: { login: login.label, state: 'dead', reason: detail, anotherWorks: substitute !== undefined },
  };
}

/** It will not be let in for much longer. `until`: ms UTC. */
export function loginDying(login: LoginFacts, until: number, now: number): Message {
  const substitute = substituteFor(login, until);
  return {
    event: 'login-failing',
    level: 'warning',
    title: `A ChatGPT login ends in ${formatDuration(until - now)}`,
    body: [
      `Chatkeep can sign in with ${login.label} until ${formatMoment(until)}, and no longer.`,
      substitute === undefined
        ? `${alone(login)} An export that gets ready after that would wait for you, and its link lives for 24 hours only. ${KEPT}`
        : `After that, exports are still fetched by another login: ${substitute}. ${KEPT}`,
      `What to do before then: ${login.howToRenew} ${NOTICED}`,
    ].join('\n'),
    at: now,
    data: { login: login.label, state: 'dying', until, anotherWorks: substitute !== undefined },
  };
}

/** It was renewed, or is let in after all. `until`: when it ends, ms UTC, if that is known. */
export function loginBack(login: LoginFacts, until: number | undefined, now: number): Message {
  return {
    event: 'recovered',
    level: 'info',
    title: 'A ChatGPT login is good again',
    body: `Chatkeep can sign in with ${login.label}${until === undefined ? '' : `, until ${formatMoment(until)}`}. The next export is fetched with it. Nothing is left to do.`,
    at: now,
    data: { login: login.label, until: until ?? null },
  };
}

/** Another login that works, and still does after `moment` (ms UTC), if there is one. */
function substituteFor({ others }: LoginFacts, moment: number): string | undefined {
  return others.find(
    ({ health }) =>
      (health?.kind === 'good' || health?.kind === 'dying') && (health.until ?? Number.POSITIVE_INFINITY) > moment,
  )?.label;
}

function alone({ others }: LoginFacts): string {
  if (others.length === 0) return 'It is the only login that is configured.';
  const isKnown = others.every(({ health }) => health !== undefined && health.kind !== 'unknown');
  return isKnown ? 'There is no other login that lives longer.' : 'Whether another login works could not be found out.';
}
