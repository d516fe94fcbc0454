import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LoadedConfig, type LoadOptions, loadConfig } from '../../src/config/index.ts';
import { ChatkeepError } from '../../src/lib/errors.ts';

/** A directory of its own, removed at the end of the scope. */
export class Workspace implements AsyncDisposable {
  readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async create(): Promise<Workspace> {
    return new Workspace(await mkdtemp(join(tmpdir(), 'chatkeep-config-')));
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  /** Writes a file that only its owner can read, unless told, and gives its path. */
  async write(name: string, content: string | Uint8Array, mode = 0o600): Promise<string> {
    await writeFile(this.path(name), content, { mode });
    return this.path(name);
  }

  /** Loads this YAML text from `chatkeep.yaml` in the directory, under this environment and no other. */
  async load(yaml: string, env: NodeJS.ProcessEnv = {}, more: Partial<LoadOptions> = {}): Promise<LoadedConfig> {
    return loadConfig({ path: await this.write('chatkeep.yaml', yaml), env, cwd: this.directory, ...more });
  }

  /** The lines of problems that loading ends with. */
  async problems(yaml: string, env: NodeJS.ProcessEnv = {}, more: Partial<LoadOptions> = {}): Promise<string[]> {
    return problemsOf(this.load(yaml, env, more));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** The lines below the head of the error that loading ends with. */
export async function problemsOf(loading: Promise<LoadedConfig>): Promise<string[]> {
  try {
    await loading;
  } catch (error) {
    if (error instanceof ChatkeepError && error.class === 'config') return error.message.split('\n').slice(1);
    throw error;
  }
  throw new Error('the configuration was taken, and should not have been');
}

/** The least that a file must have, with paths that do not matter. */
export const MINIMAL = 'backup_dir: /b\nstate_dir: /s\n';

/** A mailbox with all it must have, as one line of YAML. */
export const MAILBOX = '{ host: imap.example.org, user: ada, password: geheim }';
