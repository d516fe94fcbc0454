import { stat } from 'node:fs/promises';
import { cwd as processDirectory } from 'node:process';
import type { z } from 'zod';
import { Secret } from '../lib/secret.ts';
import { checkWhole } from './checks.ts';
import { Draft, type KeyPath, valueAt } from './draft.ts';
import { applyEnvironment, CONFIG_VARIABLE, settingOf } from './environment.ts';
import { type ConfigFile, DEFAULT_CONFIG_PATH, readConfigFile } from './file.ts';
import { Findings } from './findings.ts';
import { glimpseOf } from './glimpse.ts';
import { describeIssues } from './issues.ts';
import { completedOffsite } from './offsite.ts';
import { absolutePath, defaultStateDirectory, defaultTokenFile, isPathKey } from './paths.ts';
import { type Config, configSchema, type ResolvedNotify, type ResolvedOAuth2, type ResolvedSignIn } from './schema.ts';
import { warnIfOthersCanRead } from './secret-file.ts';
import { gatherSecrets, type Secrets } from './secrets.ts';
import { camelCased, deepFrozen } from './shape.ts';
import { completedWeb } from './web.ts';

/** What a flag of the command line can set: key → value. Stronger than the environment. */
export type ConfigOverrides = Partial<Record<OverridableKey, string>>;
type OverridableKey = 'backup_dir' | 'state_dir' | 'drop_dir' | 'account' | 'log.level' | 'log.format';

export interface LoadOptions {
  /** The file, from `--config`; else CHATKEEP_CONFIG, else the default path if there is something. */
  readonly path?: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  readonly overrides?: ConfigOverrides;
  /** What relative paths of the environment and the command line are relative to; else the working directory. */
  readonly cwd?: string;
  /** Else /config/chatkeep.yaml. */
  readonly defaultPath?: string;
  /** What is wrong with a notification address, as half a sentence without secrets; undefined if nothing is. */
  readonly checkAddress?: (address: Secret) => string | undefined;
  /** The same for a heartbeat address. */
  readonly checkHeartbeat?: (address: Secret) => string | undefined;
}

export interface LoadedConfig {
  /** Deeply frozen. */
  readonly config: Config;
  /** Where the settings come from, weakest first. */
  readonly sources: {
    readonly file: string | undefined;
    /** Names of the environment variables that set something. */
    readonly environment: readonly string[];
    /** The flags that set something: `--backup-dir`. */
    readonly commandLine: readonly string[];
  };
  /** Things that work and that the user should know of, a line each. */
  readonly warnings: readonly string[];
}

/**
 * Gathers the configuration: defaults, then the YAML file, then the environment, then the command line, each stronger
 * than the one before; reads the files that hold secrets; checks the whole.
 *
 * @throws ChatkeepError `config` that lists every problem, a line each, with the key or variable as the user wrote it
 */
export async function loadConfig(options: LoadOptions): Promise<LoadedConfig> {
  const { env, overrides = {}, cwd = processDirectory(), defaultPath = DEFAULT_CONFIG_PATH } = options;
  const findings = new Findings();
  const environmentPath = settingOf(env, CONFIG_VARIABLE);
  const file = await readConfigFile({ path: options.path, environmentPath, defaultPath, cwd }, findings);
  await warnOfOpenFile(file, findings);

  const draft = new Draft(file.tree ?? {});
  const environment = await applyEnvironment(draft, env, { hasFile: file.path !== undefined, cwd }, findings);
  // What an unusable file would have said cannot be called missing.
  if (file.tree === undefined) findings.throwIfProblems();
  const commandLine = applyOverrides(draft, overrides, cwd);
  if (valueAt(draft.tree, ['state_dir']) === undefined) {
    draft.set(['state_dir'], defaultStateDirectory(env), 'state_dir (by default)');
  }

  const glimpse = glimpseOf(draft.tree);
  const checked = configSchema.safeParse(draft.tree);
  const issues = checked.error?.issues ?? [];
  for (const line of describeIssues(issues, draft)) findings.problem(line);
  const secrets = await gatherSecrets(glimpse, draft, issues, findings);
  checkAddresses(['notify'], secrets.addresses, options.checkAddress, draft, findings);
  for (const about of ['service', 'captures'] as const) {
    checkAddresses(['heartbeat', about], secrets.heartbeat[about], options.checkHeartbeat, draft, findings);
  }
  await checkWhole(glimpse, draft, findings);
  findings.throwIfProblems();

  return {
    config: deepFrozen(camelCased(completed(configSchema.parse(draft.tree), secrets))),
    sources: { file: file.path, environment, commandLine },
    warnings: findings.warnings,
  };
}

async function warnOfOpenFile({ path, tree }: ConfigFile, findings: Findings): Promise<void> {
  const { mailboxes, notify, heartbeat, web } = glimpseOf(tree ?? {});
  const holdsSecrets =
    web?.password !== undefined ||
    mailboxes.some(({ password, oauth2 }) => (password ?? oauth2?.client_secret) !== undefined) ||
    [...notify, ...heartbeat.service, ...heartbeat.captures].some(({ url }) => url);
  if (path !== undefined && holdsSecrets) {
    warnIfOthersCanRead('the configuration holds secrets', path, (await stat(path)).mode, findings);
  }
}

function checkAddresses(
  key: KeyPath,
  addresses: Secrets['addresses'],
  check: LoadOptions['checkAddress'],
  draft: Draft,
  findings: Findings,
): void {
  for (const [index, address] of addresses.entries()) {
    const problem = address === undefined ? undefined : check?.(address);
    if (problem !== undefined) findings.problem(`${draft.nameOf(key)}, address ${index + 1}: ${problem}`);
  }
}

function applyOverrides(draft: Draft, overrides: ConfigOverrides, cwd: string): string[] {
  return Object.entries(overrides).map(([key, value]) => {
    const flag = `--${key.replace(/[._]/g, '-')}`;
    draft.set(key.split('.'), isPathKey(key) ? absolutePath(value, cwd) : value, flag);
    return flag;
  });
}

/** Fills in what depends on other keys. */
function completed(parsed: z.output<typeof configSchema>, secrets: Secrets) {
  const { passwords, clientSecrets, addresses, heartbeat, webPassword } = secrets;
  const { web, ...rest } = parsed;
  return {
    ...rest,
    ...(web === undefined ? {} : completedWeb(web, webPassword)),
    mailboxes: parsed.mailboxes.map(
      ({ password: _password, password_file: _file, password_command: command, oauth2, ...mailbox }, index) => {
        const name = mailbox.name ?? mailbox.user;
        return {
          ...mailbox,
          name,
          port: mailbox.port ?? (mailbox.security === 'tls' ? 993 : 143),
          ...signInOf({
            password: passwords[index],
            command,
            oauth2: oauth2 && completedOAuth2(oauth2, clientSecrets[index], defaultTokenFile(parsed.state_dir, name)),
          }),
        };
      },
    ),
    offsite: parsed.offsite.map(completedOffsite),
    notify: parsed.notify.map((entry, index) => completedNotify(entry, addresses[index])),
    heartbeat: {
      ...parsed.heartbeat,
      service: heartbeat.service.map(present),
      captures: heartbeat.captures.map(present),
    },
  };
}

function completedNotify(entry: ParsedNotify, address: Secret | undefined): ResolvedNotify {
  const url = present(address);
  if (entry instanceof Secret) return { url };
  const { url: _url, url_file: _file, ...wishes } = entry;
  return { url, ...wishes };
}

type ParsedNotify = z.output<typeof configSchema>['notify'][number];

function completedOAuth2(
  { client_secret: _secret, client_secret_file: _file, ...oauth2 }: ParsedOAuth2,
  clientSecret: Secret | undefined,
  tokenFile: string,
): ResolvedOAuth2 {
  return {
    ...oauth2,
    ...(clientSecret === undefined ? {} : { client_secret: clientSecret }),
    token_file: oauth2.token_file ?? tokenFile,
  };
}

type ParsedOAuth2 = NonNullable<z.output<typeof configSchema>['mailboxes'][number]['oauth2']>;

function signInOf(ways: {
  readonly password: Secret | undefined;
  readonly command: string[] | undefined;
  readonly oauth2: ResolvedOAuth2 | undefined;
}): ResolvedSignIn {
  if (ways.oauth2 !== undefined) return { oauth2: ways.oauth2 };
  if (ways.command !== undefined) return { password_command: ways.command };
  return { password: present(ways.password) };
}

/** A secret that was not there has been reported as a problem, and nobody comes here. */
function present(secret: Secret | undefined): Secret {
  if (secret === undefined) throw new TypeError('a secret is missing that nobody has reported');
  return secret;
}
