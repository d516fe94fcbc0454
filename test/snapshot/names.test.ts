import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { accountDirectory, snapshotName } from '../../src/snapshot/index.ts';
import { compareStamps, isAccountDirectory, parseSnapshotName } from '../../src/snapshot/names.ts';

describe("a snapshot's name", () => {
  it('is the moment of the export in UTC, without colons', () => {
    assert.equal(snapshotName(Date.UTC(2026, 10, 21, 19, 5, 33, 999)), '2026-11-21T190533Z');
  });

  it('says the moment and the ordinal again when it is read', () => {
    const seconds = fc.integer({ min: 0, max: Date.UTC(2107, 11, 31) / 1000 });
    fc.assert(
      fc.property(seconds, fc.integer({ min: 1, max: 999_999 }), (second, ordinal) => {
        assert.deepEqual(parseSnapshotName(snapshotName(second * 1000, ordinal)), { time: second * 1000, ordinal });
      }),
    );
  });

  it('sorts by time, then by number and not by letters', () => {
    const names = ['2026-11-21T190533Z-10', '2026-11-21T190534Z', '2026-11-21T190533Z-2', '2026-11-21T190533Z'];
    const stamps = names.flatMap((name) => parseSnapshotName(name) ?? []);
    assert.deepEqual(
      stamps.toSorted(compareStamps).map(({ time, ordinal }) => snapshotName(time, ordinal)),
      ['2026-11-21T190533Z', '2026-11-21T190533Z-2', '2026-11-21T190533Z-10', '2026-11-21T190534Z'],
    );
  });

  const others = [
    'latest',
    '2026-11-21T19:05:33Z',
    '2026-11-21T190533',
    '2026-02-30T000000Z',
    '2026-11-21T250000Z',
    '2026-11-21T190533Z-1',
    '2026-11-21T190533Z-02',
    '2026-11-21T190533Z.bak',
    ' 2026-11-21T190533Z',
  ];
  for (const name of others) {
    it(`is not ${JSON.stringify(name)}`, () => {
      assert.equal(parseSnapshotName(name), undefined);
    });
  }
});

describe("an account's directory", () => {
  it('is the name from the configuration as it is, and an address in lower case', () => {
    assert.equal(accountDirectory('Work'), 'Work');
    assert.equal(accountDirectory('Ann.Lee+gpt@Example.org'), 'ann.lee+gpt@example.org');
  });

  it('keeps apart what would become the same', () => {
    assert.match(accountDirectory('jörg@example.org'), /^account-j_rg@example\.org-[0-9a-f]{8}$/);
    assert.notEqual(accountDirectory('jörg@example.org'), accountDirectory('järg@example.org'));
  });

  it('is never a device, the README, hidden, or a way out', () => {
    for (const name of ['con', 'NUL.txt', 'readme.txt', '.chatkeep', '..', '.', '', 'a/b', 'name.', '-rf']) {
      const directory = accountDirectory(name);
      assert.ok(isAccountDirectory(directory), directory);
      assert.notEqual(directory, name);
    }
  });

  it('can be made of anything, and of itself', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.emailAddress()), (text) => {
        const directory = accountDirectory(text);
        assert.ok(isAccountDirectory(directory), directory);
        assert.equal(accountDirectory(directory), directory);
      }),
      { numRuns: 1000 },
    );
  });
});
