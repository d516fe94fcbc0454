import { extname } from 'node:path';

/**
 * The program of a thread or process of ours that lies beside the module which starts it. Compiled or not, its file ends
 * as the module's does.
 *
 * @param name without an ending: `./hash-thread`
 */
export function programBeside(module: string, name: string): URL {
  return new URL(`${name}${extname(module)}`, module);
}
