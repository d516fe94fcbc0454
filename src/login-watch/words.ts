import type { LoginHealth } from '../download/index.ts';
import { formatMoment } from '../lib/text.ts';

/** How a login was found, as the end of a line that begins with its name. */
export function healthWords(health: LoginHealth): string {
  switch (health.kind) {
    case 'good':
      return `good${health.until === undefined ? '' : ` until ${formatMoment(health.until)}`}${asWhom(health.account)}`;
    case 'dying':
      return `good until ${formatMoment(health.until)} and no longer${asWhom(health.account)}: renew it before then`;
    case 'dead':
      return `does not work. ${health.detail}`;
    case 'unknown':
      return `could not be tried out. ${health.detail}`;
  }
}

function asWhom(account: string | undefined): string {
  return account === undefined ? '' : `, as ${account}`;
}
