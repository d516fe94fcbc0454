import { createHash } from 'node:crypto';
import { ArchiveBytes } from '../archive-bytes.ts';
import { readEntryData, type Sink } from '../entry-data.ts';
import { readFolderEntry } from '../folder-entry.ts';
import { inflateTogether } from '../inflate-together.ts';
import type { ZipEntry } from '../inspect.ts';
import type { InspectionEntry } from '../inspection.ts';
import type { Job, Task } from './job.ts';
import { OutputFile, writeWholeFile } from './output-file.ts';
import { WriteBack } from './write-back.ts';

/** Is told of each piece that was written, in bytes; what it throws ends the job. */
type OnBytes = (bytes: number) => void;

/** Does jobs, one after the other: in a thread, or, what is soon done, in the thread that asks. */
export class Hand implements AsyncDisposable {
  readonly #task: Task;
  /** Undefined for a folder. */
  readonly #archive: ArchiveBytes | undefined;
  readonly #writeBack = new WriteBack();

  /** @throws ArchiveRefusal `changed`; what the file system says */
  constructor(task: Task) {
    this.#task = task;
    this.#archive = task.form === 'zip' ? new ArchiveBytes(task.archive, task.bytes) : undefined;
  }

  /**
   * @returns the SHA-256 of each of the job's files in turn, or of the archive; 64 hex digits
   * @throws ArchiveRefusal; what the file system says, be it of a file of an earlier job
   */
  async do(job: Job, onBytes: OnBytes): Promise<string[]> {
    if (job.kind === 'folder-entries') {
      return this.#writeFiles(job.entries, onBytes, (entry, sink) => readFolderEntry(this.#task.archive, entry, sink));
    }
    const archive = this.#archive;
    if (archive === undefined) throw new Error('A folder has no entries of a ZIP.');
    if (job.kind === 'archive-hash') return [this.#hashArchive(archive)];
    return (
      this.#writeTogether(archive, job.entries, onBytes) ??
      this.#writeFiles(job.entries, onBytes, (entry, sink) => readEntryData(archive, entry, sink))
    );
  }

  /** To be called after the last job. @throws what the file system says of any file */
  async finish(): Promise<void> {
    await this.#writeBack.finish();
  }

  /** Undefined if the files are not such that they can be unpacked in one go. */
  #writeTogether(archive: ArchiveBytes, entries: readonly ZipEntry[], onBytes: OnBytes): string[] | undefined {
    if (entries.length < 2 || entries.some(({ method }) => method !== 'deflated')) return undefined;
    const digests: string[] = [];
    const isDone = inflateTogether(archive, entries, ({ path, modified }, content) => {
      digests.push(writeWholeFile(this.#task.target, path, content, modified));
      onBytes(content.length);
    });
    return isDone ? digests : undefined;
  }

  async #writeFiles<E extends InspectionEntry>(
    entries: readonly E[],
    onBytes: OnBytes,
    read: (entry: E, sink: Sink) => Promise<void>,
  ): Promise<string[]> {
    const digests: string[] = [];
    for (const entry of entries) {
      await using file = new OutputFile(this.#task.target, entry.path, this.#writeBack);
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

  /** All files are closed then. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writeBack.finish().catch(() => {});
    this.#archive?.[Symbol.dispose]();
  }
}
