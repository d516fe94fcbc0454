import * as z from 'zod';
import { SECOND_MS } from '../../lib/clock.ts';
import { type Address, addressError, parametersOf, partsOfPath } from '../address.ts';
import { fitted } from '../fitted.ts';
import { type HttpAnswer, type HttpRequest, httpDestination } from '../http.ts';
import { SIGNS } from '../level.ts';
import type { Message } from '../message.ts';
import type { Destination } from '../service.ts';

const NAME = 'Discord';

/** https://discord.com/developers/docs/resources/webhook#execute-webhook */
const MOST_CHARACTERS = 2000;
const SUPPRESS_EMBEDS = 1 << 2;

const NATIVE = /^https?:\/\/(?:(?:ptb|canary)\.)?discord(?:app)?\.com(?::443)?(?:\/api(?:\/v\d+)?\/webhooks\/)/i;

export const discord = {
  name: NAME,
  schemes: ['discord'],
  /** Takes `https://discord.com/api/webhooks/ID/TOKEN`, too. */
  isNative: (text: string) => NATIVE.test(text),
  open(address: Address): Destination[] {
    const { id, token } = webhookOf(address);
    const thread = threadOf(address);
    const url = `https://discord.com/api/webhooks/${id}/${token}?wait=true${thread === undefined ? '' : `&thread_id=${thread}`}`;
    return [httpDestination(NAME, (message) => discordRequest(url, message), { retryAfterMsIn })];
  },
};

/**
 * Of three forms: Apprise `discord://id/token`, Shoutrrr `discord://token@id`, and pasted. In Apprise's, a name of the bot
 * may stand before the @; it is the webhook's own here.
 */
function webhookOf(address: Address): { id: string; token: string } {
  const parts = partsOfPath(NAME, address);
  const isNative = address.scheme !== 'discord';
  const [id, token, ...more] = isNative
    ? parts.slice(parts.indexOf('webhooks') + 1)
    : parts.length === 0
      ? [address.hostname, address.user]
      : [address.hostname, ...parts];
  if (id === undefined || token === undefined || more.length > 0 || !/^\d+$/.test(id) || !/^[\w-]+$/.test(token)) {
    throw addressError(
      NAME,
      "is not of the form discord://id/token: copy the webhook's URL from the channel's settings",
    );
  }
  return { id, token };
}

const IGNORED = [
  'tts',
  'avatar',
  'avatar_url',
  'footer',
  'footer_logo',
  'image',
  'fields',
  'username',
  'color',
  'title',
];
const IGNORED_OF_SHOUTRRR = ['splitlines', 'json', 'colorerror', 'colorwarn', 'colorinfo', 'colordebug', 'avatarurl'];

function threadOf(address: Address): string | undefined {
  const parameters = parametersOf(NAME, address, ['thread_id', 'thread', 'wait'], [...IGNORED, ...IGNORED_OF_SHOUTRRR]);
  const thread = parameters.get('thread_id') ?? parameters.get('thread');
  if (thread !== undefined && !/^\d+$/.test(thread)) throw addressError(NAME, 'has a thread that is not a number');
  return thread;
}

function discordRequest(url: string, { level, title, body }: Message): HttpRequest {
  const head = `${SIGNS[level]} **${fitted(title, { most: 500, written: escaped })}**\n`;
  return {
    url,
    body: {
      json: {
        content: `${head}${fitted(body, { most: MOST_CHARACTERS - head.length, written: escaped })}`,
        // Nobody is called, whatever the text says, and no link of it is looked up.
        allowed_mentions: { parse: [] },
        flags: SUPPRESS_EMBEDS,
      },
    },
  };
}

/** Every character that Discord's Markdown could make something of. */
function escaped(character: string): string {
  return /[\\*_~`|>#<[\]@]/.test(character) ? `\\${character}` : character;
}

const limitSchema = z.object({ retry_after: z.number() });

function retryAfterMsIn({ status, json }: HttpAnswer): number | undefined {
  const limit = status === 429 ? limitSchema.safeParse(json) : undefined;
  return limit?.success ? Math.ceil(limit.data.retry_after * SECOND_MS) : undefined;
}
