import { type Address, hostOf, webUrl } from '../address.ts';
import { basicAuthorization, type HttpRequest, httpDestination } from '../http.ts';
import type { Message } from '../message.ts';
import type { Destination } from '../service.ts';

const NAME = 'webhook';

/** Apprise's `json(s)`, Shoutrrr's `generic+https`, and the plain form `json+https`. */
const PROTOCOLS: Readonly<Record<string, 'http' | 'https'>> = {
  json: 'http',
  jsons: 'https',
  'json+http': 'http',
  'json+https': 'https',
  'generic+http': 'http',
  'generic+https': 'https',
};

export const webhook = {
  name: NAME,
  schemes: Object.keys(PROTOCOLS),
  open(address: Address): Destination[] {
    const url = webUrl(NAME, PROTOCOLS[address.scheme] ?? 'https', address, `${address.path}${address.search}`);
    return [
      httpDestination(`${NAME} at ${hostOf(address)}`, (message, key) => webhookRequest(url, address, message, key)),
    ];
  },
};

/**
 * A POST of the message as JSON, to the address as it stands. The key goes where programs look for one, too
 * (draft-ietf-httpapi-idempotency-key-header).
 */
function webhookRequest(url: string, { user, password }: Address, message: Message, key: string): HttpRequest {
  return {
    url,
    headers: { ...basicAuthorization(user, password), 'idempotency-key': `"${key}"` },
    body: { json: { id: key, ...message } },
  };
}
