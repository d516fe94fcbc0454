/** What the demo uses of hoodiecrow-imap, which brings no types. */
declare module 'hoodiecrow-imap' {
  import type { Server } from 'node:net';

  interface HoodiecrowOptions {
    readonly secureConnection?: boolean;
    readonly credentials?: { readonly key: string; readonly cert: string };
    readonly plugins?: readonly string[];
    readonly users?: Readonly<Record<string, { readonly password: string }>>;
    readonly storage?: Readonly<Record<string, unknown>>;
  }

  interface Hoodiecrow {
    readonly server: Server;
    listen(port: number, host: string): void;
    /** `raw` as a binary string: one character a byte. */
    appendMessage(mailbox: string, flags: string[], internalDate: Date, raw: string): unknown;
  }

  export default function hoodiecrow(options: HoodiecrowOptions): Hoodiecrow;
}
