import * as z from 'zod';
import { type Address, addressError, parametersOf, partsOfPath } from '../address.ts';
import { fitted } from '../fitted.ts';
import { type HttpAnswer, type HttpRequest, httpDestination } from '../http.ts';
import type { Message } from '../message.ts';
import type { Destination } from '../service.ts';

const NAME = 'Pushover';

/** https://pushover.net/api#limits: characters. */
const MOST_MESSAGE_CHARACTERS = 1024;
const MOST_TITLE_CHARACTERS = 250;

const BY_LEVEL: Readonly<Record<Message['level'], number>> = { info: -1, success: 0, warning: 0, failure: 1 };
const PRIORITIES: Readonly<Record<string, number>> = {
  lowest: -2,
  low: -1,
  moderate: -1,
  normal: 0,
  high: 1,
  emergency: 2,
};

/** An emergency is repeated until somebody confirms it: once a minute, for an hour. */
const EMERGENCY = { retry: '60', expire: '3600' } as const;
const EMERGENCY_PRIORITY = 2;

export const pushover = {
  name: NAME,
  schemes: ['pover', 'pushover'],
  open(address: Address): Destination[] {
    const target = targetOf(address);
    return [httpDestination(NAME, (message) => pushoverRequest(target, message), { faultIn })];
  },
};

interface PushoverTarget {
  readonly token: string;
  readonly user: string;
  /** Names, separated by commas; empty for all. */
  readonly devices: string;
  readonly priority: number | undefined;
  readonly sound: string | undefined;
}

/** Of two forms: Apprise `pover://user@token/device`, Shoutrrr `pushover://shoutrrr:token@user?devices=`. */
function targetOf(address: Address): PushoverTarget {
  const parameters = parametersOf(
    NAME,
    address,
    ['devices', 'to', 'priority', 'sound'],
    ['title', 'image', 'url', 'url_title', 'retry', 'expire'],
  );
  const isShoutrrr = address.password !== '';
  const token = isShoutrrr ? address.password : address.hostname;
  const user = isShoutrrr ? address.hostname : address.user;
  if (![token, user].every((key) => /^[A-Za-z0-9]{30}$/.test(key))) {
    throw addressError(NAME, 'is not of the form pover://user@token, with the two keys of 30 letters and digits');
  }
  const devices = [...partsOfPath(NAME, address), parameters.get('devices') ?? parameters.get('to') ?? '']
    .filter((device) => device !== '')
    .join(',');
  if (!/^[\w,-]*$/.test(devices))
    throw addressError(NAME, 'has a device with other characters than letters, digits, - and _');
  const sound = parameters.get('sound');
  return { token, user, devices, priority: priorityOf(parameters.get('priority')), sound };
}

function priorityOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const priority = PRIORITIES[text.toLowerCase()] ?? Number(text);
  if (!Number.isInteger(priority) || priority < -2 || priority > EMERGENCY_PRIORITY) {
    throw addressError(NAME, 'has a priority other than -2 to 2, lowest, low, normal, high and emergency');
  }
  return priority;
}

/** https://pushover.net/api#messages */
function pushoverRequest(target: PushoverTarget, { level, title, body, at }: Message): HttpRequest {
  const priority = target.priority ?? BY_LEVEL[level];
  return {
    url: 'https://api.pushover.net/1/messages.json',
    body: {
      form: {
        token: target.token,
        user: target.user,
        title: fitted(title, { most: MOST_TITLE_CHARACTERS }),
        message: fitted(body, { most: MOST_MESSAGE_CHARACTERS }),
        priority: String(priority),
        timestamp: String(Math.round(at / 1000)),
        ...(target.devices === '' ? {} : { device: target.devices }),
        ...(target.sound === undefined ? {} : { sound: target.sound }),
        ...(priority === EMERGENCY_PRIORITY ? EMERGENCY : {}),
      },
    },
  };
}

const answerSchema = z.object({
  status: z.number(),
  token: z.string().optional(),
  user: z.string().optional(),
  device: z.string().optional(),
});

function faultIn({ status, json }: HttpAnswer): string | undefined {
  const answer = answerSchema.safeParse(json).data;
  if (status === 429) return 'takes no more messages of this application this month';
  if (answer === undefined || answer.status === 1) {
    return answer === undefined && status >= 200 && status <= 299
      ? 'gave an answer that is none of its own'
      : undefined;
  }
  if (answer.token !== undefined) return 'does not accept the token of the application';
  if (answer.user !== undefined) return 'does not know the user or group key, or it has no active device';
  if (answer.device !== undefined) return 'does not know the device of the address';
  return 'did not take the message';
}
