import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Context } from 'hono';
import { ChatkeepError } from '../../../lib/errors.ts';
import type { WebEnv } from '../../env.ts';
import { isToken } from '../../security/access.ts';
import type { UploadDesk } from '../../sources.ts';

/** What became of one file. */
export type Received =
  | { readonly kind: 'taken'; readonly name: string; readonly capture: string }
  | { readonly kind: 'refused'; readonly name: string; readonly reason: string };

/** The form was not sent by a page of ours. */
export class ForeignForm extends Error {}

/** Fields of the form, beside the files: their count and length in bytes. */
const MOST_FIELDS = 4;
const LONGEST_FIELD = 1_000;
/** Of one form; more than anybody has exports. */
const MOST_FILES = 100;

/**
 * Receives one file as the script sends it: the body is the file, the query has its name.
 * @throws what breaks the body off
 */
export async function receiveBody(context: Context<WebEnv>, desk: UploadDesk): Promise<Received> {
  const name = context.req.query('name') ?? '';
  const body = bodyOf(context);
  try {
    return await receive(name, body, lengthOf(context), desk);
  } finally {
    await readAway(body);
  }
}

/**
 * Receives the files of a form, one after the other as they come; its first field is the token.
 * @throws ForeignForm where it is not; what breaks the body off
 */
export async function receiveForm(context: Context<WebEnv>, desk: UploadDesk): Promise<Received[]> {
  const { Busboy } = await import('@fastify/busboy');
  const form = new Busboy({
    headers: { 'content-type': context.req.header('content-type') ?? '' },
    limits: { fields: MOST_FIELDS, fieldSize: LONGEST_FIELD, files: MOST_FILES },
  });
  let isOurs = false;
  const files: { readonly stream: Readable; readonly received: Promise<Received> }[] = [];
  form.on('field', (name, value) => {
    if (name === 'csrf') isOurs = isToken(value, context.get('csrfToken'));
  });
  form.on('file', (_field, stream, name) => {
    // Browsers send an empty file where none was chosen.
    if (!isOurs || name === undefined || name === '') stream.resume();
    else {
      // What the form as a whole says tells nothing of the files behind the first one.
      const length = files.length === 0 ? lengthOf(context) : undefined;
      const received = receive(name, stream, length, desk).finally(() => stream.resume());
      received.catch(() => {});
      files.push({ stream, received });
    }
  });
  try {
    await pipeline(bodyOf(context), form);
  } catch (error) {
    for (const { stream } of files) stream.destroy(error instanceof Error ? error : new Error(String(error)));
    await Promise.allSettled(files.map(({ received }) => received));
    throw error;
  }
  if (!isOurs) throw new ForeignForm('the form has no token');
  return Promise.all(files.map(({ received }) => received));
}

async function receive(name: string, body: Readable, length: number | undefined, desk: UploadDesk): Promise<Received> {
  try {
    // What is not wanted of it is read away later: a browser listens to the answer only when it has sent all.
    const bytes = body.iterator({ destroyOnReturn: false });
    return { kind: 'taken', name, capture: await desk.take({ name, bytes, length }) };
  } catch (error) {
    if (!(error instanceof ChatkeepError)) throw error;
    return { kind: 'refused', name, reason: `${error.message}${error.class === 'storage' ? ` ${error.next}` : ''}` };
  }
}

function bodyOf(context: Context<WebEnv>): Readable {
  const { body } = context.req.raw;
  return body === null ? Readable.from([]) : Readable.fromWeb(body as Parameters<typeof Readable.fromWeb>[0]);
}

function lengthOf(context: Context<WebEnv>): number | undefined {
  const length = context.req.header('content-length');
  return length === undefined ? undefined : Number(length);
}

async function readAway(body: Readable): Promise<void> {
  if (body.destroyed || body.readableEnded) return;
  for await (const _piece of body);
}
