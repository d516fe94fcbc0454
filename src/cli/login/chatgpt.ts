import { Command, Option } from 'commander';
import { openSource, type Source } from '../../assembly.ts';
import type { Config, LoginConfig } from '../../config/index.ts';
import {
  type LoginHealth,
  readLoginFile,
  type Stored,
  storeCookies,
  storeToken,
  type Trial,
} from '../../download/index.ts';
import { systemClock } from '../../lib/clock.ts';
import { ChatkeepError, ERROR_TABLE } from '../../lib/errors.ts';
import { Secret } from '../../lib/secret.ts';
import { healthWords } from '../../login-watch/index.ts';
import { loadForCommand, stopSignal } from '../context.ts';
import { printJson, printLine } from '../output.ts';
import { healthJson } from './health.ts';
import { readHidden } from './hidden-input.ts';
import { WAYS } from './ways.ts';

interface Options {
  readonly check?: true;
  readonly json?: true;
  readonly token?: true;
  readonly cookies?: string;
}

/** `chatkeep login chatgpt`: the logins with which exports are fetched. */
export function loginChatgptCommand(): Command {
  return new Command('chatgpt')
    .description('explain the logins with which exports are fetched, set them up, and try them out')
    .addOption(new Option('--check', 'try out each configured login; exit code 0 if one is good, else 7'))
    .addOption(new Option('--json', 'the same, printed as JSON').conflicts(['token', 'cookies']))
    .addOption(
      new Option(
        '--token',
        'read an access token from standard input, try it out, and keep it in token_file',
      ).conflicts(['check', 'cookies']),
    )
    .addOption(
      new Option('--cookies <file>', 'try out a cookies.txt, and keep what is needed of it').conflicts('check'),
    )
    .action(async (options: Options, command: Command) => {
      const { config } = await loadForCommand(command);
      const signal = stopSignal();
      await using source = await openSource(config);
      if (options.token === true) await takeToken(config, source, signal);
      else if (options.cookies !== undefined) await takeCookies(config, options.cookies, source, signal);
      else if (options.check === true || options.json === true) await check(source, options.json === true, signal);
      else await explain(config, source, signal);
    });
}

interface Checked {
  readonly label: string;
  readonly checkedAt: number;
  readonly health: LoginHealth;
}

async function check(source: Source, asJson: boolean, signal: AbortSignal): Promise<void> {
  const checked = await checkAll(source, signal);
  if (asJson) printJson({ logins: checked.map((login) => healthJson(login.label, login.checkedAt, login.health)) });
  else printChecked(checked);
  const isWell = checked.some(({ health }) => health.kind === 'good' || health.kind === 'dying');
  if (!isWell) process.exitCode = ERROR_TABLE.unhealthy.exitCode;
}

async function checkAll({ logins, loginOrigin }: Source, signal: AbortSignal): Promise<Checked[]> {
  return Promise.all(
    logins.map(async (login) => {
      const checkedAt = systemClock.now();
      return { label: login.label, checkedAt, health: await login.check(loginOrigin, { now: checkedAt, signal }) };
    }),
  );
}

function printChecked(checked: readonly Checked[]): void {
  if (checked.length === 0) printLine('No login is configured: exports wait for you to download them by hand.');
  for (const { label, health } of checked) printLine(`${label}: ${healthWords(health)}`);
}

async function explain(config: Config, source: Source, signal: AbortSignal): Promise<void> {
  printLine(
    'OpenAI gives an export only to somebody who is signed in to the account that asked for it. Chatkeep can be',
  );
  printLine('signed in in these ways. It tries those that are configured in the order of the configuration.');
  for (const [type, { title, lines }] of Object.entries(WAYS)) {
    const count = config.download.logins.filter((login) => login.type === type).length;
    printLine(`\n${title}${count === 0 ? '' : ' (configured)'}`);
    for (const line of lines) printLine(`  ${line}`);
  }
  printLine('\nWithout any: download the export by hand, and put the ZIP into the drop folder (docs/login.md).\n');
  printLine(config.download.logins.length === 0 ? 'As it is:' : 'As it is, tried out just now:');
  printChecked(await checkAll(source, signal));
}

async function takeToken(config: Config, source: Source, signal: AbortSignal): Promise<void> {
  const login = configured(config, 'bearer', 'token_file');
  const prompt =
    'Paste the access token, or the whole page https://chatgpt.com/api/auth/session of a browser that is signed in.\nIt is not shown. Then press Enter: ';
  const text = await readHidden(prompt, signal);
  report(await storeToken(text, login, trialAt(source, signal)), login.tokenFile);
}

async function takeCookies(config: Config, path: string, source: Source, signal: AbortSignal): Promise<void> {
  const { file: target } = configured(config, 'cookies', 'file');
  const file = path === '-' ? undefined : await readLoginFile(path);
  if (file?.kind === 'unusable')
    throw new ChatkeepError('not-found', file.detail, { next: 'Name the file that was exported.' });
  const text = file === undefined ? await readHidden('', signal) : new Secret(file.text);
  report(await storeCookies(text, target, trialAt(source, signal)), target);
  if (path !== '-')
    printLine(`What is in ${path} is as good as your password: delete it, unless it is that very file.`);
}

/** The first login of a type: where several are configured, the others are other people's. */
function configured<Type extends 'bearer' | 'cookies'>(
  { download }: Config,
  type: Type,
  key: string,
): Extract<LoginConfig, { type: Type }> {
  const login = download.logins.find((one): one is Extract<LoginConfig, { type: Type }> => one.type === type);
  if (login !== undefined) return login;
  throw new ChatkeepError('config', `No login of the type ${type} is configured, so there is no file to keep it in.`, {
    next: `Put \`{ type: ${type}, ${key}: … }\` into download.logins of the configuration; \`chatkeep login chatgpt\` shows how.`,
  });
}

function trialAt({ transport, loginOrigin }: Source, signal: AbortSignal): Trial {
  return { origin: loginOrigin, transport, now: systemClock.now(), signal };
}

function report(stored: Stored, path: string): void {
  if (stored.kind !== 'stored') {
    throw new ChatkeepError(stored.kind === 'dead' ? 'unhealthy' : 'usage', `${stored.detail} Nothing was stored.`, {
      next: '`chatkeep login chatgpt` tells how to get one that works.',
    });
  }
  const found = healthWords(stored.health);
  printLine(`Stored in ${path}, readable for you only.`);
  printLine(stored.health.kind === 'unknown' ? `It ${found}` : `It is ${found}.`);
  printLine('A service that runs uses it from now on.');
}
