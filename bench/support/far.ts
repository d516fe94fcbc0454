/**
 * A way to a server that is far away, on one machine: a TCP proxy that hands on everything a while after it came. Forked
 * with `{ port, oneWayMs }` as its argument; tells its own port; ends with its parent.
 *
 * What comes from the server is held to a window, as TCP does over such a distance: it begins with ten segments (RFC
 * 6928) and grows with what has been acknowledged, a round trip after it was sent, up to what a receiver of Linux offers
 * unless it is told otherwise.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';

const FIRST_WINDOW_BYTES = 10 * 1460;
/** Half of the 6 MB that tcp_rmem has as its largest by default: so much of it is for the bytes themselves. */
const LARGEST_WINDOW_BYTES = 3 * 1024 * 1024;

interface FarOptions {
  /** Of the server, on 127.0.0.1. */
  readonly port: number;
  readonly oneWayMs: number;
}

/** The proxy, seen from its parent. */
export class Far {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  static async start(options: FarOptions): Promise<Far> {
    const child = fork(fileURLToPath(import.meta.url), [JSON.stringify(options)]);
    const [port] = (await once(child, 'message')) as [number];
    return new Far(child, port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#child, 'close');
    this.#child.kill('SIGKILL');
    await closed;
  }
}

/** Hands chunks on `oneWayMs` after they came. */
function delayed(from: Socket, to: Socket, oneWayMs: number, window: Window | undefined): void {
  from.on('data', (chunk: Buffer) => {
    if (window?.send(chunk.length) === false) from.pause();
    setTimeout(() => {
      if (!to.writableEnded) to.write(chunk);
      setTimeout(() => {
        if (window?.acknowledge(chunk.length) === true) from.resume();
      }, oneWayMs);
    }, oneWayMs);
  });
  from.on('end', () => setTimeout(() => to.end(), oneWayMs));
  from.on('error', () => to.destroy());
  from.on('close', () => setTimeout(() => to.destroy(), oneWayMs));
}

class Window {
  #bytes = FIRST_WINDOW_BYTES;
  #underWay = 0;

  /** Whether more may be sent. */
  send(bytes: number): boolean {
    this.#underWay += bytes;
    return this.#underWay < this.#bytes;
  }

  acknowledge(bytes: number): boolean {
    this.#underWay -= bytes;
    this.#bytes = Math.min(LARGEST_WINDOW_BYTES, this.#bytes + bytes);
    return this.#underWay < this.#bytes;
  }
}

async function serve({ port, oneWayMs }: FarOptions): Promise<void> {
  const proxy = createServer({ noDelay: true }, (near) => {
    // The first of the three segments that open a connection takes its time, too.
    const far = connect({ port, host: '127.0.0.1', noDelay: true });
    near.pause();
    setTimeout(() => {
      delayed(near, far, oneWayMs, undefined);
      delayed(far, near, oneWayMs, new Window());
      near.resume();
    }, 2 * oneWayMs);
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  process.on('disconnect', () => process.exit());
  process.send?.((proxy.address() as AddressInfo).port);
}

if (process.argv[1] === fileURLToPath(import.meta.url) && process.send !== undefined) {
  await serve(JSON.parse(process.argv[2] ?? '{}') as FarOptions);
}
