import { errorCode } from '../lib/errors.ts';
import { NAME_PROBLEM_WORDS } from './name-problem.ts';
import { refuseEntry } from './refusal.ts';

/** The target's own path counts, too, and some file systems take less than others: only they can tell. */
export function refusedByName(error: unknown, path: string): unknown {
  if (errorCode(error) !== 'ENAMETOOLONG') return error;
  return refuseEntry('path-too-long', path, NAME_PROBLEM_WORDS['path-too-long'], { cause: error });
}
