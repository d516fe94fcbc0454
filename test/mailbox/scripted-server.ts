import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';

/** What a server says to a command; undefined for the answer of an ordinary server, null for silence. */
export type Script = (command: string, tag: string, socket: Socket) => string | null | undefined;

export interface ScriptedServer {
  readonly port: number;
  /** Every line that came in. */
  readonly lines: string[];
  close(): Promise<void>;
}

/** An IMAP server in clear text that says what a test wants: what no well-behaved server can be brought to say. */
export async function startScriptedServer(script: Script, greeting = '* OK ready'): Promise<ScriptedServer> {
  const lines: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let rest = '';
    let idling: string | undefined;
    socket.on('error', () => undefined);
    socket.write(`${greeting}\r\n`);
    socket.on('data', (data) => {
      const parts = `${rest}${data}`.split('\r\n');
      rest = parts.pop() ?? '';
      for (const line of parts) {
        lines.push(line);
        const [, tag = '', command = ''] = /^(\S+) ?(.*)$/.exec(line) ?? [];
        const answer = line === 'DONE' ? `${idling} OK done` : (script(command, tag, socket) ?? ordinary(command, tag));
        if (/^IDLE/.test(command)) idling = tag;
        if (answer !== undefined && script(command, tag, socket) !== null) socket.write(`${answer}\r\n`);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('No port.');
  return {
    port: address.port,
    lines,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function ordinary(command: string, tag: string): string {
  const ok = `${tag} OK done`;
  switch (command.replace(/^UID /, '').split(' ')[0]) {
    case 'CAPABILITY':
      return `* CAPABILITY IMAP4rev1 IDLE\r\n${ok}`;
    case 'NAMESPACE':
      return `* NAMESPACE (("" "/")) NIL NIL\r\n${ok}`;
    case 'LIST':
      return `* LIST () "/" INBOX\r\n${ok}`;
    case 'EXAMINE':
      return `* FLAGS ()\r\n* 2 EXISTS\r\n* OK [UIDVALIDITY 7] valid\r\n* OK [UIDNEXT 3] next\r\n${tag} OK [READ-ONLY] done`;
    case 'IDLE':
      return '+ idling';
    case 'LOGOUT':
      return `* BYE\r\n${ok}`;
    default:
      return ok;
  }
}
