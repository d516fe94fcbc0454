import type { Server } from 'node:https';
import type { Socket } from 'node:net';

/**
 * The TCP connections under a TLS server. The socket that a request comes with is the TLS layer, which cannot be reset;
 * the connection below it can.
 */
export class Connections {
  readonly #open = new Map<string, Socket>();

  constructor(server: Server) {
    server.on('connection', (socket: Socket) => {
      const peer = peerOf(socket);
      this.#open.set(peer, socket);
      socket.once('close', () => this.#open.delete(peer));
    });
  }

  /** Ends the connection under this socket with RST. */
  reset(socket: Socket): void {
    this.#open.get(peerOf(socket))?.resetAndDestroy();
  }

  /** Ends them all, at once. */
  destroyAll(): void {
    for (const socket of this.#open.values()) socket.destroy();
  }
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
