import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CommitStage } from '../faults/stage.ts';
import type { Fault, Site } from '../faults/strace.ts';

/** `npm run bench -- crash` goes through all of them. */
const SAMPLES = 8;

let stage: CommitStage;
let sites: readonly Site[];
let readsOfJournal: readonly Site[];

before(async () => {
  stage = await CommitStage.create();
  const all = await stage.record();
  sites = all.filter(({ changes }) => changes);
  readsOfJournal = all.filter(({ call, path }) => call === 'pread64' && path.endsWith('/journal.sqlite'));
});
after(() => stage[Symbol.asyncDispose]());

/** Some calls, from the first to the last, others for each fault. */
function sample(offset: number): Site[] {
  const step = sites.length / SAMPLES;
  return Array.from({ length: SAMPLES }, (_, index) => sites[Math.floor(index * step + offset * (step / 3))]).filter(
    (site) => site !== undefined,
  );
}

async function tryOut(fault: Fault, some: readonly Site[]): Promise<void> {
  for (const site of some) {
    const { hit } = await stage.tryOut(site, fault).catch((error: unknown) => {
      throw new Error(`${fault} at ${stage.shortOf(site)}`, { cause: error });
    });
    assert.ok(hit, `${fault} did not come to pass at ${stage.shortOf(site)}`);
  }
}

describe('chatkeep import, from the archive to the record in the journal', () => {
  it('makes the same calls in every run, so that each can be made to fail', async () => {
    const again = (await stage.record()).filter(({ changes }) => changes);
    assert.deepEqual(again, sites);
    const kinds = new Set(sites.map(({ call }) => call));
    for (const kind of ['rename', 'link', 'symlink', 'fsync', 'mkdir', 'write', 'pwrite64']) assert.ok(kinds.has(kind));
  });

  it('killed at a call, leaves the old or the new state, and the next start completes it', () =>
    tryOut('KILL', sample(0)));

  it('on a disk that is full at a call, says so or has the snapshot, and completes it the next time', () =>
    tryOut('ENOSPC', sample(1)));

  it('on a disk that fails at a call, says so or has the snapshot, and completes it the next time', () =>
    tryOut('EIO', sample(2)));

  it('on a disk that cannot read the journal, says so or has the snapshot, and completes it the next time', () => {
    // The first are those of opening it.
    assert.ok(readsOfJournal.length > 6, `${readsOfJournal.length} reads`);
    return tryOut('EIO', readsOfJournal.slice(2, 7));
  });
});
