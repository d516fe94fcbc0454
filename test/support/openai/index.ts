import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DnsServer, startDnsServer } from './dns-server.ts';
import { createDkimKey, type DkimKey, dkimRecordName, type EmailOptions, makeEmail } from './emails/index.ts';
import type { AccountModel, ExportFacts, ExportOptions } from './exports/index.ts';
import { writeExport } from './exports/index.ts';
import {
  type LinkForm,
  type OpenAiServer,
  type OpenAiServerOptions,
  type PublishedExport,
  startOpenAiServer,
} from './server.ts';

/** OpenAI's side of an export, whole: the HTTPS server, the DNS with the DKIM key, and the mails. */
export interface OpenAi extends AsyncDisposable {
  readonly server: OpenAiServer;
  readonly dns: DnsServer;
  readonly dkimKey: DkimKey;
  /** The settings with which a service trusts this OpenAI instead of the real one. */
  readonly settings: Readonly<Record<string, string>>;
  /** A mail of the real sender, signed; every option may be overridden. */
  mail(options: Partial<EmailOptions> & Pick<EmailOptions, 'kind'>): Promise<Buffer>;
  /** The mail that says a published export is ready. */
  readyMail(published: PublishedExport, options?: Partial<EmailOptions>): Promise<Buffer>;
  /** Makes an export of an account in `directory` and puts it up for download. */
  publishExport(
    account: AccountModel,
    options: Omit<ExportOptions, 'to' | 'stamp' | 'generation'> & {
      readonly directory: string;
      readonly form: LinkForm;
      readonly stamp?: Date;
      readonly generation?: ExportOptions['generation'];
      readonly ttlMs?: number;
    },
  ): Promise<{ readonly published: PublishedExport; readonly facts: ExportFacts; readonly file: string }>;
}

/**
 * Starts OpenAI's side.
 * @param directory where the authority's certificate is put
 */
export async function startOpenAi(directory: string, options: OpenAiServerOptions = {}): Promise<OpenAi> {
  const [server, dns] = await Promise.all([
    startOpenAiServer(options),
    startDnsServer(options.host === undefined ? {} : { host: options.host }),
  ]);
  const dkimKey = createDkimKey();
  dns.setTxt(dkimRecordName(), dkimKey.dnsTxt);
  const caFile = join(directory, 'openai-ca.pem');
  await writeFile(caFile, server.authority.certPem);

  const mail: OpenAi['mail'] = (mailOptions) =>
    makeEmail({
      to: 'ada@example.test',
      date: new Date(),
      dkim: [{ privateKeyPem: dkimKey.privateKeyPem }],
      ...mailOptions,
    });

  return {
    server,
    dns,
    dkimKey,
    settings: {
      CHATKEEP_NOTICES_DNS_SERVERS: dns.address,
      CHATKEEP_DOWNLOAD_EXTRA_ORIGINS: server.origin,
      CHATKEEP_DOWNLOAD_CA_FILE: caFile,
    },
    mail,
    readyMail: (published, mailOptions = {}) => mail({ kind: 'ready', link: published.link, ...mailOptions }),
    async publishExport(account, { directory: exports, form, stamp = new Date(), ttlMs, generation = 'G5', ...rest }) {
      const file = join(exports, `export-${stamp.getTime()}-${account.conversations.length}.zip`);
      const facts = await writeExport(account, { ...rest, generation, stamp, to: file });
      const published = server.publish({
        body: { path: file },
        form,
        stamp,
        account: account.email,
        ...(ttlMs === undefined ? {} : { ttlMs }),
      });
      return { published, facts, file };
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([server.close(), dns.close()]);
    },
  };
}
