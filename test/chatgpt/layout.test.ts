import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { exportTimeOf, looksLikeExport } from '../../src/chatgpt/index.ts';

const STAMP = Date.UTC(2026, 10, 21, 19, 5, 33);
const LATER = STAMP + 3_600_000;

describe('a folder', () => {
  for (const names of [
    ['conversations.json'],
    ['conversations-000.json', 'x'],
    ['chat.html'],
    ['user.json'],
    ['export_manifest.json'],
    ['Payment Information', 'User Online Activity'],
  ]) {
    it(`with ${names.join(' and ')} is an export`, () => assert.equal(looksLikeExport(names), true));
  }

  for (const names of [[], ['photo.jpg'], ['chat.html.part'], ['my conversations.json'], ['conversations-1.json']]) {
    it(`with ${names.join(' and ') || 'nothing'} is none`, () => assert.equal(looksLikeExport(names), false));
  }
});

describe('the time of an export', () => {
  const timeOf = (files: Record<string, number>) =>
    exportTimeOf({
      entries: Object.entries(files).map(([path, modified]) => ({ path, modified })),
      newestEntry: Object.keys(files).length === 0 ? undefined : Math.max(...Object.values(files)),
    });

  it('is that of its own files, at the top or in the one folder around everything', () => {
    assert.equal(timeOf({ 'chat.html': STAMP, 'notes.txt': LATER }), STAMP);
    assert.equal(timeOf({ 'export/user.json': STAMP, 'export/notes.txt': LATER }), STAMP);
    assert.equal(timeOf({ 'User Online Activity/Conversations__ab-chatgpt-0001.zip': STAMP, 'x.csv': LATER }), STAMP);
    assert.equal(timeOf({ 'chat.html': STAMP, 'a/b/chat.html': LATER }), STAMP);
  });

  it('is that of the newest file where its own have none, or there is none', () => {
    assert.equal(timeOf({ 'chat.html': Date.UTC(1980, 0, 1), 'notes.txt': LATER }), LATER);
    assert.equal(timeOf({ 'a.dat': STAMP, 'b.dat': LATER }), LATER);
    assert.equal(timeOf({}), undefined);
  });
});
