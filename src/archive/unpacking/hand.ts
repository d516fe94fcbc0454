import { createHash } from 'node:crypto';
import { ArchiveBytes } from '../archive-bytes.ts';
import { readEntryData, type Sink } from '../entry-data.ts';
import { readFolderEntry } from '../folder-entry.ts';
import type { InspectionEntry } from '../inspection.ts';
import type { Job, Task } from './job.ts';
import { OutputFile } from './output-file.ts';

/** Does jobs, one after the other: in a thread, or, what is soon done, in the thread that asks. */
export class Hand implements Disposable {
  readonly #task: Task;
  /** Undefined for a folder. */
  readonly #archive: ArchiveBytes | undefined;

  /** @throws ArchiveRefusal `changed`; what the file system says */
  constructor(task: Task) {
    this.#task = task;
    this.#archive = task.form === 'zip' ? new ArchiveBytes(task.archive, task.bytes) : undefined;
  }

  /**
   * @param onBytes is told of each piece that was written, in bytes; what it throws ends the job
   * @returns the SHA-256 of each of the job's files in turn, or of the archive; 64 hex digits
   * @throws ArchiveRefusal; what the file system says
   */
  async do(job: Job, onBytes: (bytes: number) => void): Promise<string[]> {
    if (job.kind === 'folder-entries') {
      return this.#writeFiles(job.entries, onBytes, (entry, sink) => readFolderEntry(this.#task.archive, entry, sink));
    }
    const archive = this.#archive;
    if (archive === undefined) throw new Error('A folder has no entries of a ZIP.');
    if (job.kind === 'archive-hash') return [this.#hashArchive(archive)];
    return this.#writeFiles(job.entries, onBytes, (entry, sink) => readEntryData(archive, entry, sink));
  }

  async #writeFiles<E extends InspectionEntry>(
    entries: readonly E[],
    onBytes: (bytes: number) => void,
    read: (entry: E, sink: Sink) => Promise<void>,
  ): Promise<string[]> {
    const digests: string[] = [];
    for (const entry of entries) {
      await using file = new OutputFile(this.#task.target, entry.path);
      await read(entry, (chunk) => {
        file.write(chunk);
        onBytes(chunk.length);
      });
      digests.push(file.finish(entry.modified));
    }
    return digests;
  }

  #hashArchive(archive: ArchiveBytes): string {
    const hash = createHash('sha256');
    for (const chunk of archive.range(0, this.#task.bytes)) hash.update(chunk);
    return hash.digest('hex');
  }

  [Symbol.dispose](): void {
    this.#archive?.[Symbol.dispose]();
  }
}
