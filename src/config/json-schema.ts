import * as z from 'zod';
import { type KeyPath, valueAt } from './draft.ts';
import { configSchema } from './schema.ts';

/**
 * The JSON Schema (draft 2020-12) of the configuration file, for editors. No key is required at the top: what the file
 * leaves out may come from the environment.
 */
export function configJsonSchema(): Record<string, unknown> {
  const { required: _required, ...schema } = z.toJSONSchema(configSchema, { io: 'input' });
  return { ...schema, title: 'The configuration of Chatkeep (chatkeep.yaml)' };
}

/** The file's whole text, as it is kept in config/chatkeep.schema.json. */
export function configJsonSchemaText(): string {
  return `${JSON.stringify(configJsonSchema(), undefined, 2)}\n`;
}

/** The keys that the schema knows at a place: `['mailboxes', 0]` → `name`, `host`… Empty where it knows none. */
export function knownKeys(path: KeyPath): string[] {
  let schemas: unknown[] = [configJsonSchema()];
  for (const part of path) {
    const step = typeof part === 'number' ? ['items'] : ['properties', part];
    schemas = schemas.flatMap(alternatives).map((schema) => valueAt(schema, step));
  }
  return schemas.flatMap(alternatives).flatMap((schema) => Object.keys(valueAt(schema, ['properties']) ?? {}));
}

function alternatives(schema: unknown): unknown[] {
  const choices = valueAt(schema, ['oneOf']) ?? valueAt(schema, ['anyOf']);
  return Array.isArray(choices) ? choices : [schema];
}
