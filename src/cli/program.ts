import { Command, CommanderError } from 'commander';
import { errorCode } from '../lib/errors.ts';
import { version } from '../lib/version.ts';
import { exitCodeOf, reportError } from './errors.ts';

const program = new Command('chatkeep')
  .description(
    "Keeps ChatGPT's data exports: watches an inbox for export-ready emails, fetches each export before its link dies, and keeps it as a dated, verifiable snapshot.",
  )
  .option('-c, --config <file>', 'the YAML file; else CHATKEEP_CONFIG, else /config/chatkeep.yaml if there is one')
  .option('--log-level <level>', 'trace, debug, info, warn, error, fatal or silent; else as configured')
  .showHelpAfterError('(`chatkeep --help` lists the commands)')
  .exitOverride()
  .addHelpText(
    'after',
    `
Exit codes: 0 done; 1 a fault of Chatkeep; 2 configuration or usage; 3 a snapshot is damaged; 4 directory in use;
5 storage; 6 archive refused; 7 unhealthy; 8 not found; 130 interrupted. See docs/reference/exit-codes.md.`,
  );

/** Loading a command's parts takes longer than most commands do, so only those are loaded that the line names. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  run: async () => (await import('./run.ts')).runCommand(),
  import: async () => (await import('./import.ts')).importCommand(),
  login: async () => (await import('./login.ts')).loginCommand(),
  status: async () => (await import('./status.ts')).statusCommand(),
  snapshots: async () => (await import('./snapshots.ts')).snapshotsCommand(),
  verify: async () => (await import('./verify.ts')).verifyCommand(),
  search: async () => (await import('./search.ts')).searchCommand(),
  show: async () => (await import('./show.ts')).showCommand(),
  diff: async () => (await import('./diff.ts')).diffCommand(),
  export: async () => (await import('./export.ts')).exportCommand(),
  stats: async () => (await import('./stats.ts')).statsCommand(),
  catalog: async () => (await import('./catalog.ts')).catalogCommand(),
  restore: async () => (await import('./restore.ts')).restoreCommand(),
  offsite: async () => (await import('./offsite.ts')).offsiteCommand(),
  prune: async () => (await import('./prune.ts')).pruneCommand(),
  config: async () => (await import('./config.ts')).configCommand(),
  notify: async () => (await import('./notify.ts')).notifyCommand(),
  healthcheck: async () => (await import('./healthcheck.ts')).healthcheckCommand(),
};

const named = Object.keys(COMMANDS).filter((name) => process.argv.includes(name));
for (const name of named.length === 0 ? Object.keys(COMMANDS) : named) {
  const command = await COMMANDS[name]?.();
  if (command !== undefined) program.addCommand(withoutExit(command));
}

// Whoever reads our output may have seen enough of it: `chatkeep show … | head`.
process.stdout.on('error', (error) => {
  if (errorCode(error) === 'EPIPE') process.exit();
  throw error;
});

// `show` has a --version of its own, and commander would take it for this one.
if (!named.includes('show')) program.version(await version());

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // Help and version are no errors; for the rest commander has said what was wrong.
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else {
    reportError(error);
    process.exitCode = exitCodeOf(error);
  }
}

/** Wrong usage is reported and ends with exit code 2, for subcommands, too. */
function withoutExit(command: Command): Command {
  for (const subcommand of command.commands) withoutExit(subcommand);
  return command.exitOverride();
}
