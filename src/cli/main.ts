#!/usr/bin/env -S node --max-semi-space-size=2
// Exports stream through many short-lived buffers outside the heap. A small young generation lets go of them early: a
// third less memory and CPU time than V8's own choice of 16 MB (docs/figures.md).
import * as nodeModule from 'node:module';
import { keepEngineSmall } from '../lib/small-engine.ts';

// As package.json has it. What is imported by name here would have to be there in older ones, too.
const OLDEST_NODE = 24;
if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
  process.stderr.write(
    `chatkeep: This is Node ${process.versions.node}, and Chatkeep needs Node ${OLDEST_NODE} or newer. Nothing was done.\n` +
      `Install a newer one (https://nodejs.org/en/download), or run Chatkeep in Docker, which brings its own.\n`,
  );
  process.exit(2);
}

// The service alone: commands start faster without it, since code that is compiled already is for V8's own settings.
if (process.argv.includes('run')) keepEngineSmall();

// Before anything else is imported: it halves the time until the first line is printed.
nodeModule.enableCompileCache();
await import('./program.ts');
