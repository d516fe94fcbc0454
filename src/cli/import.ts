import { access, constants, readdir, stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { Command } from 'commander';
import { looksLikeExport } from '../chatgpt/index.ts';
import { type Imported, type ImportOutcome, importFiles } from '../importer.ts';
import { systemClock } from '../lib/clock.ts';
import { ChatkeepError } from '../lib/errors.ts';
import { loadForCommand, loggerFor, stopSignal } from './context.ts';
import { printJson, printLine, progressDisplay } from './output.ts';

interface Result {
  readonly file: string;
  readonly capture: string;
  readonly outcome: ImportOutcome['kind'];
  readonly snapshot: string | null;
  readonly reason: string | null;
  /** Where a refused file is. */
  readonly kept: string | null;
}

/** `chatkeep import FILE…`: archives that are on disk already. */
export function importCommand(): Command {
  return new Command('import')
    .description('take in exports that are on disk already; the files stay where they are')
    .argument('<files...>', 'ZIP files as ChatGPT gives them, or folders that they were unpacked into')
    .option(
      '--account <name>',
      'the directory below the backup directory; else as configured, else the e-mail in the export',
    )
    .option('--json', 'print the results as JSON')
    .action(async (files: string[], options: { account?: string; json?: true }, command: Command) => {
      const { config } = await loadForCommand(command);
      const logger = await loggerFor(command, { ...config, log: { ...config.log, level: 'warn' } }, 2);
      await Promise.all(files.map(assertIsExport));
      const display = options.json === true ? undefined : progressDisplay();
      const handIns = files.map((file) => ({
        path: resolve(file),
        name: basename(resolve(file)),
        afterwards: 'keep' as const,
        account: options.account ?? config.account,
      }));
      const imported = await importFiles(handIns, {
        config,
        logger,
        clock: systemClock,
        signal: stopSignal(),
        onProgress: ({ name }, { phase, done, total }) => display?.update(`${phase} ${name}`, done, total),
      }).finally(() => display?.stop());
      if (options.json === true) printJson(imported.map((one, index) => resultOf(files[index] ?? '', one)));
      else for (const [index, { outcome }] of imported.entries()) printLine(`${files[index]}: ${sentence(outcome)}`);
      throwUnlessKept(imported.map(({ outcome }) => outcome));
    });
}

function resultOf(file: string, { capture, outcome }: Imported): Result {
  const result = { file, capture, outcome: outcome.kind, snapshot: null, reason: null, kept: null };
  switch (outcome.kind) {
    case 'committed':
      return { ...result, snapshot: outcome.snapshot };
    case 'duplicate':
      return { ...result, snapshot: outcome.of };
    case 'unchanged':
      return { ...result, snapshot: outcome.since };
    case 'refused':
      return { ...result, reason: outcome.reason, kept: outcome.kept ?? null };
    case 'held-up':
      return { ...result, reason: outcome.reason };
  }
}

function sentence(outcome: ImportOutcome): string {
  switch (outcome.kind) {
    case 'committed':
      return `kept as ${outcome.snapshot}`;
    case 'duplicate':
      return `the same export was kept before as ${outcome.of}; no second snapshot was made`;
    case 'unchanged':
      return `another export, with exactly what ${outcome.since} holds; no second snapshot was made`;
    case 'refused':
      return `refused. ${outcome.reason}`;
    case 'held-up':
      return `held up. ${outcome.reason} It is not lost: leave the file where it is, and Chatkeep goes on with it.`;
  }
}

/** @throws ChatkeepError of the class of the worst that happened */
function throwUnlessKept(outcomes: readonly ImportOutcome[]): void {
  const heldUpBy = (by: 'storage' | 'failure') =>
    outcomes.some((outcome) => outcome.kind === 'held-up' && outcome.by === by);
  if (heldUpBy('storage')) {
    throw new ChatkeepError('storage', 'Not every file could be taken in; those that are held up are named above.', {
      next: 'Make room or mend the permissions, then run the same command again; a running service goes on by itself.',
    });
  }
  if (heldUpBy('failure')) {
    throw new ChatkeepError('internal', 'Not every file could be taken in; those that are held up are named above.');
  }
  if (outcomes.some(({ kind }) => kind === 'refused')) {
    throw new ChatkeepError('refused', 'Not every file could be taken in; those that were refused are named above.');
  }
}

/** A ZIP is looked into later; of a folder it is seen here, lest somebody's whole home is taken for an export. */
async function assertIsExport(file: string): Promise<void> {
  if (!(await isReadableFolder(file)) || looksLikeExport(await readdir(file))) return;
  throw new ChatkeepError('refused', `The folder ${file} is not an unpacked export: it holds no chat.html, for one.`, {
    next: 'Name the folder that holds chat.html, user.json and conversations.json (or conversations-000.json), or name the ZIP.',
  });
}

async function isReadableFolder(file: string): Promise<boolean> {
  try {
    const isFolder = (await stat(file)).isDirectory();
    await access(file, isFolder ? constants.R_OK | constants.X_OK : constants.R_OK);
    return isFolder;
  } catch (error) {
    throw new ChatkeepError('not-found', `${file} does not exist or may not be read.`, {
      cause: error,
      next: 'Check the path; in a container it must be a path inside the container.',
    });
  }
}
