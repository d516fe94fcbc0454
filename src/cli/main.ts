#!/usr/bin/env node
import { enableCompileCache } from 'node:module';
import { Command, CommanderError } from 'commander';
import { configCommand } from './config.ts';
import { exitCodeOf, reportError } from './errors.ts';
import { healthcheckCommand } from './healthcheck.ts';
import { importCommand } from './import.ts';
import { runCommand } from './run.ts';
import { snapshotsCommand } from './snapshots.ts';
import { statusCommand } from './status.ts';
import { verifyCommand } from './verify.ts';
import { version } from './version.ts';

enableCompileCache();

const program = new Command('chatkeep')
  .description(
    "Keeps ChatGPT's data exports: watches an inbox for export-ready emails, fetches each export before its link dies, and keeps it as a dated, verifiable snapshot.",
  )
  .version(await version())
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

for (const command of [
  runCommand,
  importCommand,
  statusCommand,
  snapshotsCommand,
  verifyCommand,
  configCommand,
  healthcheckCommand,
]) {
  program.addCommand(command().exitOverride());
}

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
