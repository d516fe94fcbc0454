import { randomBytes } from 'node:crypto';
import { Command } from 'commander';
import { mailboxAccounts, nudgeSettings } from '../assembly.ts';
import type { Config } from '../config/index.ts';
import { systemClock } from '../lib/clock.ts';
import { ChatkeepError, errorMessage } from '../lib/errors.ts';
import { redactText } from '../lib/secret.ts';
import { count } from '../lib/text.ts';
import { DeliveryError, isWanted, type Message, parseAddress, type Service, type Wishes } from '../notify/index.ts';
import { SAMPLES, type SampleSetting, sampleNamed, sampleOf } from '../samples/index.ts';
import { loadForCommand, stopSignal } from './context.ts';
import { printJson, printLine, table } from './output.ts';

interface Options {
  readonly event?: string;
  readonly list?: true;
  readonly json?: true;
}

/** How one address took a message. */
interface Result {
  readonly label: string;
  readonly error: string | null;
  /** Whether a real message of that kind would be brought there, too. */
  readonly wanted: boolean;
}

/** `chatkeep notify test`: whether notifications arrive, and how they look. */
export function notifyTestCommand(): Command {
  return new Command('test')
    .description(
      'send a test message, or a sample of what you may be told, to each address of the configuration, whatever its filters and quiet hours',
    )
    .option('--event <name>', 'send a sample of this: the name of one of --list, or of an event')
    .option('--list', 'send nothing; list the samples')
    .option('--json', 'print the result as JSON')
    .action(async (options: Options, command: Command) => {
      if (options.list === true) return printSamples(options);
      // A name that is mistyped is told before the configuration is looked at.
      const sample = options.event === undefined || options.event === 'test' ? undefined : sampleNamed(options.event);
      const { config } = await loadForCommand(command);
      const now = systemClock.now();
      const message = sample === undefined ? testMessage(now) : sampleOf(sample, settingOf(config), now);
      const addresses = addressesOf(config);
      if (addresses.length === 0) throw nobodyToTell();
      const signal = stopSignal();
      const results = await Promise.all(addresses.map((address) => tryOut(address, message, signal)));
      if (options.json === true) printJson(results);
      else {
        if (sample !== undefined) printLine(`${message.title} (event ${message.event}, level ${message.level})`);
        for (const result of results) printLine(lineOf(result));
      }
      throwIfFailed(results);
    });
}

export function nobodyToTell(): ChatkeepError {
  return new ChatkeepError('config', 'There is nobody to be told: notify is not set.', {
    next: 'Set CHATKEEP_NOTIFY, or notify in the YAML file; docs/reference/notifications.md has the forms.',
  });
}

function printSamples({ json }: Options): void {
  const list = SAMPLES.map(({ name, event, when }) => ({ name, event, when }));
  if (json === true) printJson(list);
  else printLine(table(['NAME', 'EVENT', 'IS SENT WHEN'], list.map(Object.values)));
}

interface Address {
  readonly service: Service;
  /** Of each entry of the configuration that names it. */
  readonly wishes: readonly Pick<Wishes, 'events' | 'minLevel'>[];
}

/** An address that is listed twice is told once. */
function addressesOf({ notify }: Config): Address[] {
  const entries = notify.flatMap(({ url, events, minLevel }) =>
    parseAddress(url).map((service) => ({ service, wishes: { events, minLevel } })),
  );
  return [...Map.groupBy(entries, ({ service }) => service.id).values()].flatMap((same) => {
    const [first] = same;
    return first === undefined ? [] : [{ service: first.service, wishes: same.map(({ wishes }) => wishes) }];
  });
}

async function tryOut({ service, wishes }: Address, message: Message, signal: AbortSignal): Promise<Result> {
  const { label } = service;
  const wanted = wishes.some((each) => isWanted(message, each));
  try {
    await service.send(message, { signal, key: randomBytes(16).toString('hex') });
    return { label, error: null, wanted };
  } catch (error) {
    signal.throwIfAborted();
    const reason = error instanceof DeliveryError ? error.message : redactText(errorMessage(error));
    return { label, error: reason, wanted };
  }
}

function lineOf({ label, error, wanted }: Result): string {
  const filtered = wanted
    ? ''
    : ' (A real one is not brought there: the `events` or `min_level` of this address leave it out.)';
  return `${label}: ${error === null ? 'taken' : `FAILED. ${error}`}${filtered}`;
}

/** @throws ChatkeepError `unhealthy` that says how many did not take it */
function throwIfFailed(results: readonly Result[]): void {
  const failed = results.filter(({ error }) => error !== null).length;
  if (failed === 0) return;
  throw new ChatkeepError(
    'unhealthy',
    `${count(failed, 'address', 'addresses')} of ${results.length} did not take the test message.`,
    { next: 'Mend what is named above, then run `chatkeep notify test` again.' },
  );
}

function testMessage(now: number): Message {
  return {
    event: 'test',
    level: 'info',
    title: 'Chatkeep can reach you',
    body: 'This is the test message that you asked for. What matters of your ChatGPT backups arrives in the same way. Nothing is to be done.',
    at: now,
    data: {},
  };
}

/** Where nothing is configured, names as anybody might have them. */
function settingOf(config: Config): SampleSetting {
  const { backupDir, dropDir, offsite } = config;
  const [mailbox = 'ada@example.org', [account = mailbox] = []] = [...mailboxAccounts(config)][0] ?? [];
  const { againMs } = nudgeSettings(config);
  return { mailbox, account, backupDir, dropDir, offsite: offsite[0]?.name ?? 'nas', remindAgainMs: againMs };
}
