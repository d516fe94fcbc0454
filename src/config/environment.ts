import { nearest } from '../lib/nearest.ts';
import { type Draft, formatKey, type KeyPath, valueAt } from './draft.ts';
import type { Findings } from './findings.ts';
import { absolutePath } from './paths.ts';
import { readSecretFile } from './secret-file.ts';

/** How the text of a variable becomes the value of its key. */
type Kind =
  /** As it stands. */
  | 'text'
  | 'number'
  /** Relative to the working directory. */
  | 'path'
  /** Separated by commas. */
  | 'list'
  /** Numbers, separated by commas. */
  | 'numbers'
  /** Separated by white space. */
  | 'words'
  /** A file with one entry a line; empty lines and lines that begin with # do not count. */
  | 'lines-of-file'
  /** A setting of an entry of `download.logins`; see {@link Variable.login}. */
  | 'login';

export interface Variable {
  readonly name: string;
  readonly key: KeyPath;
  readonly kind: Kind;
  /** The login that it makes or changes, and what it sets there: variables of one type make one login. */
  readonly login?: { readonly type: string; readonly key: string; readonly kind: 'text' | 'path' | 'words' };
  /** Keys of the file that say the same in another way, and no longer count. */
  readonly displaces?: readonly KeyPath[];
}

const MAILBOX = ['mailboxes', 0] as const;
const OAUTH2 = [...MAILBOX, 'oauth2'] as const;

const PASSWORD_KEYS = ['password', 'password_file', 'password_command'].map((key) => [...MAILBOX, key]);
const SIGN_IN_KEYS = [...PASSWORD_KEYS, OAUTH2];

/** Names the file; see {@link readConfigFile}. */
export const CONFIG_VARIABLE = 'CHATKEEP_CONFIG';

/** Every variable that sets a key. CHATKEEP_IMAP_* speak of the one mailbox. */
export const VARIABLES: readonly Variable[] = [
  { name: 'CHATKEEP_BACKUP_DIR', key: ['backup_dir'], kind: 'path' },
  { name: 'CHATKEEP_STATE_DIR', key: ['state_dir'], kind: 'path' },
  { name: 'CHATKEEP_DROP_DIR', key: ['drop_dir'], kind: 'path' },
  { name: 'CHATKEEP_ACCOUNT', key: ['account'], kind: 'text' },
  { name: 'CHATKEEP_IMAP_NAME', key: [...MAILBOX, 'name'], kind: 'text' },
  { name: 'CHATKEEP_IMAP_HOST', key: [...MAILBOX, 'host'], kind: 'text' },
  { name: 'CHATKEEP_IMAP_PORT', key: [...MAILBOX, 'port'], kind: 'number' },
  { name: 'CHATKEEP_IMAP_SECURITY', key: [...MAILBOX, 'security'], kind: 'text' },
  { name: 'CHATKEEP_IMAP_CA_FILE', key: [...MAILBOX, 'ca_file'], kind: 'path' },
  { name: 'CHATKEEP_IMAP_FINGERPRINT_SHA256', key: [...MAILBOX, 'fingerprint_sha256'], kind: 'text' },
  { name: 'CHATKEEP_IMAP_USER', key: [...MAILBOX, 'user'], kind: 'text' },
  {
    name: 'CHATKEEP_IMAP_PASSWORD',
    key: [...MAILBOX, 'password'],
    kind: 'text',
    displaces: SIGN_IN_KEYS,
  },
  {
    name: 'CHATKEEP_IMAP_PASSWORD_FILE',
    key: [...MAILBOX, 'password_file'],
    kind: 'path',
    displaces: SIGN_IN_KEYS,
  },
  {
    name: 'CHATKEEP_IMAP_PASSWORD_COMMAND',
    key: [...MAILBOX, 'password_command'],
    kind: 'words',
    displaces: SIGN_IN_KEYS,
  },
  {
    name: 'CHATKEEP_IMAP_OAUTH2_PROVIDER',
    key: [...OAUTH2, 'provider'],
    kind: 'text',
    displaces: PASSWORD_KEYS,
  },
  { name: 'CHATKEEP_IMAP_OAUTH2_CLIENT_ID', key: [...OAUTH2, 'client_id'], kind: 'text', displaces: PASSWORD_KEYS },
  {
    name: 'CHATKEEP_IMAP_OAUTH2_CLIENT_SECRET',
    key: [...OAUTH2, 'client_secret'],
    kind: 'text',
    displaces: [[...OAUTH2, 'client_secret_file']],
  },
  {
    name: 'CHATKEEP_IMAP_OAUTH2_CLIENT_SECRET_FILE',
    key: [...OAUTH2, 'client_secret_file'],
    kind: 'path',
    displaces: [[...OAUTH2, 'client_secret']],
  },
  { name: 'CHATKEEP_IMAP_OAUTH2_TENANT', key: [...OAUTH2, 'tenant'], kind: 'text' },
  { name: 'CHATKEEP_IMAP_OAUTH2_TOKEN_FILE', key: [...OAUTH2, 'token_file'], kind: 'path' },
  { name: 'CHATKEEP_IMAP_FOLDERS', key: [...MAILBOX, 'folders'], kind: 'list' },
  { name: 'CHATKEEP_IMAP_SEARCH_EVERY_MINUTES', key: [...MAILBOX, 'search_every_minutes'], kind: 'number' },
  { name: 'CHATKEEP_IMAP_LOOK_BACK_DAYS', key: [...MAILBOX, 'look_back_days'], kind: 'number' },
  { name: 'CHATKEEP_IMAP_AUTHSERV_ID', key: [...MAILBOX, 'authserv_id'], kind: 'text' },
  { name: 'CHATKEEP_NOTICES_AUTHENTICITY', key: ['notices', 'authenticity'], kind: 'text' },
  { name: 'CHATKEEP_NOTICES_DNS_SERVERS', key: ['notices', 'dns_servers'], kind: 'list' },
  { name: 'CHATKEEP_NOTICES_STARTED_REMINDER_DAYS', key: ['notices', 'started_reminder_days'], kind: 'numbers' },
  loginVariable('CHATKEEP_DOWNLOAD_BEARER_TOKEN_FILE', { type: 'bearer', key: 'token_file', kind: 'path' }),
  loginVariable('CHATKEEP_DOWNLOAD_BEARER_ACCOUNT_ID', { type: 'bearer', key: 'account_id', kind: 'text' }),
  loginVariable('CHATKEEP_DOWNLOAD_COOKIES_FILE', { type: 'cookies', key: 'file', kind: 'path' }),
  loginVariable('CHATKEEP_DOWNLOAD_BROWSER_URL', { type: 'browser', key: 'cdp_url', kind: 'text' }),
  loginVariable('CHATKEEP_DOWNLOAD_LOGIN_COMMAND', { type: 'command', key: 'command', kind: 'words' }),
  { name: 'CHATKEEP_DOWNLOAD_CHECK_LOGINS_HOURS', key: ['download', 'check_logins_hours'], kind: 'number' },
  { name: 'CHATKEEP_DOWNLOAD_CONNECTIONS', key: ['download', 'connections'], kind: 'number' },
  { name: 'CHATKEEP_DOWNLOAD_MAX_MB_PER_SECOND', key: ['download', 'max_mb_per_second'], kind: 'number' },
  { name: 'CHATKEEP_DOWNLOAD_EXTRA_ORIGINS', key: ['download', 'extra_origins'], kind: 'list' },
  { name: 'CHATKEEP_DOWNLOAD_CA_FILE', key: ['download', 'ca_file'], kind: 'path' },
  { name: 'CHATKEEP_DOWNLOAD_STALL_SECONDS', key: ['download', 'stall_seconds'], kind: 'number' },
  { name: 'CHATKEEP_DOWNLOAD_REMIND_HOURS_LEFT', key: ['download', 'remind_hours_left'], kind: 'numbers' },
  { name: 'CHATKEEP_ARCHIVE_MAX_ENTRIES', key: ['archive', 'max_entries'], kind: 'number' },
  { name: 'CHATKEEP_ARCHIVE_MAX_UNPACKED_GB', key: ['archive', 'max_unpacked_gb'], kind: 'number' },
  { name: 'CHATKEEP_ARCHIVE_MAX_RATIO', key: ['archive', 'max_ratio'], kind: 'number' },
  { name: 'CHATKEEP_VERIFY_EVERY_DAYS', key: ['verify', 'every_days'], kind: 'number' },
  { name: 'CHATKEEP_VERIFY_SAMPLE_PERCENT', key: ['verify', 'sample_percent'], kind: 'number' },
  { name: 'CHATKEEP_KEEP_LAST', key: ['keep', 'last'], kind: 'number' },
  { name: 'CHATKEEP_KEEP_DAILY', key: ['keep', 'daily'], kind: 'number' },
  { name: 'CHATKEEP_KEEP_WEEKLY', key: ['keep', 'weekly'], kind: 'number' },
  { name: 'CHATKEEP_KEEP_MONTHLY', key: ['keep', 'monthly'], kind: 'number' },
  { name: 'CHATKEEP_KEEP_YEARLY', key: ['keep', 'yearly'], kind: 'number' },
  { name: 'CHATKEEP_PRUNE', key: ['prune'], kind: 'text' },
  { name: 'CHATKEEP_REMINDER_AFTER_DAYS', key: ['reminder', 'after_days'], kind: 'number' },
  { name: 'CHATKEEP_REMINDER_AGAIN_DAYS', key: ['reminder', 'again_days'], kind: 'number' },
  { name: 'CHATKEEP_REMINDER_EXCEPT', key: ['reminder', 'except'], kind: 'list' },
  { name: 'CHATKEEP_DISK_WARN_FREE_PERCENT', key: ['disk', 'warn_free_percent'], kind: 'number' },
  { name: 'CHATKEEP_NOTIFY', key: ['notify'], kind: 'words' },
  { name: 'CHATKEEP_NOTIFY_FILE', key: ['notify'], kind: 'lines-of-file' },
  { name: 'CHATKEEP_HEARTBEAT', key: ['heartbeat', 'service'], kind: 'words' },
  { name: 'CHATKEEP_HEARTBEAT_FILE', key: ['heartbeat', 'service'], kind: 'lines-of-file' },
  { name: 'CHATKEEP_HEARTBEAT_CAPTURES', key: ['heartbeat', 'captures'], kind: 'words' },
  { name: 'CHATKEEP_HEARTBEAT_CAPTURES_FILE', key: ['heartbeat', 'captures'], kind: 'lines-of-file' },
  { name: 'CHATKEEP_HEARTBEAT_EVERY_MINUTES', key: ['heartbeat', 'every_minutes'], kind: 'number' },
  { name: 'CHATKEEP_LISTEN', key: ['listen'], kind: 'text' },
  { name: 'CHATKEEP_WEB_LISTEN', key: ['web', 'listen'], kind: 'text' },
  {
    name: 'CHATKEEP_WEB_PASSWORD',
    key: ['web', 'password'],
    kind: 'text',
    displaces: [['web', 'password_file']],
  },
  {
    name: 'CHATKEEP_WEB_PASSWORD_FILE',
    key: ['web', 'password_file'],
    kind: 'path',
    displaces: [['web', 'password']],
  },
  { name: 'CHATKEEP_WEB_PROXIES', key: ['web', 'proxies'], kind: 'list' },
  { name: 'CHATKEEP_WEB_TRUSTED_HEADER', key: ['web', 'trusted_header'], kind: 'text' },
  { name: 'CHATKEEP_WEB_URL', key: ['web', 'url'], kind: 'text' },
  { name: 'CHATKEEP_WEB_HOSTS', key: ['web', 'hosts'], kind: 'list' },
  { name: 'CHATKEEP_LOG_LEVEL', key: ['log', 'level'], kind: 'text' },
  { name: 'CHATKEEP_LOG_FORMAT', key: ['log', 'format'], kind: 'text' },
];

function loginVariable(name: string, login: NonNullable<Variable['login']>): Variable {
  return { name, key: ['download', 'logins'], kind: 'login', login };
}

/** The variable that sets a key, if there is one. */
export function variableFor(path: KeyPath): string | undefined {
  return VARIABLES.find(({ key }) => formatKey(key) === formatKey(path))?.name;
}

/** The text of a variable; an empty one counts as not set, since compose files leave such variables behind. */
export function settingOf(env: NodeJS.ProcessEnv, name: string): string | undefined {
  const text = env[name];
  return text === undefined || text.trim() === '' ? undefined : text;
}

/**
 * Lays the environment over the draft. What is wrong goes into `findings`.
 *
 * @param hasFile whether there is a file; if not, messages name variables rather than keys of the file
 * @returns the names of the variables that set something
 */
export async function applyEnvironment(
  draft: Draft,
  env: NodeJS.ProcessEnv,
  { hasFile, cwd }: { hasFile: boolean; cwd: string },
  findings: Findings,
): Promise<string[]> {
  reportUnknown(env, findings);
  const present = VARIABLES.filter(({ name }) => settingOf(env, name) !== undefined);
  reportDoubled(present, findings);
  const applicable = withoutAmbiguousMailbox(present, draft, findings);
  if (!hasFile) nameByVariables(VARIABLES, draft);
  else if (mailboxCount(draft) === 0 && applicable.some(isOfMailbox))
    nameByVariables(VARIABLES.filter(isOfMailbox), draft);
  for (const key of applicable.flatMap(({ displaces }) => displaces ?? [])) draft.remove(key);
  for (const variable of applicable) {
    await apply(variable, settingOf(env, variable.name) ?? '', draft, cwd, findings);
  }
  await applyLogins(applicable, env, draft, cwd, findings);
  for (const name of ['CHATKEEP_IMAP_PASSWORD', 'CHATKEEP_WEB_PASSWORD']) {
    if (settingOf(env, name) === undefined) continue;
    findings.warning(
      `${name}: a password in the environment is seen by whoever may inspect the process or container: put it in a file and set ${name}_FILE`,
    );
  }
  return applicable.map(({ name }) => name);
}

function reportUnknown(env: NodeJS.ProcessEnv, findings: Findings): void {
  const known = [CONFIG_VARIABLE, ...VARIABLES.map(({ name }) => name)];
  for (const name of Object.keys(env)) {
    if (!name.startsWith('CHATKEEP_') || known.includes(name) || settingOf(env, name) === undefined) continue;
    const guess = nearest(name, known);
    findings.problem(
      `unknown variable ${name}: ${guess === undefined ? 'config/chatkeep.example.yaml names those there are' : `did you mean ${guess}?`}`,
    );
  }
}

function reportDoubled(present: readonly Variable[], findings: Findings): void {
  const names = present.map(({ name }) => name);
  for (const name of names) {
    if (names.includes(`${name}_FILE`)) findings.problem(`both ${name} and ${name}_FILE are set: set one`);
  }
}

function isOfMailbox({ key }: Variable): boolean {
  return key[0] === MAILBOX[0];
}

function mailboxCount(draft: Draft): number {
  const mailboxes = valueAt(draft.tree, ['mailboxes']);
  return Array.isArray(mailboxes) ? mailboxes.length : 0;
}

function withoutAmbiguousMailbox(present: Variable[], draft: Draft, findings: Findings): Variable[] {
  const mailboxes = mailboxCount(draft);
  const concerned = present.filter(isOfMailbox);
  if (mailboxes < 2 || concerned.length === 0) return present;
  findings.problem(
    `${concerned.map(({ name }) => name).join(', ')}: the file has ${mailboxes} mailboxes, and the environment can speak of one only: put these settings in the file`,
  );
  return present.filter((variable) => !isOfMailbox(variable));
}

function nameByVariables(variables: readonly Variable[], draft: Draft): void {
  for (const { key, name, kind } of variables) {
    if (kind !== 'lines-of-file' && kind !== 'login') draft.call(key, name);
  }
}

async function apply(variable: Variable, text: string, draft: Draft, cwd: string, findings: Findings): Promise<void> {
  const value = await parse(variable, text, cwd, findings);
  if (value !== undefined) draft.set(variable.key, value, variable.name);
}

async function parse(
  { name, kind }: Pick<Variable, 'name' | 'kind'>,
  text: string,
  cwd: string,
  findings: Findings,
): Promise<unknown> {
  switch (kind) {
    case 'text':
      return text;
    case 'number':
    case 'numbers': {
      const numbers = (kind === 'number' ? [text] : partsOf(text, ',')).map(Number);
      if (numbers.every(Number.isFinite)) return kind === 'number' ? numbers[0] : numbers;
      findings.problem(`${name}: must be ${kind === 'number' ? 'a number' : 'numbers, separated by commas'}`);
      return undefined;
    }
    case 'path':
      return absolutePath(text, cwd);
    case 'list':
      return partsOf(text, ',');
    case 'words':
      return partsOf(text, /\s+/);
    case 'lines-of-file': {
      const content = await readSecretFile(name, absolutePath(text, cwd), findings);
      return content === undefined ? undefined : partsOf(content, /\r?\n/).filter((line) => !line.startsWith('#'));
    }
    case 'login':
      return undefined;
  }
}

function partsOf(text: string, separator: string | RegExp): string[] {
  return text
    .split(separator)
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** Logins of the environment take the place of all those of the file. */
async function applyLogins(
  variables: readonly Variable[],
  env: NodeJS.ProcessEnv,
  draft: Draft,
  cwd: string,
  findings: Findings,
): Promise<void> {
  const settings = variables.flatMap(({ name, login }) => (login === undefined ? [] : [{ name, ...login }]));
  const types = [...new Set(settings.map(({ type }) => type))];
  if (types.length === 0) return;
  draft.set(['download', 'logins'], [], 'download.logins');
  for (const [index, type] of types.entries()) {
    const at = ['download', 'logins', index] as const;
    // What one of them lacks is called by the variable that would set it.
    for (const { name, login } of VARIABLES) if (login?.type === type) draft.call([...at, login.key], name);
    draft.set([...at, 'type'], type, 'download.logins');
    for (const { name, key, kind } of settings.filter((setting) => setting.type === type)) {
      draft.set([...at, key], await parse({ name, kind }, settingOf(env, name) ?? '', cwd, findings), name);
    }
  }
}
