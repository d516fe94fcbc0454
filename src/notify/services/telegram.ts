import * as z from 'zod';
import { SECOND_MS } from '../../lib/clock.ts';
import { type Address, addressError, parametersOf, partsOfPath } from '../address.ts';
import { fitted } from '../fitted.ts';
import { type HttpAnswer, type HttpRequest, httpDestination } from '../http.ts';
import { isAtLeast, SIGNS } from '../level.ts';
import type { Message } from '../message.ts';
import type { Destination } from '../service.ts';

const NAME = 'Telegram';

/** https://core.telegram.org/bots/api#sendmessage */
const MOST_CHARACTERS = 4096;

const CHAT_PARAMETERS = ['chats', 'channels', 'to'] as const;
const IGNORED = ['preview', 'notification', 'parsemode', 'title', 'image', 'detect', 'silent', 'mdv'];

export const telegram = {
  name: NAME,
  schemes: ['tgram', 'telegram'],
  /** Apprise writes the token, with its colon, where other addresses have host and port. */
  prepare: (text: string) => text.replace(/^tgram:\/\/(?:bot)?(\d+)(?::|%3A)([\w-]+)/i, 'tgram://$1:$2@telegram'),
  open(address: Address): Destination[] {
    const token = tokenOf(address);
    const chats = chatsOf(address);
    if (chats.length === 0) {
      throw addressError(NAME, 'names no chat: write tgram://bottoken/chatid (ask @userinfobot for the id of yours)');
    }
    return chats.map((chat) => {
      const label = chats.length === 1 ? NAME : `${NAME}, chat no. ${chats.indexOf(chat) + 1}`;
      return httpDestination(label, (message) => telegramRequest(token, chat, message), {
        faultIn,
        retryAfterMsIn,
      });
    });
  },
};

interface Chat {
  readonly id: string;
  readonly topic: number | undefined;
}

function tokenOf({ user, password, hostname }: Address): string {
  const token = `${user.replace(/^bot/i, '')}:${password}`;
  if (hostname !== 'telegram' || !/^\d+:[\w-]+$/.test(token)) {
    throw addressError(NAME, 'is not of the form tgram://123456789:ABCdef/chatid, with the token that @BotFather gave');
  }
  return token;
}

function chatsOf(address: Address): Chat[] {
  const parameters = parametersOf(NAME, address, [...CHAT_PARAMETERS, 'topic', 'thread'], IGNORED);
  const topic = topicOf(parameters.get('topic') ?? parameters.get('thread'));
  const named = CHAT_PARAMETERS.flatMap((name) => parameters.get(name)?.split(',') ?? []);
  const texts = [...partsOfPath(NAME, address), ...named].map((text) => text.trim()).filter((text) => text !== '');
  return texts.map((text) => {
    const [, id, ownTopic] = /^(-?\d{1,32}|@?[A-Za-z_][\w-]*)(?::(\d+))?$/.exec(text) ?? [];
    if (id === undefined) throw addressError(NAME, 'has a chat that is neither a number nor a @name');
    return { id: /^[-\d@]/.test(id) ? id : `@${id}`, topic: topicOf(ownTopic) ?? topic };
  });
}

function topicOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw addressError(NAME, 'has a topic that is not a number');
  return Number(text);
}

/** Without `parse_mode`, nothing in the text is markup. */
function telegramRequest(token: string, { id, topic }: Chat, { level, title, body }: Message): HttpRequest {
  return {
    url: `https://api.telegram.org/bot${token}/sendMessage`,
    body: {
      json: {
        chat_id: id,
        ...(topic === undefined ? {} : { message_thread_id: topic }),
        text: fitted(`${SIGNS[level]} ${title}\n\n${body}`, { most: MOST_CHARACTERS }),
        link_preview_options: { is_disabled: true },
        disable_notification: !isAtLeast(level, 'warning'),
      },
    },
  };
}

const answerSchema = z.object({
  ok: z.boolean(),
  description: z.string().catch(''),
  parameters: z.object({ retry_after: z.number().optional() }).optional().catch(undefined),
});

/** What stands in the description of an answer that says no (there are no codes for it), and what it means. */
const FAULTS: readonly (readonly [RegExp, string])[] = [
  [/chat not found/i, 'does not find the chat of the address: write to the bot once, or check the number'],
  [/bot was blocked/i, 'was told by the user to block the bot: unblock it'],
  [/bot was kicked|not a member/i, 'has no such bot in the chat: add it again'],
  [/can't initiate conversation/i, 'lets no bot write first: write to it once'],
  [/not enough rights|have no rights/i, 'does not let the bot write in this chat: give it the right to'],
  [/upgraded to a supergroup/i, 'has given the group a new number: put that in the address'],
  [/thread not found/i, 'does not find the topic of the address'],
  [/unauthorized/i, 'does not accept the token of the bot: ask @BotFather for it'],
  [/^not found/i, 'does not know this bot: check the token'],
];

function faultIn({ status, json }: HttpAnswer): string | undefined {
  const answer = answerSchema.safeParse(json).data;
  if (answer === undefined)
    return status >= 200 && status <= 299 ? 'gave an answer that is none of its own' : undefined;
  if (answer.ok) return undefined;
  const known = FAULTS.find(([pattern]) => pattern.test(answer.description))?.[1];
  return known ?? (status >= 200 && status <= 299 ? 'did not take the message' : undefined);
}

function retryAfterMsIn({ json }: HttpAnswer): number | undefined {
  const seconds = answerSchema.safeParse(json).data?.parameters?.retry_after;
  return seconds === undefined ? undefined : Math.ceil(seconds * SECOND_MS);
}
