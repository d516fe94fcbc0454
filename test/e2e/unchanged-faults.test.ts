import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CommitStage } from '../faults/stage.ts';
import type { Fault, Site } from '../faults/strace.ts';

let stage: CommitStage;
/** The calls that write the record of the unchanged export, and those that make its directories. */
let sites: readonly Site[];

before(async () => {
  stage = await CommitStage.create('unchanged');
  const changing = (await stage.record()).filter(({ changes }) => changes);
  sites = changing.filter(({ path }) => /\/staging\/unchanged\.json$|\/ada@example\.test\/\.chatkeep/.test(path));
});
after(() => stage[Symbol.asyncDispose]());

async function tryOut(fault: Fault): Promise<void> {
  const states = new Set<string>();
  for (const site of sites) {
    const { hit, state } = await stage.tryOut(site, fault).catch((error: unknown) => {
      throw new Error(`${fault} at ${stage.shortOf(site)}`, { cause: error });
    });
    assert.ok(hit, `${fault} did not come to pass at ${stage.shortOf(site)}`);
    states.add(state);
  }
  assert.ok(states.has('old'));
}

describe('chatkeep import of an export in which nothing has changed', () => {
  it('makes its directories, writes its record under another name, and renames it, all of it durably', () => {
    const calls = sites.map(({ call }) => call);
    for (const call of ['mkdir', 'openat', 'write', 'fsync', 'rename']) assert.ok(calls.includes(call), `${calls}`);
  });

  it('killed at any of these calls, leaves no record or a whole one, and the next start completes it', () =>
    tryOut('KILL'));

  it('on a disk that is full at any of them, says so or has the record, and completes it the next time', () =>
    tryOut('ENOSPC'));
});
