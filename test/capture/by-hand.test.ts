import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rename, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { sha256 } from '../../src/lib/hash.ts';
import { createAccount, GENERATIONS, writeExport } from '../support/openai/exports/index.ts';
import { EXPORT_ID, FOUND_MS } from './examples.ts';
import { EXPORT_FILES, READY, Workshop, wantsLogin, withMethods } from './workshop.ts';

const account = createAccount({ seed: 'by hand', email: 'ann@example.org', conversations: 4 });

/** Lays an unpacked export into the drop folder, with the times of its ZIP. */
async function layOut(
  workshop: Workshop,
  name: string,
  files: Readonly<Record<string, string>> = EXPORT_FILES,
  time = FOUND_MS,
): Promise<string> {
  const folder = join(workshop.drop, name);
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
    await utimes(join(folder, path), time / 1000, time / 1000);
  }
  return folder;
}

/** As the drop folder hands it on; gives the capture's id. */
function take(workshop: Workshop, name: string): Promise<string> {
  const path = join(workshop.drop, name);
  return workshop.intake.takeFile({ path, name, key: `key of ${name}`, afterwards: 'delete', account: undefined });
}

async function metaOf(workshop: Workshop, snapshot: string): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(join(workshop.backups.path, snapshot, '.chatkeep/snapshot.json'), 'utf8'));
}

describe('An unpacked export', () => {
  it('becomes the snapshot that its ZIP would have become, and is deleted', async () => {
    await using workshop = await Workshop.open();
    const folder = await layOut(workshop, 'my chats');
    await writeFile(join(folder, '.DS_Store'), 'litter');
    await take(workshop, 'my chats');
    await workshop.untilTidy('committed');
    const [snapshot = ''] = await workshop.snapshots();
    assert.equal(snapshot, 'ann@example.org/2026-11-21T185533Z');
    for (const [name, content] of Object.entries(EXPORT_FILES)) {
      assert.equal(await readFile(join(workshop.backups.path, snapshot, name), 'utf8'), content);
    }
    const { archive, source } = await metaOf(workshop, snapshot);
    const sums = await readFile(join(workshop.backups.path, snapshot, '.chatkeep/SHA256SUMS'));
    const bytes = Object.values(EXPORT_FILES).join('').length;
    assert.deepEqual(archive, { sha256: sha256(sums), bytes, form: 'folder' });
    assert.deepEqual(source, { kind: 'file', name: 'my chats' });
    assert.deepEqual(await readdir(workshop.drop), []);
  });

  for (const name of [EXPORT_ID, `${EXPORT_ID} 2`, `${EXPORT_ID} (1)`, 'my chats']) {
    it(`completes the capture that waits for it, as "${name.replace(EXPORT_ID, '<export>')}"`, async () => {
      await using workshop = await Workshop.open();
      workshop.download = wantsLogin;
      await workshop.mail();
      const waiting = await workshop.untilState('needs-login');
      await layOut(workshop, name);
      assert.equal(await take(workshop, name), waiting.id);
      await workshop.untilTidy('committed');
      assert.deepEqual(await readdir(workshop.drop), []);
    });
  }

  it('of which the ZIP was kept before is a duplicate', async () => {
    await using workshop = await Workshop.open();
    await workshop.dropIn(await workshop.archive('a.zip'), 'a.zip');
    await workshop.untilTidy('committed');
    await layOut(workshop, 'a');
    await workshop.untilTidy('duplicate', await take(workshop, 'a'));
    assert.equal((await workshop.snapshots()).length, 1);
  });

  it('with a link in it is refused and stays where it is', async () => {
    await using workshop = await Workshop.open();
    const folder = await layOut(workshop, 'a');
    await symlink('/etc/passwd', join(folder, 'passwd'));
    await take(workshop, 'a');
    const { state } = await workshop.untilState('refused');
    assert.ok(state.name === 'refused');
    assert.deepEqual([state.kept, await readdir(workshop.drop)], [folder, ['a']]);
    assert.match(state.reason, /"passwd" is a symbolic link/);
  });

  it('into which something was put after it was taken in stays where it is', async () => {
    await using workshop = await Workshop.open({
      backups: (real) =>
        withMethods(real, {
          commit: async (draft, options) => {
            const result = await real.commit(draft, options);
            await writeFile(join(workshop.drop, 'a', 'diary.txt'), 'mine');
            return result;
          },
        }),
    });
    await layOut(workshop, 'a');
    await take(workshop, 'a');
    await workshop.untilTidy('committed');
    assert.deepEqual(
      (await readdir(join(workshop.drop, 'a'))).sort(),
      [...Object.keys(EXPORT_FILES), 'diary.txt'].sort(),
    );
  });

  it('that was deleted in part when the process died is deleted to the end', async () => {
    await using workshop = await Workshop.open({
      backups: (real) =>
        withMethods(real, {
          commit: async (draft, options) => {
            const result = await real.commit(draft, options);
            // As a process leaves it that dies in the middle of the deletion.
            await rename(join(workshop.drop, 'a'), join(workshop.drop, '.a.deleted-by-chatkeep'));
            return result;
          },
        }),
    });
    await layOut(workshop, 'a');
    await take(workshop, 'a');
    await workshop.untilTidy('committed');
    assert.deepEqual(await readdir(workshop.drop), []);
  });
});

describe('An export with something of its owner between its files', () => {
  it('completes the capture by the time of its own files, whatever lies between them', async () => {
    await using workshop = await Workshop.open();
    workshop.download = wantsLogin;
    await workshop.mail();
    const waiting = await workshop.untilState('needs-login');
    const folder = await layOut(workshop, '.work', { ...EXPORT_FILES, 'notes of mine.txt': 'x' });
    await utimes(join(folder, 'notes of mine.txt'), FOUND_MS / 1000 + 9000, FOUND_MS / 1000 + 9000);
    await rename(folder, join(workshop.drop, 'renamed'));
    assert.equal(await take(workshop, 'renamed'), waiting.id);
    await workshop.untilTidy('committed');
    assert.deepEqual(await workshop.snapshots(), ['ann@example.org/2026-11-21T185533Z']);
  });
});

describe('A file without a name to go by', () => {
  it('is a capture of its own when two captures wait for exports of its second', async () => {
    await using workshop = await Workshop.open();
    workshop.download = wantsLogin;
    await workshop.mail(READY);
    await workshop.mail({ ...READY, exportId: 'cafe-2026-11-21-18-55-33' });
    await workshop.until('both wait', async () =>
      (await workshop.captures()).every(({ state }) => state.name === 'needs-login') ? true : undefined,
    );
    const waiting = (await workshop.captures()).map(({ id }) => id);
    const id = await workshop.dropIn(await workshop.archive('a.zip'), 'export.zip');
    assert.ok(!waiting.includes(id));
    await workshop.untilTidy('committed', id);
    assert.equal((await workshop.journal.openCaptures()).length, 2);
  });
});

describe('An export of years ago', () => {
  for (const generation of GENERATIONS) {
    it(`of generation ${generation} is dated by the stamp in its name`, async () => {
      await using workshop = await Workshop.open();
      const stamp = new Date('2023-05-06T07:08:09Z');
      const path = join(workshop.directory, 'x.zip');
      const { name } = await writeExport(account, { generation, stamp, to: path });
      await workshop.dropIn(path, name);
      await workshop.untilTidy('committed');
      assert.deepEqual(await workshop.snapshots(), ['ann@example.org/2023-05-06T070809Z']);
    });
  }

  it('that was renamed is dated by its entries, the snapshot and what it says of itself alike', async () => {
    await using workshop = await Workshop.open();
    const path = join(workshop.directory, 'x.zip');
    await writeExport(account, {
      generation: 'G1',
      stamp: new Date('2023-05-06T07:08:10Z'),
      timestamps: 'dos',
      to: path,
    });
    await workshop.dropIn(path, 'old.zip');
    await workshop.untilTidy('committed');
    const [snapshot = ''] = await workshop.snapshots();
    assert.equal(snapshot, 'ann@example.org/2023-05-06T070810Z');
    const { exportTime, id } = await metaOf(workshop, snapshot);
    assert.deepEqual([exportTime, id], ['2023-05-06T07:08:10.000Z', snapshot]);
  });
});

describe('The container of the Privacy Portal', () => {
  it('is kept under its account, its conversations opened, the rest as it is', async () => {
    await using workshop = await Workshop.open();
    const path = join(workshop.directory, 'x.zip');
    const { entries } = await writeExport(account, {
      generation: 'portal',
      stamp: new Date('2026-05-06T07:08:10Z'),
      to: path,
    });
    await workshop.dropIn(path, 'portal.zip');
    await workshop.untilTidy('committed');
    const [snapshot = ''] = await workshop.snapshots();
    assert.equal(snapshot, 'ann@example.org/2026-05-06T070810Z');
    const { archive } = await metaOf(workshop, snapshot);
    const { opened } = z.object({ opened: z.array(z.object({ path: z.string(), sha256: z.string() })) }).parse(archive);
    assert.ok(opened.length >= 2);
    for (const { path: entry, sha256: expected } of entries) {
      const kept = join(workshop.backups.path, snapshot, entry);
      const inner = opened.find((each) => each.path === entry);
      if (inner === undefined) assert.equal(sha256(await readFile(kept)), expected);
      else {
        assert.equal(inner.sha256, expected);
        assert.ok((await readdir(kept.replace(/\.zip$/, ''))).includes('user.json'));
      }
    }
  });
});
