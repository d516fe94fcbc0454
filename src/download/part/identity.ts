/** What the server said of a body. */
export interface BodyIdentity {
  /** A strong validator (RFC 9110 section 8.8.3), or undefined: then it cannot be resumed. */
  readonly etag: string | undefined;
  /** Bytes of the whole body, if the server told. */
  readonly total: number | undefined;
  /** Base64 of the whole body's MD5 (RFC 1864), if the server told. */
  readonly md5: string | undefined;
}

/** A body of which nothing is known. */
export const UNKNOWN: BodyIdentity = { etag: undefined, total: undefined, md5: undefined };
