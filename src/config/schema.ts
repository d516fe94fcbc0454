import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import * as z from 'zod';
import { LOG_LEVELS } from '../lib/logger.ts';
import { isLoopback, isNearby } from '../lib/loopback.ts';
import { readQuietHours } from '../lib/quiet-hours.ts';
import { Secret } from '../lib/secret.ts';
import { NOTIFICATION_EVENTS } from './events.ts';

/*
 * What can be set, and what it means when it is not. This is the only place: the loader, `chatkeep config`, the JSON
 * Schema (config/chatkeep.schema.json) and the types of the program are made from it. Keys are snake_case here, as in
 * the file; {@link Config} has them in camelCase. A key that is `file` or ends in `_file` or `_dir` is a path, and the
 * loader makes it absolute.
 */

const path = z.string().min(1);
const secret = z
  .string()
  .min(1)
  .transform((text) => new Secret(text));

/** Directory names that every file system and NAS share takes. */
const accountName = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._@+-]{0,99}$/,
    'use letters, digits and . _ @ + - only, and start with a letter or digit',
  )
  .describe('Directory below the backup directory; else the e-mail address in the export');

const dnsServer = z
  .string()
  .refine(
    (text) => isIP(text.replace(/^\[(.+)\](:\d{1,5})?$/, '$1').replace(/^([\d.]+):\d{1,5}$/, '$1')) !== 0,
    'give an IP address, with a port if need be: 192.0.2.1, 192.0.2.1:53 or [2001:db8::1]:53',
  );

/** Tokens and secrets go there: encrypted, or not out of this machine. */
const endpoint = z
  .string()
  .refine(isSafeEndpoint, 'give an https address (http is taken for loopback addresses only), without user and #');

function isSafeEndpoint(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, hash } = new URL(text);
  return (protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname))) && username === '' && hash === '';
}

const oauth2 = z
  .strictObject({
    provider: z.enum(['google', 'microsoft']).describe('Whose consent is asked for'),
    client_id: z.string().min(1).describe('Of the application that you registered with the provider'),
    client_secret: secret.optional().describe('Google gives one with every client id. Better: client_secret_file'),
    client_secret_file: path.optional().describe('File that holds the client secret'),
    tenant: z
      .string()
      .regex(/^[A-Za-z0-9.-]+$/, 'give a tenant: common, consumers, organizations, or an id or domain')
      .optional()
      .describe('Microsoft only: common unless set'),
    token_file: path
      .optional()
      .describe('Where `chatkeep login mail` keeps the consent; else <state_dir>/oauth/<name>.json'),
    authorization_endpoint: endpoint.optional().describe('Instead of the one of the provider'),
    token_endpoint: endpoint.optional().describe('Instead of the one of the provider'),
    device_endpoint: endpoint.optional().describe('Instead of the one of the provider'),
  })
  .describe('Sign in with consent instead of a password; `chatkeep login mail` asks for it once');

const afterCommit = z
  .strictObject({
    seen: z.boolean().optional().describe('Mark it as read'),
    flag: z
      .string()
      .regex(/^[\\$]?[A-Za-z0-9._-]+$/, 'use letters, digits and . _ - only, after a $ or \\ if need be')
      .optional()
      .describe('A flag (keyword) to add'),
    move_to: z.string().min(1).optional().describe('A folder to move it to; it has to exist'),
  })
  .describe('What is done to the email once its export is a snapshot; nothing unless set');

const mailbox = z.strictObject({
  name: z.string().min(1).optional().describe('How messages and logs call it; else the user'),
  host: z.string().min(1).describe('The IMAP server'),
  port: z.int().min(1).max(65535).optional().describe('993 with tls, 143 with starttls and none'),
  security: z
    .enum(['tls', 'starttls', 'none'])
    .default('tls')
    .describe('starttls is enforced, it cannot be stripped; none is taken for loopback addresses only'),
  ca_file: path
    .optional()
    .describe('PEM file of the authority that signed the server certificate, beside the system roots'),
  fingerprint_sha256: z
    .string()
    .regex(/^[0-9A-Fa-f]{2}(:?[0-9A-Fa-f]{2}){31}$/, 'give 64 hex digits, with or without colons')
    .optional()
    .describe('The server certificate itself, by its SHA-256; nothing else is trusted then. For self-signed ones'),
  user: z.string().min(1).describe('The name to log in with, most often the e-mail address'),
  password: secret.optional().describe('Better: password_file'),
  password_file: path.optional().describe('File that holds the password; the line end is cut off'),
  password_command: z
    .array(z.string())
    .min(1)
    .optional()
    .describe('Program and arguments; the first line that it prints is the password. No shell is involved'),
  oauth2: oauth2.optional(),
  folders: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe('Folders that are watched; subfolders are not. Else INBOX, the spam folder and All Mail'),
  after_commit: afterCommit.optional(),
  search_every_minutes: z
    .number()
    .min(0.01)
    .max(60)
    .default(5)
    .describe('A search that finds what a server forgot to announce'),
  look_back_days: z.number().min(1).max(30).default(7).describe('How old a message may be to be looked at'),
  authserv_id: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Only then is the Authentication-Results header believed that your mail server writes: its name there, between "Authentication-Results:" and the first ";" in the source of a message. mx.google.com for Gmail; microsoft for Outlook.com and Microsoft 365, which leave it out. Needed where a provider changes messages, so that DKIM does not verify; see docs/authenticity.md',
    ),
  account: accountName.optional().describe('Directory below the backup directory for the exports of this mailbox'),
});

const browserAddress = z
  .string()
  .refine(
    isSafeBrowserAddress,
    'give an address like http://127.0.0.1:9222, without user, path or ? (http is taken for private addresses, containers and this machine; else https)',
  )
  // As a base to which paths are added.
  .transform((text) => new URL(text).origin);

/** Whoever reads along has the browser, and with it all that its user is signed in to. */
function isSafeBrowserAddress(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, pathname, search, hash } = new URL(text);
  const isBare = username === '' && pathname === '/' && search === '' && hash === '';
  return isBare && (protocol === 'https:' || (protocol === 'http:' && isNearby(hostname)));
}

const login = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('bearer'),
    token_file: path.describe(
      'File with an access token of the account, or auth.json of the Codex CLI; read anew at each use, never written',
    ),
    account_id: z
      .string()
      .regex(/^[A-Za-z0-9._-]{1,200}$/, 'give the id of the account: letters, digits and . _ - only')
      .optional()
      .describe('Of a workspace account, sent as ChatGPT-Account-Id; else the one in auth.json, if that is the file'),
  }),
  z.strictObject({
    type: z.literal('cookies'),
    file: path.describe('cookies.txt in Netscape format, as browser extensions export it; read anew at each use'),
  }),
  z.strictObject({
    type: z.literal('command'),
    command: z
      .array(z.string())
      .min(1)
      .describe('Program and arguments; it prints header fields, a line each. Run at each use. No shell is involved'),
  }),
  z.strictObject({
    type: z.literal('browser'),
    cdp_url: browserAddress
      .default('http://127.0.0.1:9222')
      .describe('Where the DevTools of a Chromium listen in which you are signed in; whoever reaches them is you'),
  }),
]);

const quietHours = z
  .string()
  .refine((text) => readQuietHours(text) !== undefined, 'give a stretch of the day: "22:00-07:00", in quotes');

const notifyEntry = z.union([
  secret.describe('A notification address'),
  z.strictObject({
    url: secret.optional().describe('A notification address'),
    url_file: path.optional().describe('File that holds the address'),
    events: z.array(z.enum(NOTIFICATION_EVENTS)).min(1).optional().describe('Only these; else all'),
    min_level: z
      .enum(['info', 'success', 'warning', 'failure'])
      .optional()
      .describe('Only what is at least as important; that trouble is over counts as a warning'),
    quiet_hours: quietHours
      .optional()
      .describe('In the time zone of the process (TZ): what can wait is held back, and told in one message afterwards'),
  }),
]);

const environmentFile = path
  .optional()
  .describe('File with variables for the program, NAME=value a line: access keys of a cloud, say; read at each use');

const keepCount = z.int().min(1).optional();

const restic = z
  .strictObject({
    repository: z
      .string()
      .regex(/^(\/|[a-z0-9]+:.)/, 'give a repository as restic knows it: /a/path, sftp:…, rest:https://…, s3:…')
      .refine((text) => !/\/\/[^/]*@/.test(text), 'holds a user or a password: put it into a file, as repository_file')
      .optional()
      .describe('As restic knows it: /a/path, sftp:host:/path, rest:https://host/, s3:host/bucket …'),
    repository_file: path.optional().describe('File that holds the repository, if a password is in it'),
    password_file: path.describe('File that holds the password of the repository'),
    environment_file: environmentFile,
    host: z
      .string()
      .regex(
        /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/,
        'use letters, digits and . _ - only, and start with a letter or digit',
      )
      .default('chatkeep')
      .describe('The host name in the repository; another one for each Chatkeep that shares it'),
    keep: z
      .strictObject({
        last: keepCount,
        daily: keepCount,
        weekly: keepCount,
        monthly: keepCount,
        yearly: keepCount,
      })
      .refine((keep) => Object.keys(keep).length > 0, 'name at least one of last, daily, weekly, monthly, yearly')
      .optional()
      .describe('What `restic forget` keeps of the states of the backup directory; all unless set'),
  })
  .describe('The whole backup directory goes into a restic repository');

const rclone = z
  .strictObject({
    remote: z
      .string()
      .regex(
        /^(\/|[\w.+@-][\w.+@ -]*:)/,
        'give a remote of the rclone configuration and a path in it: nas:backups/chatgpt',
      )
      .describe('A remote of the rclone configuration, and a path in it'),
    config_file: path
      .optional()
      .describe('The rclone configuration; rclone has to be able to write it where a service renews its tokens'),
    environment_file: environmentFile,
  })
  .describe('Each snapshot is copied to a remote as it is; nothing there is ever changed or deleted');

const offsiteEntry = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$/, 'use letters, digits and _ - only, and start with a letter or digit')
    .optional()
    .describe('How messages and logs call it; else restic or rclone'),
  restic: restic.optional(),
  rclone: rclone.optional(),
  check_days: z.number().min(0).max(365).default(7).describe('How often what is there is checked; 0: never'),
  check_percent: z.number().gt(0).max(100).default(5).describe('How much of it is read each time'),
  late_days: z.number().positive().max(365).default(3).describe('After how many days without success you are told'),
  time_limit_hours: z.number().positive().max(720).default(24).describe('One run of the program is ended after that'),
});
const heartbeatEntry = z.union([
  secret.describe('A heartbeat address'),
  z.strictObject({
    url: secret.optional().describe('A heartbeat address'),
    url_file: path.optional().describe('File that holds the address'),
  }),
]);

const listenAddress = z
  .string()
  .refine((text) => listenAddressOf(text) !== undefined, 'give host:port, such as 127.0.0.1:8080 or [::1]:8080')
  .transform((text) => listenAddressOf(text) ?? { host: '', port: 0 });

/** `host:port`, IPv6 in brackets; undefined if it is something else. */
export function listenAddressOf(text: string): { host: string; port: number } | undefined {
  const [, host, port] = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):(\d{1,5})$/.exec(text) ?? [];
  if (host === undefined || Number(port) > 65_535) return undefined;
  return { host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) };
}

const header = z
  .string()
  .regex(/^[A-Za-z0-9-]{1,100}$/, 'give the name of a header, such as Remote-User')
  // Whoever has to do with them puts them into every request.
  .refine(
    (name) => !/^(host|cookie|origin|authorization|connection|content-.*|sec-.*|accept.*|user-agent)$/i.test(name),
    'is a header of browsers: give one that your reverse proxy sets, such as Remote-User',
  );

const addressRange = z
  .string()
  .refine(isAddressRange, 'give an address or a range of addresses: 172.18.0.5, 172.18.0.0/16 or fd00::/8');

/** Of all addresses there are, a range says nothing. */
function isAddressRange(text: string): boolean {
  return ipaddr.isValid(text) || (ipaddr.isValidCIDR(text) && ipaddr.parseCIDR(text)[1] > 0);
}

const publicAddress = z
  .string()
  .refine(isPublicAddress, 'give an address without a path: https://chatkeep.example.org')
  .transform((text) => new URL(text).origin);

function isPublicAddress(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || !['http:', 'https:'].includes(url.protocol)) return false;
  return url.href === `${url.origin}/`;
}

const hostName = z
  .string()
  .regex(
    /^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$/,
    'give a name without port: nas.local',
  )
  .transform((name) => name.toLowerCase());

const web = z
  .strictObject({
    listen: listenAddress.optional().describe('Where the page is served, as host:port; 127.0.0.1:8788 unless set'),
    password: secret.optional().describe('To sign in with. Better: password_file'),
    password_file: path.optional().describe('File that holds the password; the line end is cut off'),
    proxies: z
      .array(addressRange)
      .default([])
      .describe(
        'Addresses of reverse proxies in front; X-Forwarded-For and X-Forwarded-Proto are believed from these alone',
      ),
    trusted_header: header
      .optional()
      .describe('Header with the name of who has signed in at a reverse proxy; believed from `proxies` alone'),
    url: publicAddress.optional().describe('Address under which people open the page: https://chatkeep.example.org'),
    hosts: z
      .array(hostName)
      .default([])
      .describe('Further names of this machine under which the page is opened; IP addresses and localhost are known'),
  })
  .describe('The web page; off until there is a way to sign in. See docs/how-to/web-page.md');

const ORIGIN_WANTED = 'give an origin: https://host or https://host:port, without a path';

const remindHoursLeft = z
  .array(z.number().gt(0).lt(24))
  .refine(
    (hours) => hours.every((left, index) => index === 0 || left < (hours[index - 1] ?? 0)),
    'give hours in descending order, each once: [12, 6, 1]',
  );

const origin = z
  .string()
  .regex(/^https:\/\/[^/?#@\s]+$/, ORIGIN_WANTED)
  .refine((text) => URL.parse(text)?.pathname === '/', ORIGIN_WANTED);

export const configSchema = z.strictObject({
  backup_dir: path.describe('Where snapshots are kept'),
  state_dir: path.describe('Where work in progress and the journal are kept; can be lost without losing a snapshot'),
  drop_dir: path
    .optional()
    .describe('ZIP files and unpacked exports put in here are taken in as if they had been downloaded'),
  account: accountName.optional(),
  mailboxes: z.array(mailbox).default([]).describe('The mailboxes that are watched'),
  notices: z
    .strictObject({
      authenticity: z
        .enum(['require', 'warn', 'off'])
        .default('require')
        .describe('What is asked of a message before its link is followed: proof by DKIM or Authentication-Results'),
      dns_servers: z
        .array(dnsServer)
        .default([])
        .describe('DNS servers for DKIM keys, as address or address:port; else those of the system'),
      started_reminder_days: z
        .array(z.number().positive().max(30))
        .max(5)
        .refine((days) => days.every((each, index) => each > (days[index - 1] ?? 0)), 'put them in ascending order')
        .default([3, 7])
        .describe('How many days after an export was asked for you are told that it has not come; [] for never'),
    })
    .prefault({})
    .describe('How export notices are recognised'),
  download: z
    .strictObject({
      logins: z.array(login).default([]).describe('Tried in this order'),
      check_logins_hours: z
        .number()
        .min(0)
        .max(168)
        .default(24)
        .describe('How often the logins are tried out before they are needed; 0: never'),
      extra_origins: z
        .array(origin)
        .default([])
        .describe(
          'Origins that links may lead to beside those of OpenAI, private addresses included. For tests and proxies',
        ),
      ca_file: path.optional().describe('PEM file of an authority to trust for downloads, beside the system roots'),
      stall_seconds: z
        .number()
        .min(1)
        .max(3600)
        .default(60)
        .describe('A download that brings no byte for this long is broken off and gone on with'),
      connections: z
        .int()
        .min(1)
        .max(8)
        .default(4)
        .describe('How many parts of one export are fetched at once, where the server gives out parts'),
      max_mb_per_second: z
        .number()
        .min(0.01)
        .optional()
        .describe('What all downloads together may take of the line, in units of 10^6 bytes; else without a limit'),
      remind_hours_left: remindHoursLeft
        .default([12, 6, 1])
        .describe(
          'How many hours before a link dies you are reminded of an export that cannot be fetched; [] for never',
        ),
    })
    .prefault({})
    .describe('How exports are fetched'),
  archive: z
    .strictObject({
      max_entries: z.int().min(1).default(2_000_000).describe('Files in one archive'),
      max_unpacked_gb: z.number().positive().default(500).describe('In units of 10^9 bytes'),
      max_ratio: z.number().min(2).default(200).describe('Unpacked size over packed size, of the whole archive'),
    })
    .prefault({})
    .describe('Limits on what an archive may hold; one that exceeds them is refused and kept aside'),
  offsite: z
    .array(offsiteEntry)
    .default([])
    .describe('Where copies go after each snapshot; see docs/how-to/offsite.md'),
  verify: z
    .strictObject({
      every_days: z.number().min(0).max(365).default(7).describe('How often a part of the snapshots is read; 0: never'),
      sample_percent: z
        .number()
        .gt(0)
        .max(100)
        .default(25)
        .describe('How much of all bytes is read each time, going on where the last sample ended'),
    })
    .prefault({})
    .describe('Whether what was kept is still what it was; see docs/how-to/verify-and-restore.md'),
  keep: z
    .strictObject({
      last: keepCount.describe('The newest ones'),
      daily: keepCount.describe('The newest of each of that many days that have one'),
      weekly: keepCount.describe('The newest of each of that many weeks that have one'),
      monthly: keepCount.describe('The newest of each of that many months that have one'),
      yearly: keepCount.describe('The newest of each of that many years that have one'),
    })
    .prefault({})
    .describe('Which snapshots of an account `chatkeep prune` keeps; all, unless set. See docs/how-to/retention.md'),
  prune: z
    .enum(['by_hand', 'after_commit'])
    .default('by_hand')
    .describe(
      'after_commit: the service deletes what `keep` lets go and newer snapshots hold, after each new snapshot',
    ),
  reminder: z
    .strictObject({
      after_days: z
        .number()
        .min(0)
        .max(365)
        .default(30)
        .describe('After how many days without a new snapshot you are reminded of asking for an export; 0 for never'),
      again_days: z.number().min(1).max(365).default(7).describe('How many days later you are reminded again'),
      except: z
        .array(accountName)
        .default([])
        .describe('Accounts (directories below the backup directory) that you are not reminded of'),
    })
    .prefault({})
    .describe('Exports have to be asked for by hand: when you are reminded of it'),
  disk: z
    .strictObject({
      warn_free_percent: z
        .number()
        .min(0)
        .max(90)
        .default(0)
        .describe(
          'You are told when less than this share of a disk is free; 0: only when exports will not fit any more',
        ),
    })
    .prefault({})
    .describe('The free space on the disks of backup_dir and state_dir is watched'),
  notify: z.array(notifyEntry).default([]).describe('Who is told; see docs/reference/notifications.md'),
  heartbeat: z
    .strictObject({
      service: z
        .array(heartbeatEntry)
        .default([])
        .describe('Told again and again that the service lives and speaks with its mailboxes, or what is wrong'),
      captures: z
        .array(heartbeatEntry)
        .default([])
        .describe('Told when the capture of an export begins, and whether it came to a snapshot'),
      every_minutes: z.number().min(0.1).max(1440).default(5).describe('How often `service` is told'),
    })
    .prefault({})
    .describe('Machines that watch over Chatkeep: healthchecks.io, Uptime Kuma; see docs/how-to/monitoring.md'),
  listen: listenAddress
    .optional()
    .describe('Where /healthz, /readyz and /metrics are served, as host:port; nowhere unless set'),
  web: web.optional(),
  log: z
    .strictObject({
      level: z.enum(LOG_LEVELS).default('info').describe('The least important level that is logged'),
      format: z
        .enum(['auto', 'json', 'pretty'])
        .default('auto')
        .describe('auto: pretty on a terminal, else JSON lines'),
    })
    .prefault({})
    .describe('The log, on standard output'),
});

type CamelCase<S extends string> = S extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : S;

/** The same shape with camelCase keys, deeply, and read-only. */
export type CamelCased<T> = T extends Secret
  ? T
  : T extends readonly (infer Item)[]
    ? readonly CamelCased<Item>[]
    : T extends object
      ? { readonly [K in keyof T as K extends string ? CamelCase<K> : K]: CamelCased<T[K]> }
      : T;

/** The whole configuration, as the program uses it: read, checked, complete, frozen. */
export type Config = CamelCased<ResolvedConfig>;

/** After the loader has read the files that `*_file` keys of secrets name. */
type ResolvedConfig = Omit<z.output<typeof configSchema>, 'mailboxes' | 'offsite' | 'notify' | 'heartbeat' | 'web'> & {
  mailboxes: ResolvedMailbox[];
  offsite: ResolvedOffsite[];
  notify: ResolvedNotify[];
  heartbeat: { service: Secret[]; captures: Secret[]; every_minutes: number };
  web?: ResolvedWeb;
};

/** The page, if it is on. Without a password and a trusted header, it is open to whoever is on this machine. */
export type ResolvedWeb = Omit<z.output<typeof web>, 'listen' | 'password' | 'password_file'> & {
  listen: { host: string; port: number };
  password?: Secret;
};

/** An address, and what is to be brought to it. */
export type ResolvedNotify = Omit<Exclude<z.output<typeof notifyEntry>, Secret>, 'url' | 'url_file'> & { url: Secret };

export type ResolvedMailbox = Omit<
  z.output<typeof mailbox>,
  'password' | 'password_file' | 'password_command' | 'oauth2' | 'name' | 'port'
> & { name: string; port: number } & ResolvedSignIn;

/** Exactly one way to sign in. */
export type ResolvedSignIn =
  | { password: Secret; password_command?: undefined; oauth2?: undefined }
  | { password_command: string[]; password?: undefined; oauth2?: undefined }
  | { oauth2: ResolvedOAuth2; password?: undefined; password_command?: undefined };

export type ResolvedOAuth2 = Omit<z.output<typeof oauth2>, 'client_secret' | 'client_secret_file' | 'token_file'> & {
  client_secret?: Secret;
  token_file: string;
};

type ParsedOffsite = z.output<typeof offsiteEntry>;

/** With a name, and exactly one program. */
export type ResolvedOffsite = Omit<ParsedOffsite, 'name' | 'restic' | 'rclone'> & { name: string } & (
    | { restic: z.output<typeof restic>; rclone?: undefined }
    | { rclone: z.output<typeof rclone>; restic?: undefined }
  );

export type WebConfig = NonNullable<Config['web']>;
export type NotifyConfig = Config['notify'][number];
export type MailboxConfig = Config['mailboxes'][number];
/** How one signs in to a mailbox. */
export type MailboxSignIn = CamelCased<ResolvedSignIn>;
/** What is done to an email whose export is a snapshot. */
export type AfterCommitConfig = NonNullable<MailboxConfig['afterCommit']>;
export type OAuth2Config = NonNullable<MailboxConfig['oauth2']>;
export type LoginConfig = Config['download']['logins'][number];
/** A place where copies go. */
export type OffsiteConfig = Config['offsite'][number];
export type ResticConfig = NonNullable<OffsiteConfig['restic']>;
export type RcloneConfig = NonNullable<OffsiteConfig['rclone']>;
