import { hash } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** What the bytes of an element are known by, as they stand in the file. */
export interface Fingerprint {
  readonly bytes: number;
  /** CRC-32: enough to see that an element is what it was in the place where it is expected. */
  readonly checksum: number;
  /** The first 128 bits of the SHA-256, as 32 hex digits: what tells it from all others. */
  readonly digest: string;
}

const DIGEST_DIGITS = 32;

/** Elements of an earlier reading, which need not be parsed again. */
export interface KnownElements {
  /**
   * The element that most likely comes next: where its bytes are as long as these and have their checksum, it is taken
   * for it. Reading on is then as fast as the disk; finding an element's end and its digest takes several times that.
   */
  expected(): Fingerprint | undefined;
  has(digest: string): boolean;
}

export function fingerprintOf(bytes: Uint8Array): Fingerprint {
  return {
    bytes: bytes.length,
    checksum: checksumOf(bytes),
    digest: hash('sha256', bytes).slice(0, DIGEST_DIGITS),
  };
}

export function checksumOf(bytes: Uint8Array): number {
  return crc32(bytes);
}
