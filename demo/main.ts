/**
 * `npm run demo`: the whole main job before your eyes, on this machine alone. The service is the real one, run as users
 * run it; around it stand an IMAP server in memory and the simulator of OpenAI's side that the tests use. With
 * `npm run demo -- --keep` it goes on until Ctrl-C, so that its web page can be tried.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stdout } from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs, styleText } from 'node:util';
import { createAccount, nextExport } from '../test/support/openai/exports/index.ts';
import { startOpenAi } from '../test/support/openai/index.ts';
import { chatkeep, type Environment, Service } from '../test/support/service.ts';
import { startWebhook } from '../test/support/webhook.ts';
import { startMailServer } from './mail-server.ts';

const DATA = fileURLToPath(new URL('../demo-data', import.meta.url));
/** The most that a part of the demo takes on a slow machine, ms. */
const PATIENCE_MS = 25_000;

const { keep = false } = parseArgs({ options: { keep: { type: 'boolean' } } }).values;

const [backups, state, work] = [join(DATA, 'backups'), join(DATA, 'state'), join(DATA, 'work')];
await rm(DATA, { recursive: true, force: true });
for (const directory of [backups, state, work]) await mkdir(directory, { recursive: true });

const pagePassword = randomBytes(9).toString('base64url');
const token = 'an-access-token-of-the-demo';
await using openai = await startOpenAi(work, { bearerTokens: [token], bytesPerSecond: 8_000_000 });
await using webhook = await startWebhook();
const mail = await startMailServer(openai.server.authority);
await writeFile(join(work, 'token'), token, { mode: 0o600 });
await writeFile(join(work, 'password'), mail.password, { mode: 0o600 });
await writeFile(join(work, 'page-password'), pagePassword, { mode: 0o600 });

const settings: Environment = {
  ...openai.settings,
  CHATKEEP_BACKUP_DIR: backups,
  CHATKEEP_STATE_DIR: state,
  CHATKEEP_IMAP_HOST: '127.0.0.1',
  CHATKEEP_IMAP_PORT: String(mail.port),
  CHATKEEP_IMAP_CA_FILE: openai.settings.CHATKEEP_DOWNLOAD_CA_FILE ?? '',
  CHATKEEP_IMAP_USER: mail.user,
  CHATKEEP_IMAP_PASSWORD_FILE: join(work, 'password'),
  CHATKEEP_DOWNLOAD_BEARER_TOKEN_FILE: join(work, 'token'),
  CHATKEEP_NOTIFY: webhook.address,
  CHATKEEP_WEB_PASSWORD_FILE: join(work, 'page-password'),
  // Any port that is free.
  CHATKEEP_WEB_LISTEN: '127.0.0.1:0',
  CHATKEEP_LOG_FORMAT: 'pretty',
};

say('An IMAP server and a stand-in for OpenAI run on this machine; nothing leaves it. The service starts:');
await using service = new Service(settings);
showLog(service);
await service.printed('watching', PATIENCE_MS);

say('You ask ChatGPT for an export. The first mail only says that it has begun, and holds no link:');
mail.deliver(await openai.mail({ kind: 'started', to: mail.user }));
await service.printed('an export has been asked for', PATIENCE_MS);

say('Some time later a mail brings the link. The server will break the download off half-way, as it really happens:');
const account = createAccount({ seed: 'demo', email: mail.user, conversations: 40 });
const made = new Date(Date.now() - 60_000);
const first = await openai.publishExport(account, {
  directory: work,
  form: 'estuary',
  stamp: made,
  assetBytes: 6_000_000,
});
first.published.faults.push({
  kind: 'stop',
  afterBytes: Math.floor(first.facts.bytes / 2),
  framing: 'content-length',
});
mail.deliver(await openai.readyMail(first.published, { to: mail.user }));
await backupDone(1);

say('A week later you ask again. What has not changed takes no room a second time:');
const later = nextExport(account, { seed: 'demo-week-2', add: 3, change: 2, delete: 1, days: 7 });
const second = await openai.publishExport(later, { directory: work, form: 'estuary', assetBytes: 6_000_000 });
mail.deliver(await openai.readyMail(second.published, { to: mail.user }));
await backupDone(2);

if (keep) await keepRunning();
say('The service is stopped, and what it has kept is looked at:');
await service.stop();
for (const command of [['snapshots'], ['verify']]) await show(command);
await mail.close();
await rm(work, { recursive: true, force: true });

say('That was all of it. What to do next:');
stdout.write(`  The snapshots of this demo:  ${backups}
  Check one without Chatkeep:  cd ${join(backups, mail.user, 'latest')} && sha256sum -c .chatkeep/SHA256SUMS
  Read it in your browser:     npm run demo -- --keep  leaves the service running, with its web page open to you
  With your own mailbox:       put host, user and a file with the app password into the environment,
                                 CHATKEEP_IMAP_HOST=… CHATKEEP_IMAP_USER=… CHATKEEP_IMAP_PASSWORD_FILE=…
                                 CHATKEEP_BACKUP_DIR=… CHATKEEP_NOTIFY=ntfy://ntfy.sh/your-secret-topic
                               then: npm run chatkeep -- config check && npm run chatkeep -- run
                               All settings: config/chatkeep.example.yaml. With Docker: compose.yaml.
`);

/** Tells of the web page, and waits for Ctrl-C. */
async function keepRunning(): Promise<void> {
  await service.printed('the search index is up to date', PATIENCE_MS);
  const [, page] = /the web page is at (\S+)/.exec(service.output) ?? [];
  say('The service goes on, and its web page is open: read, search and compare what was kept.');
  stdout.write(`  ${styleText('cyan', page ?? '')}\n  Password:  ${pagePassword}\n  Ctrl-C ends the demo.\n`);
  // The terminal sends Ctrl-C to npm and to the service, too, and npm hands it on: it may come more than once.
  await new Promise((resolve) => process.on('SIGINT', resolve));
}

/** Waits for the notification of backup number `n` and shows it as a person would get it. */
async function backupDone(n: number): Promise<void> {
  const until = performance.now() + PATIENCE_MS;
  while (webhook.of('snapshot-committed').length < n) {
    const failure = webhook.received.find(({ level }) => level === 'failure');
    if (failure !== undefined || performance.now() > until) {
      throw new Error(`The demo went wrong: ${failure?.body ?? 'no backup was done in time'}\n${service.output}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const message = webhook.of('snapshot-committed')[n - 1];
  if (message === undefined) return;
  stdout.write(`  ${styleText('cyan', 'notification')}  ${message.title}\n  ${message.body}\n`);
}

async function show(command: readonly string[]): Promise<void> {
  const { stdout: text, stderr, code } = await chatkeep(command, settings);
  stdout.write(`  ${styleText('cyan', `$ chatkeep ${command.join(' ')}`)}\n${indent(text + stderr)}`);
  if (code !== 0) throw new Error(`chatkeep ${command.join(' ')} ended with exit code ${code}.`);
}

/** Prints each line of the service's log as it comes. */
function showLog(running: Service): void {
  running.onOutput((text) => stdout.write(indent(text)));
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, '  ');
}

function say(line: string): void {
  stdout.write(`\n${styleText('bold', line)}\n`);
}
