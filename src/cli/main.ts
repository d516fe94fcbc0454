#!/usr/bin/env -S node --max-semi-space-size=2
// Exports stream through many short-lived buffers outside the heap. A small young generation lets go of them early: a
// third less memory and CPU time than V8's own choice of 16 MB (docs/figures.md).
import { enableCompileCache } from 'node:module';
import { setFlagsFromString } from 'node:v8';

// Machine code is made of what has run for some thousand times; V8's own choice is some hundred, and with it the start
// alone has its compilers at work: 5 MB of the service's memory, and a twentieth of an export's time (docs/figures.md).
setFlagsFromString('--invocation-count-for-maglev=4000');
setFlagsFromString('--invocation-count-for-turbofan=30000');

// Before anything else is imported: it halves the time until the first line is printed.
enableCompileCache();
await import('./program.ts');
