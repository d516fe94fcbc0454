import { Secret } from '../lib/secret.ts';
import type { CamelCased, Config } from './schema.ts';

/** The same tree with camelCase keys, deeply. Secrets stay as they are. */
export function camelCased<T>(tree: T): CamelCased<T> {
  return withKeys(tree, (key) =>
    key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
  ) as CamelCased<T>;
}

/** A tree that nobody can change any more, at any depth. */
export function deepFrozen<T>(tree: T): T {
  if (typeof tree === 'object' && tree !== null && !Object.isFrozen(tree)) {
    Object.freeze(tree);
    Object.values(tree).forEach(deepFrozen);
  }
  return tree;
}

/**
 * The configuration as `chatkeep config show` prints it: the keys of the file, every default filled in, secrets as
 * `[redacted]`.
 */
export function describeConfig(config: Config): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => [snakeCase(key), withKeys(value, snakeCase, String)]),
  );
}

function snakeCase(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function withKeys(
  tree: unknown,
  rename: (key: string) => string,
  secretAs: (secret: Secret) => unknown = (secret) => secret,
): unknown {
  if (tree instanceof Secret) return secretAs(tree);
  if (Array.isArray(tree)) return tree.map((item) => withKeys(item, rename, secretAs));
  if (typeof tree !== 'object' || tree === null) return tree;
  return Object.fromEntries(Object.entries(tree).map(([key, item]) => [rename(key), withKeys(item, rename, secretAs)]));
}
