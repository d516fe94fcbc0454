/** One request, as the server saw it. It is logged when its answer begins. */
export interface RequestRecord {
  readonly method: string;
  /** Without the query, which holds the signature. */
  readonly path: string;
  /** The export that was asked for, if it is one of ours and the signature holds. */
  readonly exportId: string | undefined;
  readonly range: string | undefined;
  readonly ifRange: string | undefined;
  readonly status: number;
  /** Body bytes handed to the connection so far; grows while the answer is under way. */
  readonly bytesSent: number;
  /** Whether a bearer token came along, valid or not. */
  readonly hasBearer: boolean;
  /** Whether a session cookie came along, valid or not. */
  readonly hasCookie: boolean;
  /** When, by the server's clock, ms UTC. */
  readonly at: number;
}

/** Called when the answer to a request begins. */
export type RequestListener = (record: RequestRecord) => void;

/** The same record in the hands of those who write it. */
export type OpenRequestRecord = { -readonly [K in keyof RequestRecord]: RequestRecord[K] };
