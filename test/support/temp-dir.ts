import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeTree } from '../../src/lib/files.ts';

/** A fresh directory below the system's, gone (with everything in it) when it is disposed of. */
export async function tempDir(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'chatkeep-test-'));
  return { path, [Symbol.asyncDispose]: () => removeTree(path) };
}
