import { hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { assetsOf, type Message } from '../chatgpt/index.ts';

/**
 * The number of a message in the catalog is its time: the newest hits of a frequent word are then the first that the
 * index gives, and a stretch of time is a stretch of numbers. Several messages of one minute take the numbers behind
 * one another, and run over into the next minutes where they are too many. (With numbers for every second the index
 * was two thirds larger, since it holds the distances between them.)
 */
const IDS_A_MINUTE = 32;
const MS_A_MINUTE = 60_000;

/** The first number of the minute of a moment, ms UTC. */
export function firstIdAt(ms: number): number {
  return Math.max(0, Math.floor(ms / MS_A_MINUTE)) * IDS_A_MINUTE;
}

/** The moment of a message, ms UTC, to the minute. */
export function momentOfId(id: number): number {
  return Math.floor(id / IDS_A_MINUTE) * MS_A_MINUTE;
}

/** The seconds since 1970 of a message's number, to the minute, in SQL. */
export const SECONDS_IN_SQL = `(message.id / ${IDS_A_MINUTE} * 60)`;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const KEY_DIGITS = 12;

/** The first 48 bits of a UUID, or of the SHA-256 of any other id: enough to tell the messages of a conversation apart. */
export function keyOf(id: string): number {
  const digits = UUID.test(id) ? id.replace('-', '') : hash('sha256', id);
  return Number.parseInt(digits.slice(0, KEY_DIGITS), 16);
}

/**
 * Tells the contents that one message has had in several exports apart.
 * @param text all of it, or its UTF-8
 */
export function contentOf(message: Message, text: string | Uint8Array): number {
  const assets = assetsOf(message);
  return assets.length === 0 ? crc32(text) : crc32(assets.join(' '), crc32(text));
}
