import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { ERROR_TABLE } from '../src/lib/errors.ts';

describe('docs/reference/exit-codes.md', () => {
  it('names every exit code of the error table, and no other', async () => {
    const page = await readFile(new URL('../docs/reference/exit-codes.md', import.meta.url), 'utf8');
    const documented = [...page.matchAll(/^\| (\d+) \|/gm)].map((match) => Number(match[1]));
    const inCode = [0, ...Object.values(ERROR_TABLE).map(({ exitCode }) => exitCode)];
    assert.deepEqual(documented.sort(byNumber), [...new Set(inCode)].sort(byNumber));
  });
});

function byNumber(a: number, b: number): number {
  return a - b;
}
