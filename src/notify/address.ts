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

/** What Apprise takes with every service, and what has no meaning here. */
const IGNORED_EVERYWHERE = ['format', 'overflow', 'emojis', 'rto', 'cto', 'store', 'tz', 'verify'];

/**
 * The parameters behind the question mark, names in lower case. Those of `ignored` are passed over: they say how other
 * programs make their texts.
 * @throws ChatkeepError `config` for one that is neither among `known` nor ignored, and where certificates are not to be checked
 */
export function parametersOf<Name extends string>(
  service: string,
  { search }: Address,
  known: readonly Name[],
  ignored: readonly string[] = [],
): ReadonlyMap<Name, string> {
  const parameters = new Map<Name, string>();
  for (const [key, value] of new URLSearchParams(search)) {
    const lower = key.toLowerCase();
    const name = known.find((candidate) => candidate === lower);
    if (name !== undefined) parameters.set(name, value);
    else if (![...IGNORED_EVERYWHERE, ...ignored].includes(lower))
      throw addressError(
        service,
        known.length === 0
          ? 'has a parameter, and takes none'
          : `has a parameter that is not known: known are ${known.join(', ')}`,
      );
    else if ((lower === 'verify' && isNo(value)) || (lower === 'skipverify' && isYes(value)))
      throw addressError(service, 'asks not to check certificates, and they are always checked');
  }
  return parameters;
}

function isYes(text: string | undefined): boolean {
  return text !== undefined && ['yes', 'true', '1', 'on'].includes(text.toLowerCase());
}

function isNo(text: string): boolean {
  return ['no', 'false', '0', 'off'].includes(text.toLowerCase());
}

/**
 * Whether a server of the user's own is spoken to in the clear: only if the address says so, by `?scheme=http` or
 * `?disabletls=yes`. Apprise and Shoutrrr mean different things by the same scheme.
 */
export function transportOf(service: string, { scheme, search }: Address): 'http' | 'https' {
  const parameters = new Map([...new URLSearchParams(search)].map(([key, value]) => [key.toLowerCase(), value]));
  const wish = parameters.get('scheme') ?? (scheme === 'http' ? 'http' : undefined);
  if (wish !== undefined && wish !== 'http' && wish !== 'https') {
    throw addressError(service, 'has a scheme other than http and https');
  }
  const isClear = wish === 'http' || isYes(parameters.get('disabletls'));
  if (isClear && scheme.endsWith('s')) {
    throw addressError(service, `says both ${scheme} and no TLS: write ${scheme.slice(0, -1)}`);
  }
  return isClear ? 'http' : 'https';
}

/** The parts of the path between the slashes, decoded. */
export function partsOfPath(service: string, { path }: Address): string[] {
  return path
    .split('/')
    .filter((part) => part !== '')
    .map((part) => decoded(service, part));
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
