import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { hasZipEnd, startsLikeZip } from '../../src/download/zip-marks.ts';
import { zipLike } from '../support/zip-like.ts';

const latin1 = (text: string) => Buffer.from(text, 'latin1');

/** An end-of-directory record with a comment (APPNOTE section 4.3.16). */
function endRecord(comment: Buffer): Buffer {
  const record = Buffer.concat([latin1('PK\x05\x06'), Buffer.alloc(18), comment]);
  record.writeUInt16LE(comment.length, 20);
  return record;
}

describe('the beginning of a ZIP', () => {
  it('is a local file header, or the end of an empty archive', () => {
    assert.ok(startsLikeZip(latin1('PK\x03\x04and so on')));
    assert.ok(startsLikeZip(endRecord(Buffer.alloc(0))));
  });

  it('may be too short to tell', () => {
    for (const bytes of ['', 'P', 'PK', 'PK\x03', 'PK\x05']) assert.ok(startsLikeZip(latin1(bytes)), bytes);
  });

  it('is nothing else', () => {
    for (const bytes of ['<', '<!DOCTYPE html>', '{"detail":', 'PKzip', 'PK\x01\x02', ' PK\x03\x04', '\x1f\x8b']) {
      assert.ok(!startsLikeZip(latin1(bytes)), bytes);
    }
  });
});

describe('the end of a ZIP', () => {
  it('is an end-of-directory record, with or without a comment', () => {
    assert.ok(hasZipEnd(zipLike(100)));
    assert.ok(hasZipEnd(endRecord(Buffer.alloc(0))));
    assert.ok(hasZipEnd(Buffer.concat([zipLike(100), endRecord(latin1('a comment'))])));
    assert.ok(hasZipEnd(endRecord(Buffer.alloc(65_535))));
  });

  it('is found behind a comment that looks like one', () => {
    assert.ok(hasZipEnd(endRecord(latin1('PK\x05\x06 is no end'))));
    assert.ok(hasZipEnd(endRecord(Buffer.concat([latin1('PK\x05\x06'), Buffer.alloc(40, 0xff)]))));
  });

  it('is missing where anything is cut off or follows', () => {
    const whole = zipLike(100);
    for (let length = 0; length < whole.length; length += 1) assert.ok(!hasZipEnd(whole.subarray(0, length)));
    assert.ok(!hasZipEnd(Buffer.concat([whole, Buffer.alloc(1)])));
    assert.ok(!hasZipEnd(endRecord(latin1('a comment')).subarray(0, -1)));
  });

  it('is found whatever the comment', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array({ maxLength: 300 }), (content, comment) => {
        assert.ok(hasZipEnd(Buffer.concat([content, endRecord(Buffer.from(comment))])));
      }),
    );
  });
});
