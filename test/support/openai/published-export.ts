import { sha256 } from '../../../src/lib/hash.ts';
import { type ExportBody, ReadableBody } from './body.ts';
import type { Validators } from './conditions.ts';
import type { Fault } from './faults.ts';
import type { LinkForm } from './links.ts';
import type { RequestRecord } from './request-log.ts';

/** What a published export is made from; times in ms UTC. */
export interface PublishedExportParts {
  readonly form: LinkForm;
  readonly exportId: string;
  readonly link: string;
  readonly stamp: number;
  readonly expiresAt: number;
  readonly body: ExportBody;
}

/** An export that can be fetched, and what is to go wrong when it is. */
export class PublishedExport {
  readonly form: LinkForm;
  /** The ZIP's name without `.zip`. */
  readonly exportId: string;
  /** The whole address on the server. */
  readonly link: string;
  /** When it was made, ms UTC, whole seconds. */
  readonly stamp: number;
  /** When the link dies, ms UTC. */
  readonly expiresAt: number;
  /** Each request takes the first fault that concerns it. */
  readonly faults: Fault[] = [];
  /** What befalls every request for which no fault is queued. */
  always: Fault | undefined;
  /** The requests for it, in order. */
  readonly requests: readonly RequestRecord[];
  readonly #requests: RequestRecord[] = [];
  #body: ReadableBody;
  #revision = 0;

  constructor({ form, exportId, link, stamp, expiresAt, body }: PublishedExportParts) {
    this.form = form;
    this.exportId = exportId;
    this.link = link;
    this.stamp = stamp;
    this.expiresAt = expiresAt;
    this.requests = this.#requests;
    this.#body = new ReadableBody(body);
  }

  /** The archive as it stands now. */
  get body(): ReadableBody {
    return this.#body;
  }

  /** The archive's size. */
  get bytes(): number {
    return this.#body.bytes;
  }

  /** The strong entity tag, with its quotes; Azure's has a look of its own. */
  get etag(): string {
    const hex = sha256(`${this.exportId} ${this.#body.fingerprint} ${this.#revision}`);
    return this.form === 'azure' ? `"0x8D${hex.slice(0, 13).toUpperCase()}"` : `"${hex.slice(0, 32)}"`;
  }

  get validators(): Validators {
    return { etag: this.etag, lastModified: new Date(this.stamp).toUTCString() };
  }

  /** The archive's MD5 in base64. The first call reads the archive; call it beforehand where speed is measured. */
  contentMd5(): Promise<string> {
    return this.#body.md5();
  }

  /** From now on the export has another entity tag, and another body if one is given. */
  change(body?: ExportBody): void {
    this.#revision += 1;
    if (body !== undefined) this.#body = new ReadableBody(body);
  }

  /** The fault that this request meets; a queued one is used up. */
  takeFault(method: string): Fault | undefined {
    const [first] = this.faults;
    if (first !== undefined && concerns(first, method)) return this.faults.shift();
    return this.always !== undefined && concerns(this.always, method) ? this.always : undefined;
  }

  log(record: RequestRecord): void {
    this.#requests.push(record);
  }
}

function concerns(fault: Fault, method: string): boolean {
  return method === 'GET' || fault.alsoHead === true;
}
