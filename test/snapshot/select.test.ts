import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type SnapshotList, selectSnapshot, selectSnapshots } from '../../src/snapshot/index.ts';

function listOf(...ids: string[]): SnapshotList {
  const damaged = ids.map((id) => {
    const [account = '', name = ''] = id.split('/');
    return { id, account, name, path: `/backups/${id}`, problem: 'It is broken.' };
  });
  return { snapshots: [], unchanged: [], damagedRecords: [], strangers: [], damaged };
}

const list = listOf(
  'ann/2026-11-20T190533Z',
  'ann/2026-11-21T190533Z',
  'ann/2026-11-21T190533Z-2',
  'work/2026-11-22T080000Z',
);
const ids = (wanted: string) => selectSnapshots(list, wanted).map(({ id }) => id);

describe('the snapshots that a person means', () => {
  it('are named by id, by account or by name; damaged ones, too', () => {
    assert.deepEqual(ids('ann/2026-11-21T190533Z'), ['ann/2026-11-21T190533Z']);
    assert.deepEqual(ids('work'), ['work/2026-11-22T080000Z']);
    assert.deepEqual(ids('2026-11-22T080000Z'), ['work/2026-11-22T080000Z']);
  });

  it('may be the latest: of all, or of an account', () => {
    assert.deepEqual(ids('latest'), ['work/2026-11-22T080000Z']);
    assert.deepEqual(ids('ann/latest'), ['ann/2026-11-21T190533Z-2']);
  });

  it('may be named by the beginning of an id or a name, where that is the only one', () => {
    assert.deepEqual(ids('2026-11-20'), ['ann/2026-11-20T190533Z']);
    assert.deepEqual(ids('wor'), ['work/2026-11-22T080000Z']);
    assert.throws(() => ids('2026-11-21'), {
      class: 'not-found',
      message: '"2026-11-21" may be any of 2 snapshots: ann/2026-11-21T190533Z, ann/2026-11-21T190533Z-2.',
    });
    for (const nobody of ['nobody', 'nobody/latest', '']) assert.throws(() => ids(nobody), { class: 'not-found' });
  });

  it('must be one where one is asked for', () => {
    assert.equal(selectSnapshot(list, 'work').id, 'work/2026-11-22T080000Z');
    assert.throws(() => selectSnapshot(list, 'ann'), { class: 'not-found', message: /any of 3 snapshots/ });
  });
});
