import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/**
 * What it does to what passes: nothing; cut the connection as soon as the server has taken a sign-in; or keep the
 * server's announcements of new messages to itself. The last two can be done to clear text only.
 */
export type ProxyMood = 'pass' | 'drop-after-sign-in' | 'mute';

/** What stands between a client and a mail server, as NAT boxes and load balancers do. */
export interface MailProxy extends AsyncDisposable {
  readonly host: '127.0.0.1';
  readonly port: number;
  mood: ProxyMood;
  /** When the server took each sign-in, ms UTC; of clear text. */
  readonly signIns: readonly number[];
  /** Ends every connection with a reset, or as its server would, and gives how many there were. */
  cut(how: 'reset' | 'end'): number;
}

/** Starts a proxy in front of a mail server. */
export async function startMailProxy(server: { readonly host: string; readonly port: number }): Promise<MailProxy> {
  const lines = new Set<Line>();
  const signIns: number[] = [];
  const proxy = createServer((client) => {
    const line = new Line(client, connect(server.port, server.host));
    lines.add(line);
    line.whenClosed(() => lines.delete(line));
    let reading = { isSelecting: false, isSigningIn: false };
    client.on('data', (data: Buffer) => {
      reading = readingAfter(reading, data.toString('latin1'));
      line.server.write(data);
    });
    line.server.on('data', (data: Buffer) => {
      const text = data.toString('latin1');
      if (reading.isSigningIn && /^\S+ OK /m.test(text.replace(/^\* .*/gm, ''))) {
        reading = { ...reading, isSigningIn: false };
        signIns.push(Date.now());
        if (handle.mood === 'drop-after-sign-in') {
          client.end(data);
          line.server.destroy();
          return;
        }
      }
      // What an opened folder holds is an answer, and no announcement.
      const isMuted = handle.mood === 'mute' && !reading.isSelecting;
      client.write(isMuted ? Buffer.from(text.replace(ANNOUNCEMENT, ''), 'latin1') : data);
    });
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const address = proxy.address();
  if (address === null || typeof address === 'string') throw new Error('No port.');
  const handle: MailProxy = {
    host: '127.0.0.1',
    port: address.port,
    mood: 'pass',
    signIns,
    cut(how) {
      const cut = [...lines];
      for (const line of cut) line.cut(how);
      return cut.length;
    },
    async [Symbol.asyncDispose]() {
      for (const line of lines) line.cut('reset');
      proxy.close();
      await once(proxy, 'close');
    },
  };
  return handle;
}

const ANNOUNCEMENT = /^\* \d+ (?:EXISTS|RECENT)\r\n/gm;

interface Reading {
  /** The last command was to open a folder. */
  readonly isSelecting: boolean;
  readonly isSigningIn: boolean;
}

function readingAfter(before: Reading, sent: string): Reading {
  const command = [...sent.matchAll(/^\S+ (\w+)/gm)].at(-1)?.[1]?.toUpperCase();
  if (command === undefined) return before;
  return {
    isSelecting: command === 'SELECT' || command === 'EXAMINE',
    isSigningIn: command === 'LOGIN' || command === 'AUTHENTICATE',
  };
}

/** One client's connection through the proxy. */
class Line {
  readonly client: Socket;
  readonly server: Socket;

  constructor(client: Socket, server: Socket) {
    this.client = client;
    this.server = server;
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.on('error', () => other.destroy());
      one.on('end', () => other.end());
      one.on('close', () => other.destroy());
    }
  }

  whenClosed(listener: () => void): void {
    this.client.once('close', listener);
  }

  cut(how: 'reset' | 'end'): void {
    if (how === 'end') this.client.end();
    // A reset in the middle of an orderly end is refused by the system, and leaves the socket open for ever.
    else if (this.client.writableEnded) this.client.destroy();
    else this.client.resetAndDestroy();
    this.server.destroy();
  }
}
