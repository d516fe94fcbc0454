/** The other side of `ActivityReader`: counts what `workerData` asks for, and posts the result; undefined without a catalog. */
import { parentPort, workerData } from 'node:worker_threads';
import { openForReading } from './database.ts';
import { type ActivityQuestion, activity } from './reading/activity.ts';

// Our own side has put it there.
const { directory, question } = workerData as { readonly directory: string; readonly question: ActivityQuestion };
using database = openForReading(directory);
parentPort?.postMessage(database === undefined ? undefined : activity(database, question));
