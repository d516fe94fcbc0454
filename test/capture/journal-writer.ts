import { openSqliteJournal } from '../../src/capture/sqlite-journal.ts';
import { END_STATES, noticeCapture, OPEN_STATES, someMessage } from './examples.ts';

/** A process that records one capture after the other, and tells its parent of each, until it is killed. */
const [path = '', first = '0'] = process.argv.slice(2);
const journal = openSqliteJournal(path);
for (let n = Number(first); ; n += 1) {
  const rest = { id: `capture-${n}`, exportId: `export-${n}` };
  await journal.record({ captures: [noticeCapture(OPEN_STATES.found, rest)] });
  await journal.record({
    captures: [noticeCapture(END_STATES.expired, { ...rest, origin: { link: undefined } })],
    notifications: [{ message: someMessage(), recipients: ['ntfy'] }],
  });
  await new Promise((resolve) => process.send?.(n, resolve));
}
