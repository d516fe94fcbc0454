import { Agent, request } from 'undici';
import { errorCode } from '../../../src/lib/errors.ts';
import type { OpenAiServer } from './server.ts';

/** What came back: the bytes that arrived, and how it ended if it did not end well. */
export interface Received {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  /** The error's code if the body broke off. */
  readonly brokenBy: string | undefined;
}

/** A GET without headers of its own, unless told. */
export interface FetchOptions {
  readonly method?: 'GET' | 'HEAD' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
}

/** A plain client that trusts the server's authority, keeps no login and follows no redirect. */
export class Client {
  readonly #agent: Agent;
  readonly #origin: string;

  constructor(server: OpenAiServer) {
    this.#origin = server.origin;
    this.#agent = new Agent({ connect: { ca: server.authority.certPem } });
  }

  /** @param address a link, or a path on the server */
  async fetch(address: string, options: FetchOptions = {}): Promise<Received> {
    const { statusCode, headers, body } = await this.open(address, options);
    const chunks: Buffer[] = [];
    let brokenBy: string | undefined;
    try {
      for await (const chunk of body) chunks.push(Buffer.from(chunk));
    } catch (error) {
      brokenBy = errorCode(error) ?? String(error);
    }
    return { status: statusCode, headers, body: Buffer.concat(chunks), brokenBy };
  }

  /** The answer with its body unread. */
  open(address: string, { method = 'GET', headers = {} }: FetchOptions = {}): ReturnType<typeof request> {
    return request(new URL(address, this.#origin), { dispatcher: this.#agent, method, headers: { ...headers } });
  }

  /** Ends every connection, whatever is under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy();
  }
}
