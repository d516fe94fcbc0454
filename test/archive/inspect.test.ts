import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ArchiveRefusal, inspectArchive } from '../../src/archive/index.ts';
import { openFilesBelow } from '../support/open-files.ts';
import { extraField, rawZip, zip64Field } from '../support/raw-zip.ts';
import { tempDir } from '../support/temp-dir.ts';
import { good, UNSAFE_ZIPS } from './unsafe-zips.ts';

const BUDGETS = { maxEntries: 1000, maxUnpackedBytes: 10_000_000, maxRatio: 200 };

let directory: Awaited<ReturnType<typeof tempDir>>;
before(async () => {
  directory = await tempDir();
});
after(() => directory[Symbol.asyncDispose]());

async function save(content: Buffer | string): Promise<string> {
  const path = join(directory.path, 'archive.zip');
  await writeFile(path, content);
  return path;
}

async function inspect(content: Buffer | string, budgets = BUDGETS) {
  return inspectArchive(await save(content), { budgets });
}

async function refusal(content: Buffer | string, budgets = BUDGETS): Promise<ArchiveRefusal> {
  try {
    await inspect(content, budgets);
  } catch (error) {
    if (error instanceof ArchiveRefusal) return error;
    throw error;
  }
  throw new Error('The archive was not refused.');
}

describe('what is no ZIP', () => {
  it('is named in words when it is a web page', async () => {
    const error = await refusal('\ufeff\n<!DOCTYPE html><html><body>Please sign in</body></html>');
    assert.equal(error.reason, 'not-a-zip');
    assert.equal(error.class, 'refused');
    assert.match(error.message, /^This is a web page \(HTML\), not a ZIP: /);
  });

  const others: readonly (readonly [what: string, content: Buffer | string, words: RegExp])[] = [
    ['empty', '', /empty/],
    ['an XML error', '<?xml version="1.0"?><Error><Code>AuthenticationFailed</Code></Error>', /XML/],
    ['a JSON error', '{"error":"expired"}', /JSON/],
    ['a file of zeros', Buffer.alloc(5000), /zeros/],
    ['a gzip file', Buffer.from([0x1f, 0x8b, 8, 0]), /gzip/],
    ['something unknown', 'hello', /something unknown/],
  ];
  for (const [what, content, words] of others) {
    it(`is named in words when it is ${what}`, async () => {
      const error = await refusal(content);
      assert.equal(error.reason, 'not-a-zip');
      assert.match(error.message, words);
    });
  }

  it('is refused when it is a device', async () => {
    await assert.rejects(inspectArchive('/dev/null', { budgets: BUDGETS }), { reason: 'not-a-zip' });
  });
});

describe('a ZIP that was cut off', () => {
  const whole = rawZip([{ name: 'user.json', content: '{}' }]);
  for (const missing of [1, 21, 22, 60]) {
    it(`is told as such with ${missing} bytes missing`, async () => {
      const error = await refusal(whole.subarray(0, whole.length - missing));
      assert.equal(error.reason, 'truncated');
      assert.match(error.message, /^The ZIP is cut off: its end is missing/);
    });
  }
});

describe('an inspected archive', () => {
  it('gives the files with their paths, sizes and times, and all directories', async () => {
    const inspection = await inspect(
      rawZip([
        { name: 'empty/', mode: 0o040700 },
        { name: 'a/b/c #\u202f😀.json', content: '[1]', dosTime: (3 << 11) | (4 << 5) | 5 },
        { name: 'chat.html', content: '<html>'.repeat(100), method: 0 },
      ]),
    );
    assert.ok(inspection.form === 'zip');
    assert.deepEqual(
      inspection.entries.map(({ path, bytes, method }) => ({ path, bytes, method })),
      [
        { path: 'a/b/c #\u202f😀.json', bytes: 3, method: 'deflated' },
        { path: 'chat.html', bytes: 600, method: 'stored' },
      ],
    );
    assert.deepEqual(inspection.directories, ['a', 'a/b', 'empty']);
    assert.equal(inspection.unpackedBytes, 603);
    assert.equal(inspection.newestEntry, Date.UTC(2026, 10, 21, 19, 5, 32));
  });

  it('reads DOS times as UTC, whatever the time zone of the machine', async () => {
    const inspection = await inspect(rawZip([{ name: 'a', content: 'x' }]));
    assert.equal(inspection.entries[0]?.modified, Date.UTC(2026, 10, 21, 19, 5, 32));
  });

  it('prefers the extended timestamp, unless no file system could hold it', async () => {
    const stamp = (seconds: number) => {
      const data = Buffer.from([1, 0, 0, 0, 0]);
      data.writeInt32LE(seconds, 1);
      return extraField(0x5455, data);
    };
    const inspection = await inspect(
      rawZip([
        { name: 'a', content: 'x', extra: stamp(1_700_000_001) },
        { name: 'b', content: 'x', extra: stamp(-1_000_000_000) },
      ]),
    );
    assert.deepEqual(
      inspection.entries.map(({ modified }) => modified),
      [1_700_000_001_000, Date.UTC(2026, 10, 21, 19, 5, 32)],
    );
  });

  it('has no newest time where the archive holds none', async () => {
    const inspection = await inspect(rawZip([{ name: 'a', content: 'x', dosDate: 0, dosTime: 0 }]));
    assert.equal(inspection.newestEntry, undefined);
  });

  it('may have FIFO bits or no type at all, as streamed archives have', async () => {
    const inspection = await inspect(
      rawZip([
        { name: 'a', content: 'x', mode: 0o010600 },
        { name: 'b', content: 'x', mode: 0 },
      ]),
    );
    assert.equal(inspection.entries.length, 2);
  });

  it('may have been streamed: sizes and checksum follow the data', async () => {
    const local = { crc32: 0, bytes: 0, packedBytes: 0, flags: 0x0808 };
    const inspection = await inspect(rawZip([{ name: 'a', content: 'xyz', flags: 0x0808, local }]));
    assert.equal(inspection.entries[0]?.bytes, 3);
  });

  it('may have its sizes in ZIP64 fields, here and there', async () => {
    const wide = { bytes: 0xffffffff, packedBytes: 0xffffffff, extra: zip64Field(3, 3) };
    const inspection = await inspect(rawZip([{ name: 'a', content: 'xyz', method: 0, ...wide }]));
    assert.equal(inspection.entries[0]?.bytes, 3);
  });

  it('may carry bytes before the first entry and a comment after the last', async () => {
    const archive = rawZip([{ name: 'a', content: 'x' }], {
      before: Buffer.from('#!/bin/sh\n'),
      comment: Buffer.from('hi'),
    });
    assert.equal((await inspect(archive)).entries.length, 1);
  });
});

describe('an unsafe or broken archive', () => {
  for (const [reason, what, archive, name] of UNSAFE_ZIPS) {
    it(`is refused as ${reason}: ${what}`, async () => {
      const error = await refusal(archive);
      assert.equal(error.reason, reason);
      if (name !== undefined) {
        assert.equal(error.entry, name);
        assert.ok(error.message.includes(`"${name}"`), error.message);
      }
    });
  }

  it('is refused when it has more entries than the budget', async () => {
    const error = await refusal(rawZip([good, { name: 'b' }]), { ...BUDGETS, maxEntries: 1 });
    assert.equal(error.reason, 'too-many-entries');
    assert.match(error.message, /archive\.max_entries/);
  });

  it('is refused when it would unpack to more than the budget', async () => {
    const error = await refusal(rawZip([good, { name: 'b', content: 'x'.repeat(500) }]), {
      ...BUDGETS,
      maxUnpackedBytes: 501,
    });
    assert.equal(error.reason, 'too-large');
    assert.match(error.message, /archive\.max_unpacked_gb/);
  });

  it('is refused when it would grow beyond the ratio', async () => {
    const error = await refusal(rawZip([{ name: 'zeros', content: Buffer.alloc(1_000_000) }]));
    assert.equal(error.reason, 'ratio');
    assert.match(error.message, /archive\.max_ratio/);
  });
});

describe('the inspection', () => {
  it('ends with the reason of the signal', async () => {
    const path = await save(rawZip([{ name: 'a' }]));
    const reason = new Error('enough');
    await assert.rejects(inspectArchive(path, { budgets: BUDGETS, signal: AbortSignal.abort(reason) }), reason);
    const controller = new AbortController();
    const inspection = inspectArchive(path, { budgets: BUDGETS, signal: controller.signal });
    controller.abort(reason);
    await assert.rejects(inspection, reason);
  });

  it('closes the archive, whether it was accepted or refused', async () => {
    const path = await save(rawZip([{ name: 'a' }]));
    await inspectArchive(path, { budgets: BUDGETS });
    await refusal(rawZip([{ name: '../a' }]));
    assert.deepEqual(await openFilesBelow(path), []);
  });
});
