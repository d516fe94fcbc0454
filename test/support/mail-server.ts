export interface DeliverOptions {
  /** INBOX unless told; made if missing. `/` separates levels. */
  readonly folder?: string;
  /** INTERNALDATE, ms UTC; now unless told. */
  readonly receivedAt?: number;
}

/** A real mail server of a test's own, whichever program it is. */
export interface MailServer extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** The authority that signed the server's certificate; undefined where it speaks in clear text. */
  readonly caFile?: string;
  /** Brings a message, also while the server is stopped, frozen or out of reach; a session that IDLEs is told at once. */
  deliver(raw: string | Uint8Array, options?: DeliverOptions): Promise<void>;
  /** Brings the same message so many times, far more quickly than one by one. */
  deliverCopies(raw: string | Uint8Array, count: number, options?: DeliverOptions): Promise<void>;
  /** Makes a folder anew while the server is up: empty, with another UIDVALIDITY and UIDs from 1 on. */
  renewFolder(folder: string): Promise<void>;
  stop(): Promise<void>;
  /** Starts it again at the same port, with the same mail. */
  start(): Promise<void>;
  /** Freezes every process of the server: connections stay open, and nobody answers. */
  pause(): void;
  resume(): void;
}
