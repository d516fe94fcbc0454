import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import * as z from 'zod';
import { asStorageError, errorCode } from '../../lib/errors.ts';
import { makePrivateDirectory, writeFileDurably } from '../../lib/files.ts';
import { refuseNewerFormat } from '../../lib/format.ts';
import { sha256 } from '../../lib/hash.ts';
import { jsonOf } from '../../lib/json.ts';
import { Secret } from '../../lib/secret.ts';

const FORMAT = 1;

const consentFile = z.object({
  format: z.literal(FORMAT),
  provider: z.string(),
  client_id: z.string(),
  user: z.string(),
  refresh_token: z.string().min(1),
});

/** The consent that a user gave with `chatkeep login mail`. */
export interface Consent {
  readonly provider: string;
  /** The client it was given to; no other can use it. */
  readonly clientId: string;
  readonly user: string;
  readonly refreshToken: Secret;
}

/** Keeps a consent in a file that only the user of the service can read. */
export class TokenStore {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /**
   * What was stored last; undefined if there is nothing, or nothing that can be understood. Read anew each time, since
   * `chatkeep login mail` writes it while the service runs.
   * @throws if the file is there and cannot be read; ChatkeepError `storage` if a newer Chatkeep has written it
   */
  async read(): Promise<Consent | undefined> {
    const text = await this.#text();
    const value = text === undefined ? undefined : jsonOf(text);
    const loss = '`chatkeep login mail` asks for the consent anew';
    refuseNewerFormat(value, { known: FORMAT, what: 'consent', path: this.path, loss });
    const stored = consentFile.safeParse(value).data;
    if (stored === undefined) return undefined;
    const { provider, client_id: clientId, user, refresh_token: refreshToken } = stored;
    return { provider, clientId, user, refreshToken: new Secret(refreshToken) };
  }

  /**
   * Resolves when a crash can no longer lose it.
   * @throws ChatkeepError `storage`
   */
  async write({ provider, clientId, user, refreshToken }: Consent): Promise<void> {
    const content: z.input<typeof consentFile> = {
      format: FORMAT,
      provider,
      client_id: clientId,
      user,
      refresh_token: refreshToken.reveal(),
    };
    try {
      await makePrivateDirectory(dirname(this.path));
      await writeFileDurably(this.path, `${JSON.stringify(content, undefined, 2)}\n`);
    } catch (error) {
      throw asStorageError(error, 'write', this.path);
    }
  }

  /** Changes whenever another consent is stored. */
  async fingerprint(): Promise<string> {
    return sha256((await this.#text().catch(() => undefined)) ?? '');
  }

  async #text(): Promise<string | undefined> {
    try {
      return await readFile(this.path, 'utf8');
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return undefined;
      throw error;
    }
  }
}
