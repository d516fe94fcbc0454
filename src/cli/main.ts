#!/usr/bin/env -S node --max-semi-space-size=2
// Exports stream through many short-lived buffers outside the heap. A small young generation lets go of them early: a
// third less memory and CPU time than V8's own choice of 16 MB (docs/figures.md).
import { enableCompileCache } from 'node:module';
import { keepEngineSmall } from '../lib/small-engine.ts';

// The service alone: commands start faster without it, since code that is compiled already is for V8's own settings.
if (process.argv.includes('run')) keepEngineSmall();

// Before anything else is imported: it halves the time until the first line is printed.
enableCompileCache();
await import('./program.ts');
