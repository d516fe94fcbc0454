import { ChatkeepError } from '../lib/errors.ts';

/** The parts of a notification address: `scheme://user:password@host:port/path?query`. All of it is secret. */
export interface Address {
  /** In lower case. */
  readonly scheme: string;
  /** Decoded; empty if there is none. */
  readonly user: string;
  readonly password: string;
  /** As it was written, in its letter case; IPv6 in brackets. */
  readonly hostname: string;
  /** As it was written; undefined if there is none. */
  readonly port: number | undefined;
  /** Still percent-encoded; empty or with a leading slash. */
  readonly path: string;
  /** Still percent-encoded; empty or with a leading question mark. */
  readonly search: string;
}

/** What is wrong with an address. Faults name the service and what is wrong, and show nothing of the address. */
export function addressError(service: string, fault: string): ChatkeepError {
  return new ChatkeepError('config', `The ${service} address ${fault}.`);
}

/**
 * Takes an address apart.
 * @param service what faults call it: "ntfy"
 * @throws ChatkeepError `config`
 */
export function readAddress(service: string, text: string): Address {
  if (/[\s\p{Cc}]/u.test(text)) throw addressError(service, 'holds white space: write a space as %20');
  if (text.includes('#')) throw addressError(service, 'holds a #: write it as %23');
  const [scheme = '', rest = ''] = text.split(/:\/\/(.*)/s);
  const url = parseUrl(service, `service://${rest}`);
  if (url.hostname === '') throw addressError(service, 'names no host');
  return {
    scheme: scheme.toLowerCase(),
    user: decoded(service, url.username),
    password: decoded(service, url.password),
    hostname: url.hostname,
    port: url.port === '' ? undefined : Number(url.port),
    path: url.pathname,
    search: url.search,
  };
}

/** The address of the same host as a web address, without user and password. */
export function webUrl(service: string, protocol: 'http' | 'https', address: Address, pathAndQuery: string): string {
  const port = address.port === undefined ? '' : `:${address.port}`;
  return parseUrl(service, `${protocol}://${address.hostname}${port}${pathAndQuery}`).href;
}

/** `host` or `host:port`, for labels. */
export function hostOf({ hostname, port }: Pick<Address, 'hostname' | 'port'>): string {
  return `${hostname.toLowerCase()}${port === undefined ? '' : `:${port}`}`;
}

/**
 * The parameters behind the question mark, names in lower case.
 * @throws ChatkeepError `config` for one that is not among `known`
 */
export function parametersOf<Name extends string>(
  service: string,
  { search }: Address,
  known: readonly Name[],
): ReadonlyMap<Name, string> {
  const parameters = new Map<Name, string>();
  for (const [key, value] of new URLSearchParams(search)) {
    const name = known.find((candidate) => candidate === key.toLowerCase());
    if (name === undefined)
      throw addressError(service, `has a parameter that is not known: known are ${known.join(', ')}`);
    parameters.set(name, value);
  }
  return parameters;
}

/** Percent-decoded. */
export function decoded(service: string, text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw addressError(service, 'holds a % without two hexadecimal digits after it: write it as %25');
  }
}

function parseUrl(service: string, text: string): URL {
  try {
    return new URL(text);
  } catch {
    throw addressError(
      service,
      'cannot be understood: check host and port, and write special characters of user and password in percent form (/ is %2F, @ is %40)',
    );
  }
}
