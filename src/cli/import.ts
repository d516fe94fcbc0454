import { access, constants } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { Command } from 'commander';
import type { Capture } from '../capture/index.ts';
import { importFiles } from '../importer.ts';
import { ChatkeepError } from '../lib/errors.ts';
import { loadForCommand, loggerFor, stopSignal } from './context.ts';
import { printJson, printLine, progressDisplay } from './output.ts';

interface Result {
  readonly file: string;
  readonly capture: string;
  readonly outcome: Capture['state']['name'];
  readonly snapshot: string | null;
  readonly reason: string | null;
}

/** `chatkeep import FILE…`: archives that are on disk already. */
export function importCommand(): Command {
  return new Command('import')
    .description('take in export ZIPs that are on disk already; the files stay where they are')
    .argument('<files...>', 'ZIP files as ChatGPT gives them')
    .option(
      '--account <name>',
      'the directory below the backup directory; else as configured, else the e-mail in the export',
    )
    .option('--json', 'print the results as JSON')
    .action(async (files: string[], options: { account?: string; json?: true }, command: Command) => {
      const { config } = await loadForCommand(command);
      const logger = await loggerFor(command, { ...config, log: { ...config.log, level: 'warn' } }, 2);
      await Promise.all(files.map(assertReadable));
      const display = options.json === true ? undefined : progressDisplay();
      const handIns = files.map((file) => ({
        path: resolve(file),
        name: basename(file),
        afterwards: 'keep' as const,
        account: options.account ?? config.account,
      }));
      const captures = await importFiles(handIns, {
        config,
        logger,
        signal: stopSignal(),
        onProgress: ({ name }, { phase, done, total }) => display?.update(`${phase} ${name}`, done, total),
      }).finally(() => display?.stop());
      const results = captures.map((capture, index) => resultOf(files[index] ?? '', capture));
      if (options.json === true) printJson(results);
      else for (const result of results) printLine(sentence(result));
      if (results.some(({ outcome }) => outcome === 'refused')) {
        throw new ChatkeepError(
          'refused',
          'Not every file could be taken in; those that were refused are named above.',
        );
      }
    });
}

function resultOf(file: string, { id, state }: Capture): Result {
  return {
    file,
    capture: id,
    outcome: state.name,
    snapshot: state.name === 'committed' ? state.snapshot : state.name === 'duplicate' ? state.of : null,
    reason: state.name === 'refused' ? state.reason : null,
  };
}

function sentence({ file, outcome, snapshot, reason }: Result): string {
  switch (outcome) {
    case 'committed':
      return `${file}: kept as ${snapshot}`;
    case 'duplicate':
      return `${file}: the same export was kept before as ${snapshot}; no second snapshot was made`;
    case 'refused':
      return `${file}: refused. ${reason}`;
    default:
      return `${file}: ${outcome}`;
  }
}

async function assertReadable(file: string): Promise<void> {
  try {
    await access(file, constants.R_OK);
  } catch (error) {
    throw new ChatkeepError('not-found', `The file ${file} does not exist or may not be read.`, {
      cause: error,
      next: 'Check the path; in a container it must be a path inside the container.',
    });
  }
}
