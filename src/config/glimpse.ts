import * as z from 'zod';

const text = z.string().min(1).optional().catch(undefined);

const mailbox = z.object({
  name: text,
  host: text,
  security: text,
  user: text,
  password: text,
  password_file: text,
  password_command: z.unknown().optional(),
  oauth2: z.object({ client_secret: text, client_secret_file: text }).optional().catch({}),
  ca_file: text,
  fingerprint_sha256: text,
});

const notifyEntry = z.union([
  z.string().transform((url) => ({ url, url_file: undefined })),
  z.object({ url: text, url_file: text }),
]);

const web = z
  .object({
    listen: text,
    password: text,
    password_file: text,
    proxies: z.array(z.unknown()).catch([]),
    trusted_header: text,
  })
  .optional()
  .catch(undefined);

const offsiteEntry = z.object({
  name: text,
  restic: z
    .object({ repository: text, repository_file: text, password_file: text, environment_file: text })
    .optional()
    .catch(undefined),
  rclone: z.object({ remote: text, config_file: text, environment_file: text }).optional().catch(undefined),
});
const heartbeatEntries = z
  .array(
    z
      .union([z.string().transform((url) => ({ url, url_file: undefined })), z.object({ url: text, url_file: text })])
      .catch({ url: undefined, url_file: undefined }),
  )
  .catch([]);

/**
 * What can be seen of a configuration that may be wrong in other places: it never fails, and leaves out what is not as
 * it should be. The checks beyond the schema work on it, so that one run tells of every problem.
 */
const glimpseSchema = z.object({
  backup_dir: text,
  state_dir: text,
  drop_dir: text,
  mailboxes: z.array(mailbox.catch({})).catch([]),
  notices: z.object({ authenticity: text }).catch({}),
  download: z
    .object({
      ca_file: text,
      extra_origins: z.array(z.string()).catch([]),
      logins: z.array(z.object({ token_file: text, file: text }).catch({})).catch([]),
    })
    .catch({ extra_origins: [], logins: [] }),
  offsite: z.array(offsiteEntry.catch({})).catch([]),
  keep: z.record(z.string(), z.unknown()).catch({}),
  prune: text,
  heartbeat: z.object({ service: heartbeatEntries, captures: heartbeatEntries }).catch({ service: [], captures: [] }),
  listen: text,
  web,
  notify: z.array(notifyEntry.catch({ url: undefined, url_file: undefined })).catch([]),
});

export type Glimpse = z.output<typeof glimpseSchema>;

/** @param tree a draft's tree, whatever is in it */
export function glimpseOf(tree: unknown): Glimpse {
  return glimpseSchema.parse(tree);
}
