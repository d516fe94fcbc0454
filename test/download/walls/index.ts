import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { type Errand, type Report, reportSchema } from './report.ts';

export { type Errand, HONEST, type Report } from './report.ts';

/** A network of its own, in which every address there is leads to one listener. */
export class Walls implements AsyncDisposable {
  readonly #inside: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;

  private constructor() {
    const program = fileURLToPath(new URL('inside.ts', import.meta.url));
    this.#inside = spawn('unshare', ['--net', '--mount', process.execPath, program], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#lines = createInterface({ input: this.#inside.stdout })[Symbol.asyncIterator]();
  }

  /** Raises the walls. Needs root, util-linux and iproute2. */
  static async raise(): Promise<Walls> {
    const walls = new Walls();
    await walls.#next();
    return walls;
  }

  /** Runs one errand inside. */
  async run(errand: Errand): Promise<Report> {
    this.#inside.stdin.write(`${JSON.stringify(errand)}\n`);
    return reportSchema.parse(JSON.parse(await this.#next()));
  }

  async #next(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error('What runs inside the walls has ended.');
    return value;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#inside, 'exit');
    this.#inside.stdin.end();
    await ended;
  }
}
