import { ChatkeepError } from '../lib/errors.ts';
import { sha256 } from '../lib/hash.ts';
import { nearest } from '../lib/nearest.ts';
import type { Secret } from '../lib/secret.ts';
import { type Address, readAddress } from './address.ts';
import type { Destination, Service } from './service.ts';
import { email } from './services/email.ts';
import { ntfy } from './services/ntfy.ts';
import { webhook } from './services/webhook.ts';

/** A kind of service; one file each in services/. */
interface ServiceKind {
  readonly name: string;
  /** In lower case. */
  readonly schemes: readonly string[];
  /** @throws ChatkeepError `config` that shows nothing of the address */
  open(address: Address): Destination;
}

const KINDS: readonly ServiceKind[] = [ntfy, email, webhook];

/** Hexadecimal digits of the address' hash in a service's id: enough to tell a user's addresses apart. */
const ID_DIGITS = 12;

/**
 * The service that a notification address stands for (docs/reference/notifications.md): Apprise's and Shoutrrr's forms,
 * and addresses pasted from the service itself.
 *
 * @throws ChatkeepError `config` that names the service and the fault, and shows nothing of the address
 */
export function parseAddress(address: Secret): Service {
  const text = address.reveal().trim();
  const kind = kindOf(text);
  const { label, send } = kind.open(readAddress(kind.name, text));
  return { id: `${kind.name}-${sha256(text).slice(0, ID_DIGITS)}`, label, send };
}

function kindOf(text: string): ServiceKind {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme === 'https' || scheme === 'http') return kindOfPasted(text);
  const kind = KINDS.find(({ schemes }) => scheme !== undefined && schemes.includes(scheme));
  if (kind !== undefined) return kind;
  const known = KINDS.flatMap(({ schemes }) => schemes);
  const guess = scheme === undefined ? undefined : nearest(scheme, known);
  throw new ChatkeepError(
    'config',
    `A notification address begins with no service that Chatkeep knows: ${guess === undefined ? `known are ${known.map((name) => `${name}://`).join(', ')}` : `did you mean ${guess}://?`}`,
  );
}

/** The page of a topic, as it stands in the browser's address bar. */
function kindOfPasted(text: string): ServiceKind {
  if (/^https?:\/\/([^/@]*@)?ntfy\.sh(:443)?\//i.test(text)) return ntfy;
  throw new ChatkeepError(
    'config',
    'A notification address begins with https:// and does not tell the service: write ntfy://host/topic for an ntfy server of your own, or json+https://… for a webhook.',
  );
}
