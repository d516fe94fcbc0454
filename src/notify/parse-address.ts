import { ChatkeepError } from '../lib/errors.ts';
import { sha256 } from '../lib/hash.ts';
import { nearest } from '../lib/nearest.ts';
import type { Secret } from '../lib/secret.ts';
import { type Address, readAddress } from './address.ts';
import type { Destination, Service } from './service.ts';
import { apprise } from './services/apprise.ts';
import { discord } from './services/discord.ts';
import { email } from './services/email.ts';
import { gotify } from './services/gotify.ts';
import { ntfy } from './services/ntfy.ts';
import { pushover } from './services/pushover.ts';
import { slack } from './services/slack.ts';
import { telegram } from './services/telegram.ts';
import { webhook } from './services/webhook.ts';

/** A kind of service; one file each in services/. */
interface ServiceKind {
  readonly name: string;
  /** In lower case. */
  readonly schemes: readonly string[];
  /** Whether a web address is one of the service, as it is pasted from a browser or from the service's settings. */
  readonly isNative?: (text: string) => boolean;
  /** Brings a form that is no address by the rules of URLs into one that is. */
  readonly prepare?: (text: string) => string;
  /**
   * The places that the address names: one, or several where a service has several to an address.
   * @throws ChatkeepError `config` that shows nothing of the address
   */
  open(address: Address): readonly Destination[];
}

const KINDS: readonly ServiceKind[] = [ntfy, gotify, discord, slack, telegram, pushover, email, webhook, apprise];

/** Hexadecimal digits of the address' hash in a service's id: enough to tell a user's addresses apart. */
const ID_DIGITS = 12;

/** Proof of life for a machine that watches (healthchecks.io, Uptime Kuma) is another setting. */
const HEARTBEAT = /^https?:\/\/(?:hc-ping\.com\/|[^?#]*\/ping\/[0-9a-f-]{36}|[^?#]*\/api\/push\/)/i;

/**
 * The services that a notification address stands for (docs/reference/notifications.md), one or more: Apprise's and
 * Shoutrrr's forms, and addresses pasted from the service itself.
 *
 * @throws ChatkeepError `config` that names the service and the fault, and shows nothing of the address
 */
export function parseAddress(address: Secret): Service[] {
  const text = address.reveal().trim();
  const kind = kindOf(text);
  const destinations = kind.open(readAddress(kind.name, kind.prepare?.(text) ?? text));
  const id = `${idNameOf(kind)}-${sha256(text).slice(0, ID_DIGITS)}`;
  return destinations.map(({ label, send }, index) => {
    return { id: index === 0 ? id : `${id}-${index + 1}`, label, send };
  });
}

function idNameOf({ name }: ServiceKind): string {
  return name.toLowerCase().replaceAll(' ', '-');
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

function kindOfPasted(text: string): ServiceKind {
  if (HEARTBEAT.test(text)) {
    throw new ChatkeepError(
      'config',
      'A notification address is one for signs of life (healthchecks.io, Uptime Kuma): put it under heartbeat instead of notify.',
    );
  }
  const kind = KINDS.find(({ isNative }) => isNative?.(text));
  if (kind !== undefined) return kind;
  throw new ChatkeepError(
    'config',
    'A notification address begins with https:// and does not tell the service: write ntfy://host/topic for an ntfy server of your own, gotify://host/token for Gotify, or json+https://… for a webhook.',
  );
}
