import { type Address, addressError, hostOf, parametersOf, partsOfPath, transportOf, webUrl } from '../address.ts';
import { fitted } from '../fitted.ts';
import { basicAuthorization, type HttpRequest, httpDestination } from '../http.ts';
import type { Message } from '../message.ts';
import type { Destination } from '../service.ts';

const NAME = 'ntfy';
const PUBLIC_HOST = 'ntfy.sh';

/** What ntfy itself takes as a topic (https://docs.ntfy.sh/publish/). */
const TOPIC = /^[-_A-Za-z0-9]{1,64}$/;

/** ntfy turns a message of more than 4096 bytes into an attachment. */
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
  isNative: (text: string) => /^https?:\/\/([^/@]*@)?ntfy\.sh(:443)?\//i.test(text),
  open(address: Address): Destination[] {
    const { server, topics } = placeOf(address);
    const url = webUrl(NAME, transportOf(NAME, address), server, '/');
    const common = { url, headers: authorizationOf(address), ...presetsOf(address) };
    return topics.map((topic) => {
      const target = { ...common, topic };
      return httpDestination(`${NAME} at ${hostOf(server)}`, (message, key) => ntfyRequest(target, message, key));
    });
  },
};

interface NtfyTarget {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly topic: string;
  /** Instead of the level's. */
  readonly priority: number | undefined;
  /** Beside the level's. */
  readonly tags: readonly string[];
}

/**
 * Publishes as JSON, to the root of the server (https://docs.ntfy.sh/publish/#publish-as-json). To an app of 2026, a
 * message with the `sequence_id` of an earlier one is that one; an older server passes over it.
 */
function ntfyRequest({ url, headers, topic, ...presets }: NtfyTarget, message: Message, key: string): HttpRequest {
  const { priority, tag } = BY_LEVEL[message.level];
  return {
    url,
    headers,
    body: {
      json: {
        topic,
        title: message.title,
        message: fitted(message.body, { most: MOST_BODY_BYTES, measure: Buffer.byteLength }),
        priority: presets.priority ?? priority,
        tags: [tag, ...presets.tags],
        sequence_id: key,
      },
    },
  };
}

/** `ntfy://topic` is on ntfy.sh. */
function placeOf(address: Address): { server: Address; topics: string[] } {
  const topics = partsOfPath(NAME, address);
  if (topics.length > 0) {
    if (topics.every((topic) => TOPIC.test(topic))) return { server: address, topics };
    throw addressError(NAME, 'has a topic with other characters than letters, digits, - and _');
  }
  if (address.port !== undefined || !TOPIC.test(address.hostname)) {
    throw addressError(NAME, 'names no topic: write ntfy://host/topic, or ntfy://topic for ntfy.sh');
  }
  return { server: { ...address, hostname: PUBLIC_HOST }, topics: [address.hostname] };
}

const PARAMETERS = ['scheme', 'disabletls', 'priority', 'tags'] as const;
const IGNORED = ['title', 'mode', 'image', 'cache', 'firebase', 'icon', 'click', 'delay', 'email'];

function presetsOf(address: Address): Pick<NtfyTarget, 'priority' | 'tags'> {
  const parameters = parametersOf(NAME, address, PARAMETERS, IGNORED);
  const wish = parameters.get('priority')?.toLowerCase();
  const priority = wish === undefined ? undefined : (PRIORITIES[wish] ?? Number(wish));
  if (priority !== undefined && !(Number.isInteger(priority) && priority >= 1 && priority <= 5)) {
    throw addressError(NAME, 'has a priority other than 1 to 5, min, low, default, high and max');
  }
  const tags = (parameters.get('tags') ?? '').split(',').filter((tag) => tag !== '');
  return { priority, tags };
}

/** An access token (`tk_…`) may stand in the place of the user or of the password; Apprise and Shoutrrr differ. */
function authorizationOf({ user, password }: Address): Record<string, string> {
  const token = [password, user].find((text) => text.startsWith('tk_'));
  return token === undefined ? basicAuthorization(user, password) : { authorization: `Bearer ${token}` };
}
