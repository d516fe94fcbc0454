import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { asStorageError } from '../lib/errors.ts';
import { PRIVATE_DIRECTORY_MODE } from '../lib/files.ts';
import type { Inspection } from './inspection.ts';
import { refusedByName } from './path-refusal.ts';
import { sha256OfSums } from './sha256.ts';
import { doAlone, doInThreads } from './unpacking/crew.ts';
import { planJobs, type Task } from './unpacking/job.ts';

/** What is unpacked in less time than it takes to start a thread (30 ms), and does not hold up the service. */
const ALONE_BYTES = 4 * 1024 * 1024;
const ALONE_FILES = 100;

export interface UnpackedFile {
  /** POSIX, relative to the target. */
  readonly path: string;
  readonly bytes: number;
  /** 64 hex digits. */
  readonly sha256: string;
  /** ms UTC. */
  readonly modified: number;
}

/** What has come of an archive. */
export interface Unpacked {
  /** In the archive's order. */
  readonly files: readonly UnpackedFile[];
  /** The archive's own SHA-256, 64 hex digits; of a folder, that of its {@link sha256OfSums}. */
  readonly sha256: string;
}

export interface UnpackOptions {
  /** A fresh directory that only the user can enter. */
  readonly target: string;
  readonly signal?: AbortSignal;
  /** Unpacked bytes so far, and in all. */
  readonly onProgress?: (bytesDone: number, bytesTotal: number) => void;
}

/**
 * Unpacks an inspected archive into a directory, on all cores: every file is made anew (never written through a link),
 * checked against size and CRC-32, and given its time. They are not durable yet: the commit syncs all of them at once.
 *
 * What was written before a failure stays in the target; it is the caller's to remove.
 *
 * @throws ArchiveRefusal; ChatkeepError `storage`; the signal's reason
 */
export async function unpackArchive(inspection: Inspection, options: UnpackOptions): Promise<Unpacked> {
  const { target, signal } = options;
  signal?.throwIfAborted();
  try {
    if ((await readdir(target)).length > 0) throw new Error(`The directory to unpack into is not empty: ${target}`);
    for (const directory of inspection.directories) await makeDirectory(target, directory);
    return await unpackFiles(inspection, options);
  } catch (error) {
    throw asStorageError(error, 'unpack the archive into', target);
  }
}

async function makeDirectory(target: string, path: string): Promise<void> {
  try {
    await mkdir(join(target, path), { mode: PRIVATE_DIRECTORY_MODE });
  } catch (error) {
    throw refusedByName(error, path);
  }
}

async function unpackFiles(inspection: Inspection, { target, signal, onProgress }: UnpackOptions): Promise<Unpacked> {
  const { form, archive, bytes, unpackedBytes } = inspection;
  const task: Task = { form, archive, bytes, target };
  const jobs = planJobs(inspection);
  const isSoonDone = bytes <= ALONE_BYTES && unpackedBytes <= ALONE_BYTES && inspection.entries.length <= ALONE_FILES;
  let bytesDone = 0;
  const digests = await (isSoonDone ? doAlone : doInThreads)(task, jobs, {
    signal,
    onBytes(more) {
      bytesDone += more;
      onProgress?.(bytesDone, unpackedBytes);
    },
  });

  const digestOf = new Map<string, string>();
  let archiveDigest: string | undefined;
  for (const [index, job] of jobs.entries()) {
    const ofJob = digests[index] ?? [];
    if (job.kind === 'archive-hash') archiveDigest = ofJob[0];
    else for (const [at, { path }] of job.entries.entries()) digestOf.set(path, ofJob[at] ?? '');
  }
  const files = inspection.entries.map(({ path, bytes: size, modified }) => {
    return { path, bytes: size, sha256: digestOf.get(path) ?? '', modified };
  });
  return { files, sha256: archiveDigest ?? sha256OfSums(files) };
}
