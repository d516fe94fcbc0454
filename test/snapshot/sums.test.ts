import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { sha256 } from '../../src/lib/hash.ts';
import { formatSums, parseSums } from '../../src/snapshot/sums.ts';

const DIGEST = sha256('');

describe('SHA256SUMS', () => {
  it('is sorted by the bytes of the paths', () => {
    const text = formatSums(['b', 'a/b', 'é', 'Z', 'a b', '😀', '\uffee'].map((path) => ({ path, sha256: DIGEST })));
    assert.deepEqual(
      text.split('\n').map((line) => line.slice(66)),
      ['Z', 'a b', 'a/b', 'b', 'é', '\uffee', '😀', ''],
    );
  });

  it('escapes backslashes and line breaks as GNU coreutils do', () => {
    assert.equal(formatSums([{ path: 'a\\b\nc\rd', sha256: DIGEST }]), `\\${DIGEST}  a\\\\b\\nc\\rd\n`);
  });

  it('gives back what was written, for any path', () => {
    const segment = fc
      .string({ unit: 'binary', minLength: 1 })
      .filter((text) => text.isWellFormed() && !/[/\0]/.test(text) && !/^\.\.?$/.test(text));
    const path = fc.array(segment, { minLength: 1, maxLength: 3 }).map((segments) => segments.join('/'));
    fc.assert(
      fc.property(fc.uniqueArray(path), (paths) => {
        const sums = paths.map((each) => ({ path: each, sha256: sha256(each) }));
        const parsed = parseSums(formatSums(sums));
        assert.deepEqual(parsed.badLines, []);
        assert.deepEqual(
          new Map(parsed.sums.map((sum) => [sum.path, sum.sha256])),
          new Map(sums.map((sum) => [sum.path, sum.sha256])),
        );
      }),
    );
  });

  it('does not lead out of the snapshot, and tells lines that say nothing', () => {
    const lines = [`${DIGEST}  ../x`, `${DIGEST}  /etc/passwd`, `${DIGEST}  a/./b`, 'hello', '', `${DIGEST} *binary`];
    assert.deepEqual(parseSums(`${lines.join('\n')}\n`), {
      sums: [{ path: 'binary', sha256: DIGEST }],
      badLines: [1, 2, 3, 4, 5],
    });
  });
});
