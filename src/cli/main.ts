#!/usr/bin/env -S node --max-semi-space-size=2
// Exports stream through many short-lived buffers outside the heap. A small young generation lets go of them early: a
// third less memory and CPU time than V8's own choice of 16 MB (docs/figures.md).
import { enableCompileCache } from 'node:module';
import { setFlagsFromString } from 'node:v8';

// The service waits nearly all of its life: it keeps little in reserve, and makes machine code only of what has run for
// thousands of times (V8's own choice: hundreds), which is a tenth of its memory (docs/figures.md). Commands start faster
// and work faster without that, since the code that is compiled already is for V8's own choice.
if (process.argv.includes('run')) {
  setFlagsFromString('--optimize-for-size');
  setFlagsFromString('--invocation-count-for-maglev=4000');
  setFlagsFromString('--invocation-count-for-turbofan=30000');
}

// Before anything else is imported: it halves the time until the first line is printed.
enableCompileCache();
await import('./program.ts');
