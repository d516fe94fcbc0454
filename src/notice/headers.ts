import addressparser from 'nodemailer/lib/addressparser';

/** A header field as it stands in the message, with line breaks taken out (RFC 5322 section 2.2.3). */
export interface HeaderField {
  /** In lower case. */
  readonly name: string;
  readonly value: string;
}

/** No header of a mail server is as long as this. */
export const HEADERS_MOST_BYTES = 256 * 1024;
/**
 * Nor has one as many lines. mailauth puts the lines of a field together in time that grows with the square of their
 * number: 87,000 of them took it 78 s, these a quarter of a second.
 */
export const HEADERS_MOST_LINES = 5_000;

/**
 * The header fields of a raw message, top to bottom. Undefined if they are longer than {@link HEADERS_MOST_BYTES} or
 * {@link HEADERS_MOST_LINES}. Lines that are no field are left out.
 */
export function readHeaders(source: Buffer): HeaderField[] | undefined {
  const head = source.subarray(0, HEADERS_MOST_BYTES).toString('latin1');
  const end = /^\r?\n|\n\r?\n/.exec(head);
  if (end === null && source.length > HEADERS_MOST_BYTES) return undefined;
  const block = end === null ? head : head.slice(0, end.index);
  if (block.split('\n', HEADERS_MOST_LINES + 1).length > HEADERS_MOST_LINES) return undefined;
  const fields: HeaderField[] = [];
  for (const line of block.replace(/\r?\n(?=[ \t])/g, '').split(/\r?\n/)) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(0, colon)).trim().toLowerCase();
    if (name !== '') fields.push({ name, value: line.slice(colon + 1).trim() });
  }
  return fields;
}

/** The values of all fields of this name (lower case), top to bottom. */
export function valuesOf(fields: readonly HeaderField[], name: string): string[] {
  return fields.filter((field) => field.name === name).map(({ value }) => value);
}

/** Who a message says it is from. */
export type Sender =
  | {
      readonly kind: 'one';
      /** In lower case. */
      readonly address: string;
      /** What follows the last `@`, in lower case. */
      readonly domain: string;
    }
  | { readonly kind: 'none' }
  /** Several From fields or addresses, or one that programs read differently: which one people see depends on theirs. */
  | { readonly kind: 'several' };

/** The sender by the From field: the address alone, never the display name. */
export function readSender(fields: readonly HeaderField[]): Sender {
  const [from = '', ...others] = valuesOf(fields, 'from');
  if (others.length > 0) return { kind: 'several' };
  const addresses = addressparser(from, { flatten: true })
    .map(({ address }) => address)
    .filter((address) => address.includes('@'));
  const [address] = addresses;
  if (address === undefined) return { kind: 'none' };
  // A parser that is kind to broken fields picks one of the addresses in `<a@x.test> <b@y.test>`.
  if (addresses.length > 1 || atSigns(from) > 1 || hasControls(from)) return { kind: 'several' };
  const lower = address.toLowerCase();
  return { kind: 'one', address: lower, domain: lower.slice(lower.lastIndexOf('@') + 1) };
}

/** How many `@` stand outside quoted strings and comments (RFC 5322 section 3.2): one in each address. */
function atSigns(value: string): number {
  let found = 0;
  let depth = 0;
  let isQuoted = false;
  for (let at = 0; at < value.length; at += 1) {
    const character = value.charAt(at);
    if (character === '\\') at += 1;
    else if (character === '"' && depth === 0) isQuoted = !isQuoted;
    else if (isQuoted) continue;
    else if (character === '(') depth += 1;
    else if (character === ')') depth = Math.max(0, depth - 1);
    else if (character === '@' && depth === 0) found += 1;
  }
  return found;
}

/** A lone carriage return is a line break to some programs, and NUL an end. */
function hasControls(value: string): boolean {
  return /[^\P{Cc}\t]/u.test(value);
}
