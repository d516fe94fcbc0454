/**
 * The few ASN.1 values that an X.509 certificate is made of, as DER (ITU-T X.690). Each function gives a whole
 * tag-length-value.
 */

const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  sequence: 0x30,
  set: 0x31,
} as const;
const CONTEXT = 0x80;
const CONSTRUCTED = 0x20;

/** SEQUENCE (OF) whole values. */
export function sequence(...items: Uint8Array[]): Buffer {
  return value(TAG.sequence, ...items);
}

/** SET (OF) whole values, which the caller gives in DER's order. */
export function set(...items: Uint8Array[]): Buffer {
  return value(TAG.set, ...items);
}

/** BOOLEAN, TRUE; a FALSE is a default, which DER leaves out. */
export function yes(): Buffer {
  return value(TAG.boolean, Buffer.of(0xff));
}

/** An integer of 0 or more, given as big-endian bytes. */
export function integer(bytes: Uint8Array): Buffer {
  const first = bytes[0] ?? 0;
  return first < 0x80 && bytes.length > 0 ? value(TAG.integer, bytes) : value(TAG.integer, Buffer.of(0), bytes);
}

/**
 * BIT STRING.
 *
 * @param unusedBits how many of the last byte's low bits do not count
 */
export function bitString(bytes: Uint8Array, unusedBits = 0): Buffer {
  return value(TAG.bitString, Buffer.of(unusedBits), bytes);
}

/** OCTET STRING. */
export function octetString(bytes: Uint8Array): Buffer {
  return value(TAG.octetString, bytes);
}

/** UTF8String. */
export function utf8String(text: string): Buffer {
  return value(TAG.utf8String, Buffer.from(text));
}

/** A moment (ms UTC) before the year 2050, to the second; the form that RFC 5280 asks for until then. */
export function utcTime(ms: number): Buffer {
  const digits = new Date(ms).toISOString().slice(2, 19).replaceAll(/\D/g, '');
  return value(TAG.utcTime, Buffer.from(`${digits}Z`));
}

/**
 * OBJECT IDENTIFIER.
 *
 * @param dotted `2.5.29.17`
 */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return value(TAG.oid, Buffer.from([first * 40 + second, ...rest].flatMap(base128)));
}

/** `[number] EXPLICIT` around whole values. */
export function explicit(number: number, ...items: Uint8Array[]): Buffer {
  return value(CONTEXT | CONSTRUCTED | number, ...items);
}

/** `[number] IMPLICIT` in the place of a primitive value's tag. */
export function implicit(number: number, bytes: Uint8Array): Buffer {
  return value(CONTEXT | number, bytes);
}

function value(tag: number, ...contents: Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  return Buffer.concat([Buffer.of(tag), length(content.length), content]);
}

function length(bytes: number): Buffer {
  if (bytes < 0x80) return Buffer.of(bytes);
  const digits = bytes < 0x100 ? [bytes] : [bytes >> 8, bytes & 0xff];
  return Buffer.of(0x80 | digits.length, ...digits);
}

/** Seven bits a byte, all but the last with the high bit set. */
function base128(number: number): number[] {
  const bytes = [number & 0x7f];
  for (let rest = number >> 7; rest > 0; rest >>= 7) bytes.unshift(0x80 | (rest & 0x7f));
  return bytes;
}
