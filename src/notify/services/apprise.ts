import { type Address, addressError, hostOf, parametersOf, partsOfPath, webUrl } from '../address.ts';
import { basicAuthorization, type HttpAnswer, type HttpRequest, httpDestination } from '../http.ts';
import type { Message } from '../message.ts';
import type { Destination } from '../service.ts';

const NAME = 'Apprise API';

/** A gateway that reached some of its services and not others would send to the first ones at each attempt. */
const ATTEMPTS_WHEN_SOME_FAILED = 4;
const SOME_FAILED = 424;
const NOTHING_CONFIGURED = 204;

export const apprise = {
  name: NAME,
  schemes: ['apprise', 'apprises'],
  /** Takes `https://host/notify/KEY`, too. */
  isNative: (text: string) => /^https?:\/\/[^?#]+\/notify\/[\w-]+\/?(\?|$)/i.test(text),
  open(address: Address): Destination[] {
    const parameters = parametersOf(NAME, address, ['tags', 'tag', 'to'], ['method']);
    const tag = parameters.get('tags') ?? parameters.get('tag') ?? parameters.get('to');
    const { key, folders } = placeOf(address);
    const protocol = address.scheme === 'apprise' || address.scheme === 'http' ? 'http' : 'https';
    const target = { url: webUrl(NAME, protocol, address, ['', ...folders, 'notify', key].join('/')), tag, address };
    return [
      httpDestination(`${NAME} at ${hostOf(address)}`, (message) => appriseRequest(target, message), {
        faultIn,
        mostAttemptsAt: (status) => (status === SOME_FAILED ? ATTEMPTS_WHEN_SOME_FAILED : undefined),
      }),
    ];
  },
};

function placeOf(address: Address): { key: string; folders: string[] } {
  const parts = partsOfPath(NAME, address);
  const key = parts.pop();
  if (key === undefined || !/^[\w-]{1,128}$/.test(key)) {
    throw addressError(NAME, 'names no configuration key: write apprises://host/key');
  }
  const isNative = address.scheme === 'https' || address.scheme === 'http';
  return { key, folders: (isNative ? parts.slice(0, -1) : parts).map(encodeURIComponent) };
}

interface AppriseTarget {
  readonly url: string;
  readonly tag: string | undefined;
  readonly address: Address;
}

/** https://github.com/caronc/apprise-api: the levels are Apprise's own. */
function appriseRequest({ url, tag, address }: AppriseTarget, { level, title, body }: Message): HttpRequest {
  return {
    url,
    headers: basicAuthorization(address.user, address.password),
    body: { json: { title, body, type: level, format: 'text', ...(tag === undefined ? {} : { tag }) } },
  };
}

function faultIn({ status }: HttpAnswer): string | undefined {
  if (status === NOTHING_CONFIGURED) return 'has no services configured under the key of the address';
  if (status === SOME_FAILED) return 'could not reach at least one of its services: its own log tells which';
  return undefined;
}
