/** The other side of `ReadingThread`: reads what it is told to, and does not run too far ahead. */
import { parentPort, workerData } from 'node:worker_threads';
import { openForReading } from '../database.ts';
import { buffersOf, type TableBuffers } from './message-table.ts';
import type { FromThread, ToThread } from './read-apart.ts';
import { type ReadingJob, readPieces } from './records.ts';

/** About what is written in one go, in pieces. */
const MOST_AHEAD = 24;

const port = parentPort;

const spare: TableBuffers[] = [];
let ahead = 0;
let taken = Promise.withResolvers<void>();
port?.on('message', (message: ToThread) => {
  if (message.kind === 'read') void read(message.job);
  else if (message.kind === 'spare') spare.push(message.buffers);
  else {
    ahead -= 1;
    taken.resolve();
  }
});

async function read(job: ReadingJob): Promise<void> {
  const database = openForReading(workerData.directory);
  if (database === undefined) throw new Error('The catalog cannot be read by the thread that needs it.');
  for await (const piece of readPieces(database, job, { spare })) {
    tell({ kind: 'piece', piece });
    ahead += 1;
    while (ahead >= MOST_AHEAD) {
      taken = Promise.withResolvers();
      await taken.promise;
    }
  }
  database.close();
  tell({ kind: 'done' });
}

/** Texts and numbers change hands, and are not copied. */
function tell(message: FromThread): void {
  const hasTable = message.kind === 'piece' && message.piece.kind === 'records';
  port?.postMessage(message, hasTable ? buffersOf(message.piece.table) : []);
}
