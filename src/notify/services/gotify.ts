import { type Address, addressError, hostOf, parametersOf, partsOfPath, transportOf, webUrl } from '../address.ts';
import { type HttpRequest, httpDestination } from '../http.ts';
import type { Message } from '../message.ts';
import type { Destination } from '../service.ts';

const NAME = 'Gotify';

/** Gotify's app makes a sound from 4 on, and is insistent from 8 on. */
const BY_LEVEL: Readonly<Record<Message['level'], number>> = { info: 2, success: 4, warning: 6, failure: 8 };

/** Apprise's words for priorities. */
const PRIORITIES: Readonly<Record<string, number>> = { low: 1, moderate: 3, normal: 5, high: 8, emergency: 10 };

const PARAMETERS = ['scheme', 'disabletls', 'priority', 'token'] as const;
const IGNORED = ['title', 'skipverify', 'useheader', 'date', 'extras'];

export const gotify = {
  name: NAME,
  schemes: ['gotify', 'gotifys'],
  /** Takes `https://host/message?token=…`, too. */
  isNative: (text: string) => /^https?:\/\/[^?#]+\/message\/?\?(.*&)?token=/i.test(text),
  open(address: Address): Destination[] {
    const { token, folders } = placeOf(address);
    const url = webUrl(NAME, transportOf(NAME, address), address, ['', ...folders, 'message'].join('/'));
    const priority = priorityOf(address);
    return [
      httpDestination(`${NAME} at ${hostOf(address)}`, (message) => gotifyRequest(url, token, priority, message)),
    ];
  },
};

/** https://gotify.net/api-docs#/message/createMessage */
function gotifyRequest(url: string, token: string, priority: number | undefined, message: Message): HttpRequest {
  return {
    url,
    headers: { 'x-gotify-key': token },
    body: {
      json: {
        title: message.title,
        message: message.body,
        priority: priority ?? BY_LEVEL[message.level],
        extras: { 'client::display': { contentType: 'text/plain' } },
      },
    },
  };
}

/** The token is the last part of the path, or a parameter; what stands before it is where the server lives. */
function placeOf(address: Address): { token: string; folders: string[] } {
  const parameter = parametersOf(NAME, address, PARAMETERS, IGNORED).get('token');
  const parts = partsOfPath(NAME, address);
  const isNative = address.scheme === 'https' || address.scheme === 'http';
  const last = parts.pop();
  const token = isNative ? parameter : last;
  if (token === undefined || !/^[A-Za-z0-9._-]+$/.test(token)) {
    throw addressError(NAME, 'names no application token: write gotify://host/token');
  }
  return { token, folders: parts.map(encodeURIComponent) };
}

function priorityOf(address: Address): number | undefined {
  const wish = parametersOf(NAME, address, PARAMETERS, IGNORED).get('priority')?.toLowerCase();
  const priority = wish === undefined ? undefined : (PRIORITIES[wish] ?? Number(wish));
  if (priority !== undefined && !(Number.isInteger(priority) && priority >= 0 && priority <= 10)) {
    throw addressError(NAME, 'has a priority other than 0 to 10, low, moderate, normal, high and emergency');
  }
  return priority;
}
