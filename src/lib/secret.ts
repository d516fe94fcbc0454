import { inspect } from 'node:util';

const REDACTED = '[redacted]';

/**
 * A value that must not be seen: a link, a login, a password, a notification address.
 *
 * It prints as `[redacted]` wherever it is turned into text by accident (string concatenation, JSON, `console`, pino);
 * only {@link Secret.reveal} gives the text. Keep the revealed text in the narrowest scope that needs it.
 */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The secret text itself. Every call is a place to look at in a review. */
  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [inspect.custom](): string {
    return REDACTED;
  }
}

/** Closing brackets and apostrophes may be part of an address: rather one of the text's is lost than a secret told. */
const URL_IN_TEXT = /[a-z][a-z0-9+.-]{0,30}:\/\/[^\s"<>]+/gi;
/** Where a stack trace points to. */
const SOURCE_POSITION = /^file:\/\/\/[^?#]+$/i;
const CREDENTIAL_HEADER = /\b(authorization|cookie|set-cookie|proxy-authorization)(["']?\s*[:=]\s*)[^\r\n]+/gi;
const BEARER = /\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}/gi;

/**
 * Text from elsewhere (a library's error, a server's answer) with everything that may be a secret taken out: addresses
 * are cut down to scheme and host, credential headers and bearer tokens are replaced. It is the second line of defence;
 * the first is that secrets are of type {@link Secret} and never reach such a text.
 */
export function redactText(text: string): string {
  return text
    .replace(CREDENTIAL_HEADER, `$1$2${REDACTED}`)
    .replace(BEARER, `$1 ${REDACTED}`)
    .replace(URL_IN_TEXT, (address) => {
      if (SOURCE_POSITION.test(address)) return address;
      try {
        const { protocol, host } = new URL(address);
        return `${protocol}//${host}/${REDACTED}`;
      } catch {
        return REDACTED;
      }
    });
}

/** Shorter ones stand in many a word. */
const LEAST_CHARACTERS = 4;

/**
 * Words of somebody who was told these secrets, with what repeats them taken out, as they are and in base64: a server
 * may say which password it does not like.
 */
export function withoutSecrets(text: string, secrets: readonly Secret[]): string {
  return secrets
    .map((secret) => secret.reveal())
    .flatMap((secret) => [secret, Buffer.from(secret).toString('base64')])
    .filter(({ length }) => length >= LEAST_CHARACTERS)
    .reduce((rest, secret) => rest.replaceAll(secret, REDACTED), text);
}
