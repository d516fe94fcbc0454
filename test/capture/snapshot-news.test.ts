import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { newsData, newsLine, newsSentences, type SnapshotNews } from '../../src/capture/snapshot-news.ts';
import { DAY_MS, HOUR_MS } from '../../src/lib/clock.ts';

/** Look at it; UPDATE_GOLDEN=1 writes it anew. */
const GOLDEN = new URL('./snapshot-news.golden.txt', import.meta.url);
const ACCOUNT = 'ada@example.org';

type Changes = (SnapshotNews & { kind: 'compared' })['changes'];

function compared(changes: { [Kind in keyof Changes]?: Partial<Changes[Kind]> }, sinceMs = 7 * DAY_MS): SnapshotNews {
  return {
    kind: 'compared',
    before: `${ACCOUNT}/2026-11-14T190533Z`,
    sinceMs,
    changes: {
      conversations: { added: 0, changed: 0, gone: 0, noLongerCarried: 0, ...changes.conversations },
      messages: { added: 0, gone: 0, noLongerCarried: 0, ...changes.messages },
      files: { added: 0, gone: 0, noLongerCarried: 0, ...changes.files },
    },
  };
}

const deletions = compared({
  conversations: { added: 9, changed: 5, gone: 2 },
  messages: { added: 152, gone: 8 },
  files: { added: 15, gone: 1 },
});

const ALL: Readonly<Record<string, readonly [SnapshotNews, 'not whole'?]>> = {
  'the first snapshot': [{ kind: 'first' }],
  'an old export, taken in late': [{ kind: 'earliest' }],
  'a usual week': [
    compared({ conversations: { added: 9, changed: 5 }, messages: { added: 1152 }, files: { added: 15 } }),
  ],
  'one of each': [
    compared({ conversations: { added: 1, changed: 1, gone: 1 }, messages: { added: 1, gone: 1 } }, DAY_MS * 2),
  ],
  'messages in a conversation that was there': [compared({ conversations: { changed: 1 }, messages: { added: 2 } })],
  'another title': [compared({ conversations: { changed: 1 } })],
  'deletions only': [compared({ conversations: { gone: 3 }, messages: { gone: 41 } })],
  'all sorts': [deletions],
  'all sorts, and not all could be read': [deletions, 'not whole'],
  'nothing, the same afternoon': [compared({}, 3 * HOUR_MS)],
  'the first export of another format': [
    compared({
      conversations: { added: 4, changed: 3, noLongerCarried: 2 },
      messages: { added: 88, noLongerCarried: 1204 },
      files: { noLongerCarried: 31 },
    }),
  ],
  'another format, and nothing else': [compared({ messages: { noLongerCarried: 1 } }, 31 * DAY_MS)],
};

describe('What is new in a snapshot', () => {
  it('is told in plain sentences, what matters most first', async () => {
    const text = Object.entries(ALL)
      .map(([what, [news, notWhole]]) =>
        [`=== ${what}`, newsSentences(news, ACCOUNT, notWhole === undefined), `log: ${newsLine(news)}`, ''].join('\n'),
      )
      .join('\n');
    if (process.env.UPDATE_GOLDEN === '1') await writeFile(GOLDEN, text);
    assert.equal(text, await readFile(GOLDEN, 'utf8'), 'UPDATE_GOLDEN=1 writes the file anew');
  });

  it('is told to machines in numbers', () => {
    assert.deepEqual(newsData(deletions), {
      previousSnapshot: 'ada@example.org/2026-11-14T190533Z',
      sincePreviousMs: 7 * DAY_MS,
      conversationsAdded: 9,
      conversationsChanged: 5,
      conversationsGone: 2,
      messagesAdded: 152,
      messagesGone: 8,
      messagesNoLongerCarried: 0,
      filesAdded: 15,
      filesGone: 1,
      filesNoLongerCarried: 0,
    });
    assert.deepEqual(newsData({ kind: 'first' }), { previousSnapshot: null });
  });
});
