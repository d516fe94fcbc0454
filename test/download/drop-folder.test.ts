import assert from 'node:assert/strict';
import { appendFile, chmod, mkdir, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { pino } from 'pino';
import { DropFolder, type DroppedFile, fileKey } from '../../src/download/index.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../src/lib/clock.ts';
import { exists } from '../../src/lib/files.ts';
import { tempDir } from '../support/temp-dir.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { inVirtualTime } from '../support/virtual-time.ts';
import { zipLike } from '../support/zip-like.ts';

const ARCHIVE = zipLike(1000);
const LOOK_MS = 2 * SECOND_MS;
const NOBODY = 65_534;

/** A watched folder: what was handed over, and what was logged. */
class Scene {
  readonly clock = new VirtualClock();
  readonly path: string;
  readonly files: DroppedFile[] = [];
  /** What was told to lie there, each time that was told. */
  readonly present: (readonly string[])[] = [];
  readonly logged: { level: number; msg: string; file?: string }[] = [];
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  /** @param onFile beside the record of what was handed over */
  constructor(path: string, onFile: (file: DroppedFile) => Promise<void> = async () => {}) {
    this.path = path;
    const logger = pino({}, { write: (line: string) => void this.logged.push(JSON.parse(line)) });
    const isExportFolder = (names: readonly string[]) => names.includes('user.json');
    this.#running = new DropFolder({ path, isExportFolder, clock: this.clock, logger }).run(
      {
        onFile: async (file) => {
          this.files.push(file);
          await onFile(file);
        },
        onPresent: async (keys) => void this.present.push(keys),
      },
      this.#stop.signal,
    );
  }

  /** Lets time pass, and everything happen that happens in it. */
  async pass(ms: number): Promise<void> {
    await inVirtualTime(this.clock, this.clock.sleep(ms));
    await inVirtualTime(this.clock, this.clock.sleep(1));
  }

  /** The names of the files handed over, each once. */
  get names(): string[] {
    return [...new Set(this.files.map(({ name }) => name))];
  }

  put(name: string, content: Buffer = ARCHIVE): Promise<void> {
    return writeFile(join(this.path, name), content);
  }

  /** Puts a folder in, with files of these names. */
  async putFolder(name: string, files: readonly string[]): Promise<void> {
    for (const file of files) {
      await mkdir(dirname(join(this.path, name, file)), { recursive: true });
      await writeFile(join(this.path, name, file), file);
    }
  }

  remove(name: string): Promise<void> {
    return rm(join(this.path, name), { recursive: true });
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await inVirtualTime(this.clock, this.#running);
  }
}

/** Does something as a user who may read what all may; root may read everything. */
async function asNobody(work: () => Promise<void>): Promise<void> {
  if (process.geteuid?.() !== 0) return work();
  process.seteuid?.(NOBODY);
  try {
    await work();
  } finally {
    process.seteuid?.(0);
  }
}

/** A folder in which something lies that is none of ours: it is looked at every {@link LOOK_MS}. */
async function scene(
  play: (scene: Scene) => Promise<void>,
  onFile?: (file: DroppedFile) => Promise<void>,
): Promise<void> {
  await using directory = await tempDir();
  const path = join(directory.path, 'drop');
  await mkdir(path);
  await writeFile(join(path, 'note.txt'), 'mine');
  const stage = new Scene(path, onFile);
  await stage.pass(1);
  try {
    await play(stage);
  } finally {
    await stage.stop();
  }
}

describe('the drop folder', () => {
  it('is made if it is missing, and looked at every five seconds while it is empty', async () => {
    await using directory = await tempDir();
    const stage = new Scene(join(directory.path, 'not/there'));
    await stage.pass(1);
    assert.ok(await exists(stage.path));
    await stage.put('export.zip');
    await stage.pass(5 * SECOND_MS + LOOK_MS);
    assert.deepEqual(stage.names, ['export.zip']);
    await stage.stop();
  });

  it('hands a whole file over as soon as two looks have seen it alike', () =>
    scene(async (stage) => {
      await stage.put('export.zip');
      await stage.pass(LOOK_MS);
      assert.deepEqual(stage.files, []);
      await stage.pass(LOOK_MS);
      const path = join(stage.path, 'export.zip');
      const { key } = await fileKey(path);
      assert.deepEqual(stage.files, [{ path, name: 'export.zip', bytes: ARCHIVE.length, key }]);
    }));

  it('hands a file over at every look while it lies there, always under one key', () =>
    scene(async (stage) => {
      await stage.put('export.zip');
      await stage.pass(5 * LOOK_MS);
      assert.equal(stage.files.length, 4);
      assert.equal(new Set(stage.files.map(({ key }) => key)).size, 1);
      await rm(join(stage.path, 'export.zip'));
      await stage.pass(5 * LOOK_MS);
      assert.equal(stage.files.length, 4);
    }));

  it('takes names as browsers and people make them', () =>
    scene(async (stage) => {
      const names = ['EXPORT.ZIP', 'export (1).zip', 'größer 日本.zip', `${'a'.repeat(200)}.zip`];
      for (const name of names) await stage.put(name);
      await stage.pass(2 * LOOK_MS);
      assert.deepEqual(stage.names.sort(), names.sort());
    }));

  it('passes over what is hidden, unfinished, no ZIP or no file', () =>
    scene(async (stage) => {
      for (const name of [
        '.hidden.zip',
        '.export.zip.AbC',
        '.com.google.Chrome.AbC',
        'a.zip.crdownload',
        'Unconfirmed 123456.crdownload',
        'a.zip.part',
        'a.AbC1d2_-.zip.part',
        'a.zip.opdownload',
        'a.zip.partial',
        'a.zip~',
        'a.txt',
        'zip',
        '._a.zip',
      ]) {
        await stage.put(name);
      }
      await mkdir(join(stage.path, 'directory.zip'));
      await stage.putFolder('a.zip.download', ['a.zip', 'Info.plist', 'user.json']);
      await stage.putFolder('photos', ['1.jpg']);
      await stage.putFolder('@eaDir', ['user.json']);
      await symlink('/etc/hostname', join(stage.path, 'link.zip'));
      await symlink('/etc', join(stage.path, 'link'));
      await stage.pass(HOUR_MS / 10);
      assert.deepEqual(stage.names, []);
      assert.deepEqual(stage.logged, []);
    }));

  for (const [browser, partial, whole] of [
    ['Chromium', 'a.zip.crdownload', 'a.zip'],
    ['Chromium, a second time', 'a (1).zip.crdownload', 'a (1).zip'],
    ['Opera', 'a.zip.opdownload', 'a.zip'],
    ['Firefox before it knows the name', 'Xy12.zip.part', 'a.zip'],
  ] as const) {
    it(`takes a file that ${browser} has given its name at last`, () =>
      scene(async (stage) => {
        await stage.put(partial, ARCHIVE.subarray(0, 500));
        await stage.pass(2 * LOOK_MS);
        await stage.put(partial);
        await rename(join(stage.path, partial), join(stage.path, whole));
        await stage.pass(2 * LOOK_MS);
        assert.deepEqual(stage.names, [whole]);
        assert.ok(stage.files.every(({ bytes }) => bytes === ARCHIVE.length));
      }));
  }

  for (const partial of ['a.zip.part', 'a.AbC1d2_-.zip.part']) {
    it(`waits for Firefox, which keeps the name with an empty file beside ${partial}, for as long as it takes`, () =>
      scene(async (stage) => {
        await stage.put('a.zip', Buffer.alloc(0));
        await stage.put(partial, ARCHIVE.subarray(0, 500));
        await stage.pass(HOUR_MS / 10);
        assert.deepEqual(stage.names, []);
        await stage.put(partial);
        await rename(join(stage.path, partial), join(stage.path, 'a.zip'));
        await stage.pass(2 * LOOK_MS);
        assert.deepEqual(stage.names, ['a.zip']);
        assert.ok(stage.files.every(({ bytes }) => bytes === ARCHIVE.length));
      }));
  }

  it('hands over an empty file that nothing comes into for a minute', () =>
    scene(async (stage) => {
      await stage.put('empty.zip', Buffer.alloc(0));
      await stage.pass(MINUTE_MS - LOOK_MS);
      assert.deepEqual(stage.names, []);
      await stage.pass(3 * LOOK_MS);
      assert.deepEqual(stage.names, ['empty.zip']);
      assert.deepEqual(stage.logged, []);
    }));

  it('waits for a file that grows, with pauses, until its end is there', () =>
    scene(async (stage) => {
      const path = join(stage.path, 'export.zip');
      for (let at = 0; at < 1000; at += 250) {
        assert.deepEqual(stage.names, []);
        await appendFile(path, ARCHIVE.subarray(at, at + 250));
        await stage.pass(MINUTE_MS / 2);
      }
      assert.deepEqual(stage.names, ['export.zip']);
      assert.ok(stage.files.every(({ bytes }) => bytes === 1000));
    }));

  it('hands over what never gets an end after a minute without a change, whatever its time stamp says', () =>
    scene(async (stage) => {
      const path = join(stage.path, 'broken.zip');
      await stage.put('broken.zip', Buffer.from('no ZIP'));
      const past = stage.clock.now() / 1000 - 3600;
      await utimes(path, past, past);
      await stage.pass(MINUTE_MS - LOOK_MS);
      assert.deepEqual(stage.names, []);
      await stage.pass(3 * LOOK_MS);
      assert.deepEqual(stage.names, ['broken.zip']);

      await stage.put('from-the-future.zip', Buffer.from('no ZIP'));
      const future = stage.clock.now() / 1000 + 360_000;
      await utimes(join(stage.path, 'from-the-future.zip'), future, future);
      await stage.pass(MINUTE_MS + 2 * LOOK_MS);
      assert.deepEqual(stage.names, ['broken.zip', 'from-the-future.zip']);
    }));

  it('gives another key to another file of the same name', () =>
    scene(async (stage) => {
      await stage.put('export.zip');
      await stage.pass(2 * LOOK_MS);
      await stage.put('export.zip', zipLike(2000));
      await stage.pass(2 * LOOK_MS);
      await stage.put('export.zip', zipLike(2000, 1));
      await utimes(join(stage.path, 'export.zip'), 1, 1);
      await stage.pass(2 * LOOK_MS);
      const keys = new Set(stage.files.map(({ key }) => key));
      assert.equal(keys.size, 3);
    }));

  it('tells what lies there at the first look and whenever something is gone, and at no other time', () =>
    scene(async (stage) => {
      assert.deepEqual(stage.present, [[]]);
      await stage.put('a.zip');
      await stage.put('b.zip', Buffer.from('no ZIP'));
      await stage.pass(3 * LOOK_MS);
      assert.equal(stage.present.length, 1);
      await stage.remove('a.zip');
      await stage.pass(3 * LOOK_MS);
      const { key } = await fileKey(join(stage.path, 'b.zip'));
      assert.deepEqual(stage.present, [[], [key]]);
      await stage.put('a.zip');
      await stage.pass(3 * LOOK_MS);
      assert.equal(stage.present.length, 2);
    }));

  it('does not take a folder that cannot be read for one that is empty', () =>
    scene(async (stage) => {
      await stage.put('a.zip');
      await stage.pass(2 * LOOK_MS);
      await rename(stage.path, `${stage.path}-away`);
      await writeFile(stage.path, 'in the way');
      await stage.pass(5 * LOOK_MS);
      await rm(stage.path);
      await rename(`${stage.path}-away`, stage.path);
      await stage.pass(5 * LOOK_MS);
      assert.deepEqual(stage.present, [[]]);
    }));

  it('goes on when a file cannot be taken in, and tells it', async () => {
    await scene(
      async (stage) => {
        await stage.put('a.zip');
        await stage.put('b.zip');
        await stage.pass(2 * LOOK_MS);
        assert.deepEqual(stage.names, ['a.zip', 'b.zip']);
        assert.deepEqual(
          stage.logged.map(({ msg, file }) => [msg, file]),
          [['a file in the drop folder could not be taken in; it is tried again', 'a.zip']],
        );
      },
      async ({ name }) => {
        if (name === 'a.zip') throw new Error('the journal is locked');
      },
    );
  });

  it('tells once of a file that cannot be taken in for long, and once more when it can', async () => {
    let failing = true;
    await scene(
      async (stage) => {
        await stage.put('a.zip');
        await stage.pass(10 * LOOK_MS);
        assert.ok(stage.files.length > 5);
        assert.deepEqual(
          stage.logged.map(({ level, file }) => [level, file]),
          [[50, 'a.zip']],
        );
        await stage.put('b.zip');
        await stage.pass(3 * LOOK_MS);
        assert.equal(stage.logged[1]?.file, 'b.zip');
        failing = false;
        await stage.pass(3 * LOOK_MS);
        assert.deepEqual(
          stage.logged.slice(2).map(({ level, msg, file }) => [level, msg, file]),
          ['a.zip', 'b.zip'].map((file) => [30, 'a file in the drop folder could be taken in at last', file]),
        );
      },
      async () => {
        if (failing) throw new Error('database or disk is full');
      },
    );
  });

  it('goes on when it cannot be read, tells it once, and sees what is put in afterwards', async () => {
    await using directory = await tempDir();
    const path = join(directory.path, 'drop');
    await writeFile(path, 'in the way');
    const stage = new Scene(path);
    await stage.pass(10 * LOOK_MS);
    assert.deepEqual(
      stage.logged.map(({ level, msg }) => [level, msg]),
      [[50, 'the drop folder cannot be read; it is tried on']],
    );
    await rm(path);
    await stage.pass(LOOK_MS);
    await stage.put('export.zip');
    await stage.pass(5 * SECOND_MS + LOOK_MS);
    assert.deepEqual(stage.names, ['export.zip']);

    await rm(path, { recursive: true });
    await writeFile(path, 'in the way again');
    await stage.pass(10 * LOOK_MS);
    assert.equal(stage.logged.length, 2);
    await stage.stop();
  });

  it('tells once of a file that may not be read, and takes it as soon as it may', () =>
    scene(async (stage) => {
      const path = join(stage.path, 'export.zip');
      await writeFile(path, ARCHIVE, { mode: 0 });
      for (const directory of [stage.path, dirname(stage.path)]) await chmod(directory, 0o755);
      await asNobody(() => stage.pass(10 * LOOK_MS));
      assert.deepEqual(stage.names, []);
      assert.deepEqual(
        stage.logged.map(({ level, file }) => [level, file]),
        [[40, 'export.zip']],
      );
      await chmod(path, 0o644);
      await asNobody(() => stage.pass(2 * LOOK_MS));
      assert.deepEqual(stage.names, ['export.zip']);
    }));

  it('ends when it is told to, even before its first look', async () => {
    await using directory = await tempDir();
    const stage = new Scene(join(directory.path, 'drop'));
    await stage.stop();
    assert.deepEqual(stage.files, []);
    assert.equal(stage.clock.sleeping, 0);
  });
});

describe('an unpacked export in the drop folder', () => {
  const FILES = ['chat.html', 'user.json', 'a/image/1.png'];

  it('is handed over when nothing in it has changed for a minute', () =>
    scene(async (stage) => {
      await stage.putFolder('my export', FILES.slice(0, 2));
      await stage.pass(MINUTE_MS / 2);
      await stage.putFolder('my export', FILES.slice(2));
      await stage.pass(MINUTE_MS / 2);
      await appendFile(join(stage.path, 'my export', 'a/image/1.png'), 'more of it');
      await stage.pass(MINUTE_MS - LOOK_MS);
      assert.deepEqual(stage.names, []);
      await stage.pass(3 * LOOK_MS);
      const [folder] = stage.files;
      assert.deepEqual(stage.names, ['my export']);
      assert.equal(folder?.bytes, FILES.join('more of it').length - 10);
    }));

  it('is awaited while Safari still writes its bundle beside it', () =>
    scene(async (stage) => {
      await stage.putFolder('export', FILES);
      await stage.putFolder('export.zip.download', ['Info.plist']);
      await stage.pass(3 * MINUTE_MS);
      assert.deepEqual(stage.names, []);
      await stage.remove('export.zip.download');
      await stage.pass(2 * LOOK_MS);
      assert.deepEqual(stage.names, ['export']);
    }));

  it('keeps its key when a file manager leaves something in it, and has another when a file changes', () =>
    scene(async (stage) => {
      await stage.putFolder('export', FILES);
      await stage.pass(2 * MINUTE_MS);
      await stage.putFolder('export', ['.DS_Store', 'a/._1.png', 'a/Thumbs.db']);
      await stage.pass(2 * MINUTE_MS);
      assert.equal(new Set(stage.files.map(({ key }) => key)).size, 1);
      await stage.put('export/chat.html', Buffer.from('another'));
      await stage.pass(2 * MINUTE_MS);
      assert.equal(new Set(stage.files.map(({ key }) => key)).size, 2);
    }));

  it('that holds a link is handed over without following it', () =>
    scene(async (stage) => {
      await stage.putFolder('export', FILES);
      await symlink('/', join(stage.path, 'export', 'root'));
      await stage.pass(2 * MINUTE_MS);
      assert.deepEqual(stage.names, ['export']);
    }));
});
