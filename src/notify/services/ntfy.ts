import { type Address, addressError, decoded, hostOf, parametersOf, webUrl } from '../address.ts';
import { basicAuthorization, type HttpRequest, httpDestination } from '../http.ts';
import type { Message } from '../message.ts';
import type { Destination } from '../service.ts';

const NAME = 'ntfy';
const PUBLIC_HOST = 'ntfy.sh';

/** What ntfy itself takes as a topic (https://docs.ntfy.sh/publish/). */
const TOPIC = /^[-_A-Za-z0-9]{1,64}$/;

/** ntfy turns a message of more than 4096 bytes into an attachment; some room is left for the ellipsis. */
const MOST_BODY_BYTES = 4_000;

const PRIORITIES: Readonly<Record<string, number>> = { min: 1, low: 2, default: 3, high: 4, max: 5, urgent: 5 };

const BY_LEVEL: Readonly<Record<Message['level'], { priority: number; tag: string }>> = {
  info: { priority: 2, tag: 'information_source' },
  success: { priority: 3, tag: 'white_check_mark' },
  warning: { priority: 4, tag: 'warning' },
  failure: { priority: 5, tag: 'rotating_light' },
};

export const ntfy = {
  name: NAME,
  schemes: ['ntfy', 'ntfys'],
  /** Takes `https://ntfy.sh/topic`, too. */
  open(address: Address): Destination {
    const { server, topic } = placeOf(address);
    const target = {
      url: webUrl(NAME, protocolOf(address), server, '/'),
      authorization: authorizationOf(address),
      topic,
      ...presetsOf(address),
    };
    return httpDestination(`${NAME} at ${hostOf(server)}`, (message) => ntfyRequest(target, message));
  },
};

interface NtfyTarget {
  readonly url: string;
  readonly authorization: string | undefined;
  readonly topic: string;
  /** Instead of the level's. */
  readonly priority: number | undefined;
  /** Beside the level's. */
  readonly tags: readonly string[];
}

/** Publishes as JSON, to the root of the server (https://docs.ntfy.sh/publish/#publish-as-json). */
function ntfyRequest(target: NtfyTarget, message: Message): HttpRequest {
  const { priority, tag } = BY_LEVEL[message.level];
  return {
    url: target.url,
    headers: target.authorization === undefined ? {} : { authorization: target.authorization },
    body: {
      topic: target.topic,
      title: message.title,
      message: shortened(message.body),
      priority: target.priority ?? priority,
      tags: [tag, ...target.tags],
    },
  };
}

function placeOf(address: Address): { server: Address; topic: string } {
  const parts = decoded(NAME, address.path)
    .split('/')
    .filter((part) => part !== '');
  const [topic, ...more] = parts;
  if (more.length > 0) throw addressError(NAME, 'has more than one topic: give each an address of its own');
  if (topic !== undefined && TOPIC.test(topic)) return { server: address, topic };
  if (topic !== undefined) throw addressError(NAME, 'has a topic with other characters than letters, digits, - and _');
  if (address.port !== undefined || !TOPIC.test(address.hostname)) {
    throw addressError(NAME, 'names no topic: write ntfy://host/topic, or ntfy://topic for ntfy.sh');
  }
  return { server: { ...address, hostname: PUBLIC_HOST }, topic: address.hostname };
}

function protocolOf(address: Address): 'http' | 'https' {
  const parameters = parametersOf(NAME, address, PARAMETERS);
  const scheme = parameters.get('scheme');
  const unencrypted = scheme === 'http' || isYes(parameters.get('disabletls'));
  if (scheme !== undefined && scheme !== 'http' && scheme !== 'https') {
    throw addressError(NAME, 'has a scheme other than http and https');
  }
  if (unencrypted && address.scheme === 'ntfys') throw addressError(NAME, 'says both ntfys and no TLS: write ntfy');
  return unencrypted ? 'http' : 'https';
}

const PARAMETERS = ['scheme', 'disabletls', 'priority', 'tags'] as const;

function isYes(text: string | undefined): boolean {
  return text !== undefined && ['yes', 'true', '1', 'on'].includes(text.toLowerCase());
}

function presetsOf(address: Address): Pick<NtfyTarget, 'priority' | 'tags'> {
  const parameters = parametersOf(NAME, address, PARAMETERS);
  const wish = parameters.get('priority')?.toLowerCase();
  const priority = wish === undefined ? undefined : (PRIORITIES[wish] ?? Number(wish));
  if (priority !== undefined && !(Number.isInteger(priority) && priority >= 1 && priority <= 5)) {
    throw addressError(NAME, 'has a priority other than 1 to 5, min, low, default, high and max');
  }
  const tags = (parameters.get('tags') ?? '').split(',').filter((tag) => tag !== '');
  return { priority, tags };
}

/** An access token (`tk_…`) may stand in the place of the user or of the password; Apprise and Shoutrrr differ. */
function authorizationOf({ user, password }: Address): string | undefined {
  const token = [password, user].find((text) => text.startsWith('tk_'));
  if (token !== undefined) return `Bearer ${token}`;
  return user === '' && password === '' ? undefined : basicAuthorization(user, password);
}

function shortened(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= MOST_BODY_BYTES) return text;
  // A character that the cut goes through becomes U+FFFD at the very end.
  return `${bytes
    .subarray(0, MOST_BODY_BYTES)
    .toString('utf8')
    .replace(/\uFFFD+$/, '')}…`;
}
