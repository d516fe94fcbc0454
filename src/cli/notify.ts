import { randomBytes } from 'node:crypto';
import { Command } from 'commander';
import { systemClock } from '../lib/clock.ts';
import { ChatkeepError, errorMessage } from '../lib/errors.ts';
import { redactText } from '../lib/secret.ts';
import { count } from '../lib/text.ts';
import { DeliveryError, type Message, parseAddress, type Service } from '../notify/index.ts';
import { loadForCommand, stopSignal } from './context.ts';
import { jsonOf, linesOf, listAddresses } from './notify-list.ts';
import { printJson, printLine } from './output.ts';

/** `chatkeep notify`: who is told, and whether notifications arrive. */
export function notifyCommand(): Command {
  const notify = new Command('notify').description('list the notification addresses, and try them out');
  notify
    .command('test')
    .description('send a test message to each address of the configuration, whatever its filters and quiet hours')
    .option('--json', 'print the result as JSON')
    .action(async (options: { json?: true }, command: Command) => {
      const { config } = await loadForCommand(command);
      const services = config.notify.flatMap(({ url }) => parseAddress(url));
      if (services.length === 0) throw nobodyToTell();
      const signal = stopSignal();
      const results = await Promise.all(services.map((service) => tryOut(service, signal)));
      if (options.json === true) printJson(results);
      else
        for (const { label, error } of results)
          printLine(error === null ? `${label}: taken` : `${label}: FAILED. ${error}`);
      const failed = results.filter(({ error }) => error !== null).length;
      if (failed > 0) {
        throw new ChatkeepError(
          'unhealthy',
          `${count(failed, 'address', 'addresses')} of ${results.length} did not take the test message.`,
          {
            next: 'Mend what is named above, then run `chatkeep notify test` again.',
          },
        );
      }
    });
  notify
    .command('list')
    .description('list the addresses: what each is told, what waits for it, and why the last attempt failed')
    .option('--json', 'print the list as JSON')
    .action(async (options: { json?: true }, command: Command) => {
      const { config } = await loadForCommand(command);
      const addresses = await listAddresses(config);
      if (options.json === true) return printJson(addresses.map(jsonOf));
      if (addresses.length === 0) throw nobodyToTell();
      for (const line of addresses.flatMap(linesOf)) printLine(line);
    });
  return notify;
}

function nobodyToTell(): ChatkeepError {
  return new ChatkeepError('config', 'There is nobody to be told: notify is not set.', {
    next: 'Set CHATKEEP_NOTIFY, or notify in the YAML file; docs/reference/notifications.md has the forms.',
  });
}

async function tryOut(service: Service, signal: AbortSignal): Promise<{ label: string; error: string | null }> {
  try {
    await service.send(testMessage(systemClock.now()), { signal, key: randomBytes(16).toString('hex') });
    return { label: service.label, error: null };
  } catch (error) {
    signal.throwIfAborted();
    return {
      label: service.label,
      error: error instanceof DeliveryError ? error.message : redactText(errorMessage(error)),
    };
  }
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
