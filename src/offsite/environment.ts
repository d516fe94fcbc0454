import { readFile } from 'node:fs/promises';
import { parseEnv } from 'node:util';
import { errorCode } from '../lib/errors.ts';
import { Secret } from '../lib/secret.ts';
import { OffsiteError } from './tool.ts';

/** What a program gets beside our own settings: variables of the user's file, each of which may be a secret. */
export interface ToolEnvironment {
  readonly variables: Readonly<Record<string, string>>;
  readonly secrets: readonly Secret[];
}

/**
 * Reads a file of variables, `NAME=value` a line (as Docker and Node.js read them), anew at each use.
 * @throws OffsiteError if it cannot be read
 */
export async function readEnvironment(path: string | undefined): Promise<ToolEnvironment> {
  if (path === undefined) return { variables: {}, secrets: [] };
  try {
    const parsed = Object.entries(parseEnv(await readFile(path, 'utf8')));
    const variables = parsed.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
    return { variables: Object.fromEntries(variables), secrets: variables.map(([, value]) => new Secret(value)) };
  } catch (error) {
    throw new OffsiteError(`${path}, the file with variables, cannot be read (${errorCode(error) ?? 'unknown'}).`);
  }
}
