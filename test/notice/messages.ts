import { HOUR_MS, MINUTE_MS } from '../../src/lib/clock.ts';
import { type Notice, type ReadOptions, readNotice } from '../../src/notice/index.ts';
import { createDkimKey, dkimRecordName, type EmailOptions, makeEmail } from '../support/openai/emails/index.ts';

/** When the exports of these tests were made, mailed and received. */
export const STAMP = Date.UTC(2026, 10, 21, 19, 5, 33);
export const SENT = STAMP + 2 * MINUTE_MS;
export const RECEIVED = SENT + MINUTE_MS;
export const NOW = RECEIVED + HOUR_MS;

const ACCOUNT = 'ab12'.repeat(16);
export const ESTUARY_ID = `${ACCOUNT}-2026-11-21-19-05-33-${'cd34'.repeat(8)}`;
export const AZURE_ID = `${ACCOUNT}-2026-11-21-19-05-33`;
export const SIGNATURE = 'ef56'.repeat(16);
export const ESTUARY_QUERY = `id=${ESTUARY_ID}.zip&ts=489000&p=de&cid=1&sig=${SIGNATURE}&v=0`;
export const ESTUARY_LINK = `https://chatgpt.com/backend-api/estuary/content?${ESTUARY_QUERY}`;
const AZURE_QUERY = `se=2026-11-22T19%3A05%3A33Z&sp=r&sv=2023-11-03&sr=b&sig=${SIGNATURE}`;
export const AZURE_LINK = `https://proddatamgmtqueue.blob.core.windows.net/exportcontainer/${AZURE_ID}.zip?${AZURE_QUERY}`;

const KEY = createDkimKey();
/** The sender's own signature. */
export const OWN_SIGNATURE = { privateKeyPem: KEY.privateKeyPem };

const KEY_NAMES = [dkimRecordName(), dkimRecordName('tm.openai.com', 'mandrill'), dkimRecordName('openai.com')];

/** The DNS in which the provider's keys are, at its own domain and at its organisation's. */
export async function resolveTxt(name: string): Promise<string[][]> {
  if (KEY_NAMES.includes(name)) return [[KEY.dnsTxt]];
  throw Object.assign(new Error(`queryTxt ENOTFOUND ${name}`), { code: 'ENOTFOUND' });
}

/** A DNS that cannot tell. */
export async function brokenDns(): Promise<never> {
  throw Object.assign(new Error('queryTxt ESERVFAIL'), { code: 'ESERVFAIL' });
}

/** A message of the provider, signed unless told, with an export's link if it is a ready one. */
export function email(options: Partial<EmailOptions> = {}): Promise<Buffer> {
  return makeEmail({
    kind: 'ready',
    to: 'ada@example.test',
    date: new Date(SENT),
    dkim: [OWN_SIGNATURE],
    ...(options.kind === undefined || options.kind === 'ready' ? { link: ESTUARY_LINK } : {}),
    ...options,
  });
}

/** What a message is, under the strictest settings unless told. */
export function read(source: Buffer, options: Partial<ReadOptions> = {}, receivedAt = RECEIVED): Promise<Notice> {
  return readNotice(
    { source, receivedAt },
    { extraOrigins: [], authenticity: 'require', resolveTxt, now: NOW, ...options },
  );
}

/** `ready`, `refused: link-not-trusted`…: what a test asks for. */
export function outcome(notice: Notice): string {
  return notice.kind === 'refused' ? `refused: ${notice.reason}` : notice.kind;
}

/** A message of few words, unsigned. */
export function plain(
  text: string,
  from = 'noreply@tm.openai.com',
  subject = 'ChatGPT - Your data export is ready',
): Buffer {
  return Buffer.from(
    `From: ${from}\r\nSubject: ${subject}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${text}\r\n`,
  );
}

/** An unsigned message of the provider with this HTML in its body. */
export function html(body: string): Buffer {
  return Buffer.from(`From: noreply@tm.openai.com\r\nContent-Type: text/html; charset=utf-8\r\n\r\n${body}\r\n`);
}

/** As an HTML attribute holds it. */
export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;');
}

/** The message with a part of it replaced. */
export function replaced(source: Buffer, pattern: RegExp, by: string): Buffer {
  return Buffer.from(
    source.toString('latin1').replace(pattern, () => by),
    'latin1',
  );
}
