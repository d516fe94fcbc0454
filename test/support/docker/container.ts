import { eventually } from '../eventually.ts';
import type { CliResult } from '../service.ts';
import { docker, dockerResult } from './engine.ts';

/** A container that runs, or has run. */
export class Container {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  /** Everything it has printed, of all its runs. */
  async logs(): Promise<string> {
    const { stdout, stderr } = await dockerResult('logs', this.name);
    return stdout + stderr;
  }

  /** Resolves when it has printed that so many times; rejects with what it did print. */
  async printed(expected: string, times = 1): Promise<void> {
    await eventually(async () => (await this.logs()).split(expected).length > times, 120_000).catch(
      async (error: unknown) => {
        throw new Error(`${this.name} did not print "${expected}":\n${await this.logs()}`, { cause: error });
      },
    );
  }

  /** One value of `docker inspect`, by Go template. */
  async inspect(template: string): Promise<string> {
    return (await docker('inspect', '--format', template, this.name)).trim();
  }

  /** What Docker has made of the health check. */
  health(): Promise<string> {
    return this.inspect('{{.State.Health.Status}}');
  }

  exec(...command: string[]): Promise<CliResult> {
    return dockerResult('exec', this.name, ...command);
  }

  async start(): Promise<void> {
    await docker('start', this.name);
  }

  /** `docker stop`; gives the exit code: 137 if it had to be killed. */
  async stop(): Promise<number> {
    await docker('stop', this.name);
    return this.exitCode();
  }

  async kill(): Promise<void> {
    await docker('kill', this.name);
    await docker('wait', this.name);
  }

  async exitCode(): Promise<number> {
    return Number(await this.inspect('{{.State.ExitCode}}'));
  }

  /** What differs from the image: `A /path`, `C /path`, `D /path`. */
  async diff(): Promise<string[]> {
    return (await docker('diff', this.name)).split('\n').filter(Boolean);
  }
}
