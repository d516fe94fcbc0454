import { once } from 'node:events';
import type { Server } from 'node:net';
import hoodiecrow from 'hoodiecrow-imap';
import type { Authority } from '../test/support/openai/certificates.ts';

/** A mail server of the demo's own: IMAP over TLS, one mailbox in memory. */
export interface MailServer {
  readonly port: number;
  readonly user: string;
  readonly password: string;
  deliver(raw: Buffer): void;
  close(): Promise<void>;
}

/** Starts it on 127.0.0.1, with a certificate of `authority`. */
export async function startMailServer(authority: Authority): Promise<MailServer> {
  const { keyPem, certPem } = await authority.issue({ hosts: ['localhost', '127.0.0.1'] });
  const user = 'you@example.com';
  const password = 'a password of the demo';
  const imap = hoodiecrow({
    secureConnection: true,
    credentials: { key: keyPem, cert: certPem },
    plugins: ['IDLE', 'ID', 'SPECIAL-USE'],
    users: { [user]: { password } },
    storage: { INBOX: { messages: [] }, '': {} },
  });
  const { server } = imap;
  imap.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The mail server has no port.');
  return {
    port: address.port,
    user,
    password,
    deliver: (raw) => void imap.appendMessage('INBOX', [], new Date(), raw.toString('latin1')),
    close: () => closeServer(server),
  };
}

async function closeServer(server: Server): Promise<void> {
  server.close();
  await once(server, 'close');
}
