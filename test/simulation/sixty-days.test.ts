import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { DAY_MS } from '../../src/lib/clock.ts';
import type { Message } from '../../src/notify/index.ts';
import { tempDir } from '../support/temp-dir.ts';
import { type Happening, World } from './world.ts';

const GOLDEN = new URL('./sixty-days.golden.txt', import.meta.url);
const START_MS = Date.UTC(2026, 8, 1, 8);
const END_MS = START_MS + 60 * DAY_MS;

const at = (moment: string) => Date.parse(`2026-${moment}:00Z`);

/** What happens to Ada's backups in two months. */
const HAPPENINGS: readonly Happening[] = [
  { at: at('09-01T09:00'), what: 'Ada asks for her first export', happen: (world) => world.receive('started') },
  { at: at('09-01T09:40'), what: 'the export is ready', happen: (world) => world.exportIsReady() },
  { at: at('09-12T20:00'), what: 'the mail server goes down', happen: async (world) => world.mailServerIsUp(false) },
  { at: at('09-14T07:30'), what: 'the mail server is back', happen: async (world) => world.mailServerIsUp(true) },
  { at: at('10-01T18:00'), what: 'Ada, reminded, asks again', happen: (world) => world.receive('started') },
  {
    at: at('10-01T18:50'),
    what: 'the export is ready, but the login died on 30 September; Ada is away',
    happen: (world) => world.exportIsReady(),
  },
  { at: at('10-03T10:00'), what: 'Ada asks once more', happen: (world) => world.receive('started') },
  { at: at('10-03T10:30'), what: 'the export is ready', happen: (world) => world.exportIsReady() },
  {
    at: at('10-03T12:10'),
    what: 'Ada renews the login',
    happen: (world) => world.signIn(at('10-03T12:10') + 60 * DAY_MS),
  },
  {
    at: at('10-12T09:00'),
    what: 'Ada asks for an export that never becomes ready',
    happen: (world) => world.receive('started'),
  },
  {
    at: at('10-20T16:00'),
    what: 'Ada asks again; the mail that it is ready is taken for spam',
    happen: (world) => world.exportIsReady({ folder: 'Junk' }),
  },
  {
    at: at('10-24T11:00'),
    what: 'something else fills the disk',
    happen: (world) => world.fillDisk(9 * 1024 * 1024),
  },
  { at: at('10-27T10:00'), what: 'another export is ready', happen: (world) => world.exportIsReady() },
  { at: at('10-27T15:00'), what: 'Ada makes room', happen: (world) => world.makeRoom() },
];

describe('Sixty days of one mailbox', () => {
  it('are told in a few messages, none of them missing and none too many', async () => {
    await using directory = await tempDir();
    const world = new World(directory.path, START_MS);
    await world.live(HAPPENINGS, END_MS);
    const diary = diaryOf(world.told).replaceAll(directory.path, '');
    if (process.env.UPDATE_GOLDEN === '1') await writeFile(GOLDEN, diary);
    assert.equal(diary, await readFile(GOLDEN, 'utf8'), 'UPDATE_GOLDEN=1 writes the file anew');
  });
});

/** What happened (after `##`) and what Ada was told of it, in the order of time. */
function diaryOf(told: readonly Message[]): string {
  const entries = [
    ...HAPPENINGS.map(({ at: when, what }) => ({ when, text: `## ${momentOf(when)} ${what}\n` })),
    ...told.map(({ at: when, event, level, title, body }) => ({
      when,
      text: `${momentOf(when)} ${event} (${level})\n${title}\n${body.replace(/^(?=.)/gm, '    ')}\n`,
    })),
  ];
  return entries
    .toSorted((a, b) => a.when - b.when)
    .map(({ text }) => text)
    .join('\n');
}

function momentOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 16).replace('T', ' ');
}
