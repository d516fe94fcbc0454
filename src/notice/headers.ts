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
 * The header fields of a raw message, top to bottom. Undefined if they are longer than {@link HEADERS_MOST_BYTES}.
 * Lines that are no field are left out.
 */
export function readHeaders(source: Buffer): HeaderField[] | undefined {
  const head = source.subarray(0, HEADERS_MOST_BYTES).toString('latin1');
  const end = /^\r?\n|\n\r?\n/.exec(head);
  if (end === null && source.length > HEADERS_MOST_BYTES) return undefined;
  const block = end === null ? head : head.slice(0, end.index);
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
      /** What follows the last `@`, in lower case. */
      readonly domain: string;
    }
  | { readonly kind: 'none' }
  /** Several From fields or addresses: which one people see depends on their program. */
  | { readonly kind: 'several' };

/** The sender by the From field: the address alone, never the display name. */
export function readSender(fields: readonly HeaderField[]): Sender {
  const from = valuesOf(fields, 'from');
  if (from.length > 1) return { kind: 'several' };
  const addresses = addressparser(from[0] ?? '', { flatten: true })
    .map(({ address }) => address)
    .filter((address) => address.includes('@'));
  const [address] = addresses;
  if (address === undefined) return { kind: 'none' };
  if (addresses.length > 1) return { kind: 'several' };
  return { kind: 'one', domain: address.slice(address.lastIndexOf('@') + 1).toLowerCase() };
}
