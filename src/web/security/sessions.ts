import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import { type Clock, DAY_MS, HOUR_MS } from '../../lib/clock.ts';
import { ChatkeepError, errorCode } from '../../lib/errors.ts';
import { writeFileDurably } from '../../lib/files.ts';
import { refuseNewerFormat } from '../../lib/format.ts';
import type { Logger } from '../../lib/logger.ts';
import { Mutex } from '../../lib/mutex.ts';
import type { Secret } from '../../lib/secret.ts';
import { hashPassword, isPassword, type PasswordHash } from './password.ts';

/** A session ends when it was not used for so long. */
export const SESSION_MS = 30 * DAY_MS;
/** That it is used is written down this often. */
const NOTE_EVERY_MS = HOUR_MS;
/** Of one who signs in with each device, and never out. */
const MOST_SESSIONS = 200;
const TOKEN_BYTES = 32;

const FORMAT = 1;
const fileSchema = z.object({
  format: z.literal(FORMAT),
  password: z.object({ salt: z.string(), hash: z.string() }),
  sessions: z.array(z.object({ token: z.string(), usedAt: z.number() })),
});

export interface SessionsOptions {
  /** The file that they are kept in, with the hash of the password that they were begun with. */
  readonly path: string;
  readonly password: Secret;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Who has signed in with the password. The browser has the token, 256 random bits; here, and in the file, is its SHA-256
 * alone, so that whoever gets to read the file cannot sign in with it. A restart signs nobody out, another password everybody.
 */
export class Sessions {
  readonly #options: Omit<SessionsOptions, 'password'>;
  readonly #password: PasswordHash;
  /** When each was last used, ms UTC, by the SHA-256 of its token; in the order in which they were begun. */
  readonly #usedAt: Map<string, number>;
  readonly #writing = new Mutex();

  private constructor(options: SessionsOptions, password: PasswordHash, usedAt: Map<string, number>) {
    this.#options = options;
    this.#password = password;
    this.#usedAt = usedAt;
  }

  /**
   * Goes on with the sessions of the file, if they were begun with this password.
   * @throws ChatkeepError `storage` if a newer Chatkeep has written the file
   */
  static async open(options: SessionsOptions): Promise<Sessions> {
    const password = options.password.reveal();
    const kept = await read(options.path);
    if (kept !== undefined && (await isPassword(password, kept.password))) {
      return new Sessions(options, kept.password, new Map(kept.sessions.map(({ token, usedAt }) => [token, usedAt])));
    }
    const opened = new Sessions(options, await hashPassword(password), new Map());
    if (kept !== undefined) {
      options.logger.info('the password of the web page is another one: whoever was signed in has to sign in again');
      await opened.#write();
    }
    return opened;
  }

  isPassword(attempt: string): Promise<boolean> {
    return isPassword(attempt, this.#password);
  }

  /** Begins one, and gives its token. */
  async begin(): Promise<string> {
    const token = randomBytes(TOKEN_BYTES).toString('base64url');
    this.#usedAt.set(hashOf(token), this.#options.clock.now());
    await this.#write();
    return token;
  }

  /** Whether the token is that of a session, which is used by that; `noted` now and then, when the cookie is to be renewed. */
  use(token: string): 'used' | 'noted' | 'none' {
    const key = hashOf(token);
    const usedAt = this.#usedAt.get(key);
    const now = this.#options.clock.now();
    if (usedAt === undefined || now - usedAt > SESSION_MS) return 'none';
    if (now - usedAt < NOTE_EVERY_MS) return 'used';
    this.#usedAt.set(key, now);
    void this.#write();
    return 'noted';
  }

  async end(token: string): Promise<void> {
    if (this.#usedAt.delete(hashOf(token))) await this.#write();
  }

  /** A disk that is full keeps nobody from signing in: the session lasts until the service is started anew. */
  #write(): Promise<void> {
    const { path, clock, logger } = this.#options;
    return this.#writing.run(async () => {
      const alive = [...this.#usedAt].filter(([, usedAt]) => clock.now() - usedAt <= SESSION_MS).slice(-MOST_SESSIONS);
      const content = {
        format: FORMAT,
        password: this.#password,
        sessions: alive.map(([token, usedAt]) => ({ token, usedAt })),
      };
      this.#usedAt.clear();
      for (const [token, usedAt] of alive) this.#usedAt.set(token, usedAt);
      await writeFileDurably(path, JSON.stringify(content), undefined, `${path}.tmp`).catch((error: unknown) =>
        logger.warn({ err: error }, 'who has signed in to the web page could not be written down'),
      );
    });
  }
}

/** A fast hash will do: nobody guesses 256 random bits. */
function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}

/** Undefined where there is nothing that can be understood: everybody signs in again then. */
async function read(path: string): Promise<z.output<typeof fileSchema> | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    const loss = 'everybody signs in to the web page again, and nothing else is lost';
    refuseNewerFormat(value, { known: FORMAT, what: 'list of sessions', path, loss });
    return fileSchema.parse(value);
  } catch (error) {
    if (error instanceof ChatkeepError || errorCode(error) === 'EACCES') throw error;
    return undefined;
  }
}
