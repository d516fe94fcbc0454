import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The program as it is installed: compiled, and in few files. {@link buildProgram} makes it. */
export const PROGRAM = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** A command of Node that finds its code compiled, as the first lines of src/cli/main.ts have it. */
export function withCompileCache(directory: string, command: readonly string[]): string[] {
  return ['env', `NODE_COMPILE_CACHE=${directory}`, ...command];
}

/** Compiles what there is. */
export async function buildProgram(): Promise<void> {
  await run('npm', ['run', '-s', 'build']);
}
