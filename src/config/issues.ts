import type { z } from 'zod';
import { nearest } from '../lib/nearest.ts';
import { count } from '../lib/text.ts';
import { type Draft, formatKey, type KeyPath, valueAt } from './draft.ts';
import { variableFor } from './environment.ts';
import { knownKeys } from './json-schema.ts';

/**
 * What the schema objects to, a line each, in the user's words. Values are never shown: any of them could be a secret.
 */
export function describeIssues(issues: readonly z.core.$ZodIssue[], draft: Draft): string[] {
  return issues.flatMap((issue) => describeIssue(issue, draft, []));
}

function describeIssue(issue: z.core.$ZodIssue, draft: Draft, parents: KeyPath): string[] {
  const path = [...parents, ...issue.path];
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(path, key));
  if (issue.code === 'invalid_union' && issue.discriminator === undefined) {
    const branch = issue.errors.find((issues) => !issues.some(isWrongTypeAltogether));
    if (branch !== undefined) return branch.flatMap((inner) => describeIssue(inner, draft, path));
  }
  const value = valueAt(draft.tree, path);
  return [value === undefined ? missing(path, draft) : `${draft.nameOf(path)}: ${faultOf(issue, value)}`];
}

function isWrongTypeAltogether(issue: z.core.$ZodIssue): boolean {
  return issue.code === 'invalid_type' && issue.path.length === 0;
}

function unknownKey(path: KeyPath, key: string): string {
  const where = path.length === 0 ? '' : `${formatKey(path)}: `;
  const known = knownKeys(path);
  const guess = nearest(key, known);
  return `${where}unknown key \`${key}\`: ${guess === undefined ? `known are ${known.join(', ')}` : `did you mean \`${guess}\`?`}`;
}

function missing(path: KeyPath, draft: Draft): string {
  const name = draft.nameOf(path);
  const variable = path.length === 1 ? variableFor(path) : undefined;
  return `${name}: is missing: set it${variable === undefined || variable === name ? '' : `, or ${variable}`}`;
}

function faultOf(issue: z.core.$ZodIssue, value: unknown): string {
  switch (issue.code) {
    case 'invalid_type':
      return wrongType(issue.expected, value);
    case 'too_small':
      return tooSmall(issue);
    case 'too_big':
      return `must be ${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}`;
    case 'invalid_value':
      return oneOf(issue.values.map(String), value);
    case 'invalid_union':
      return 'options' in issue && issue.options !== undefined
        ? oneOf(issue.options.map(String), value)
        : 'must be a text, or keys and values';
    default:
      return issue.message;
  }
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  array: 'a list',
  object: 'keys and values',
  boolean: 'true or false',
  null: 'empty',
};

function wrongType(expected: string, value: unknown): string {
  const actual = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
  if (actual === 'number' && !Number.isFinite(value)) return 'must be a finite number';
  if (expected === 'string' && (actual === 'number' || actual === 'boolean')) {
    return `must be a text, and YAML reads it as ${TYPE_NAMES[actual]}: put it in quotes`;
  }
  if (expected === 'array' && actual === 'string') return 'must be a list: put it in [brackets]';
  const found = expected === 'int' && actual === 'number' ? 'one with a fraction' : (TYPE_NAMES[actual] ?? actual);
  return `must be ${TYPE_NAMES[expected] ?? expected}, not ${found}`;
}

function tooSmall({ origin, minimum, inclusive }: z.core.$ZodIssueTooSmall): string {
  if (origin === 'string') return 'must not be empty';
  if (origin === 'array') return `must have at least ${count(Number(minimum), 'entry', 'entries')}`;
  return `must be ${inclusive === false ? 'more than' : 'at least'} ${minimum}`;
}

function oneOf(choices: readonly string[], value: unknown): string {
  const guess = typeof value === 'string' ? nearest(value, choices) : undefined;
  return `must be one of ${choices.join(', ')}${guess === undefined ? '' : `: did you mean \`${guess}\`?`}`;
}
