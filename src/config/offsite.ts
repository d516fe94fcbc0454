import { access, constants, stat } from 'node:fs/promises';
import { delimiter, join, relative } from 'node:path';
import type { z } from 'zod';
import type { Draft, KeyPath } from './draft.ts';
import { whyUnreadable } from './file.ts';
import type { Findings } from './findings.ts';
import type { Glimpse } from './glimpse.ts';
import type { configSchema, ResolvedOffsite } from './schema.ts';
import { warnIfOthersCanRead } from './secret-file.ts';

/** The programs, and where they come from. They are called the same in Debian, Alpine, Fedora and Homebrew. */
const PROGRAMS = ['restic', 'rclone'] as const;
const FILE_KEYS = ['password_file', 'repository_file', 'environment_file', 'config_file'] as const;

/** How an off-site copy is called: as configured, else as its program. */
function nameOfOffsite({ name, restic }: { name?: string | undefined; restic?: unknown }): string {
  return name ?? (restic === undefined ? 'rclone' : 'restic');
}

/** That each place off-site has one program, which is installed, a name of its own, and files that can be read. */
export async function checkOffsite(
  { offsite, backup_dir: backups }: Glimpse,
  draft: Draft,
  findings: Findings,
): Promise<void> {
  const names = new Map<string, number>();
  for (const [index, entry] of offsite.entries()) {
    const at = ['offsite', index] as const;
    const given = PROGRAMS.filter((program) => entry[program] !== undefined);
    if (given.length !== 1) {
      findings.problem(`${draft.nameOf(at)}: set one of restic and rclone${given.length === 2 ? ', not both' : ''}`);
      continue;
    }
    const name = nameOfOffsite(entry);
    const earlier = names.get(name);
    if (earlier === undefined) names.set(name, index);
    else {
      findings.problem(
        `${draft.nameOf(at)}: is called ${name} as offsite[${earlier}] is (the name is that of the program unless set): give one of them a \`name\` of its own`,
      );
    }
    if (entry.restic !== undefined) checkRepository(entry.restic, [...at, 'restic'], draft, findings);
    for (const [program, key] of [
      ['restic', 'repository'],
      ['rclone', 'remote'],
    ] as const) {
      const place = entry.restic === undefined ? entry.rclone?.remote : entry.restic.repository;
      if (given[0] !== program || place === undefined || backups === undefined || !isWithin(place, backups)) continue;
      findings.problem(
        `${draft.nameOf([...at, program, key])}: lies in ${draft.nameOf(['backup_dir'])}, which would be copied into itself: choose another disk or machine`,
      );
    }
    for (const program of given) {
      await checkInstalled(program, [...at, program], draft, findings);
      await checkFiles(entry[program] ?? {}, [...at, program], draft, findings);
    }
  }
}

function isWithin(place: string, directory: string): boolean {
  return place.startsWith('/') && !relative(directory, place).startsWith('..');
}

function checkRepository(
  { repository, repository_file: file }: NonNullable<Glimpse['offsite'][number]['restic']>,
  at: KeyPath,
  draft: Draft,
  findings: Findings,
): void {
  const [name, fileName] = [draft.nameOf([...at, 'repository']), draft.nameOf([...at, 'repository_file'])];
  if (repository !== undefined && file !== undefined) findings.problem(`both ${name} and ${fileName} are set: set one`);
  if (repository === undefined && file === undefined) findings.problem(`${name}: is missing: set it, or ${fileName}`);
}

async function checkInstalled(program: string, at: KeyPath, draft: Draft, findings: Findings): Promise<void> {
  for (const directory of (process.env.PATH ?? '').split(delimiter)) {
    const isThere = await access(join(directory, program), constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return;
  }
  findings.problem(
    `${draft.nameOf(at)}: the program ${program} is not installed: apt-get install ${program} (Debian and Ubuntu; for Docker see docs/how-to/offsite.md)`,
  );
}

async function checkFiles(
  entry: Partial<Record<(typeof FILE_KEYS)[number], string | undefined>>,
  at: KeyPath,
  draft: Draft,
  findings: Findings,
): Promise<void> {
  for (const key of FILE_KEYS) {
    const path = entry[key];
    if (path === undefined) continue;
    const name = draft.nameOf([...at, key]);
    try {
      await access(path, constants.R_OK);
      warnIfOthersCanRead(name, path, (await stat(path)).mode, findings);
    } catch (error) {
      findings.problem(`${name}: ${path} cannot be read: ${whyUnreadable(error)}`);
    }
  }
}

/** The entry with its name; {@link checkOffsite} has seen to it that it has one program. */
export function completedOffsite({
  restic,
  rclone,
  ...entry
}: z.output<typeof configSchema>['offsite'][number]): ResolvedOffsite {
  const name = nameOfOffsite({ name: entry.name, restic });
  if (restic !== undefined) return { ...entry, name, restic };
  if (rclone !== undefined) return { ...entry, name, rclone };
  throw new TypeError('a place off-site has no program, and nobody has reported it');
}
