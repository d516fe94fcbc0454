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
  readonly logged: { level: number; msg: string; file?: string }[] = [];
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  /** @param onFile beside the record of what was handed over */
  constructor(path: string, onFile: (file: DroppedFile) => Promise<void> = async () => {}) {
    this.path = path;
    const logger = pino({}, { write: (line: string) => void this.logged.push(JSON.parse(line)) });
    this.#running = new DropFolder({ path, clock: this.clock, logger }).run(async (file) => {
      this.files.push(file);
      await onFile(file);
    }, this.#stop.signal);
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

async function scene(
  play: (scene: Scene) => Promise<void>,
  onFile?: (file: DroppedFile) => Promise<void>,
): Promise<void> {
  await using directory = await tempDir();
  const stage = new Scene(join(directory.path, 'drop'), onFile);
  await stage.pass(1);
  try {
    await play(stage);
  } finally {
    await stage.stop();
  }
}

describe('the drop folder', () => {
  it('is made if it is missing', () =>
    scene(async (stage) => {
      assert.ok(await exists(stage.path));
    }));

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

  it('passes over what is hidden, unfinished, no ZIP, no file or empty', () =>
    scene(async (stage) => {
      for (const name of [
        '.hidden.zip',
        '.export.zip.AbC',
        'a.zip.crdownload',
        'a.zip.part',
        'a.zip~',
        'a.txt',
        'zip',
      ]) {
        await stage.put(name);
      }
      await stage.put('empty.zip', Buffer.alloc(0));
      await mkdir(join(stage.path, 'directory.zip'));
      await symlink('/etc/hostname', join(stage.path, 'link.zip'));
      await stage.pass(HOUR_MS / 10);
      assert.deepEqual(stage.names, []);
      assert.deepEqual(stage.logged, []);
    }));

  it('takes a file that the browser has given its name at last', () =>
    scene(async (stage) => {
      await stage.put('a.zip.crdownload');
      await stage.pass(2 * LOOK_MS);
      await rename(join(stage.path, 'a.zip.crdownload'), join(stage.path, 'a.zip'));
      await stage.pass(2 * LOOK_MS);
      assert.deepEqual(stage.names, ['a.zip']);
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
    await stage.pass(2 * LOOK_MS);
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
