/**
 * What was not understood in an export, by reason. `lost`: something in the file is not in what was read of it. `kept`:
 * it is, but not as it was meant. The export's own files are kept whatever is reported here.
 */
export const REPORT_REASONS = {
  'file-unreadable': 'lost',
  'file-empty': 'lost',
  'file-not-a-list': 'lost',
  'file-truncated': 'lost',
  'file-trailing-data': 'lost',
  'file-missing': 'lost',
  'file-wrong-size': 'lost',
  'no-conversations-file': 'lost',
  'archive-unopened': 'lost',
  'conversation-broken': 'lost',
  'conversation-too-large': 'lost',
  'conversation-cut-off': 'lost',
  'conversation-not-understood': 'lost',
  'message-not-understood': 'lost',
  'manifest-not-understood': 'kept',
  'conversation-without-id': 'kept',
  'conversation-repeated': 'kept',
  'invalid-utf8': 'kept',
  'content-not-understood': 'kept',
  'role-not-understood': 'kept',
  'path-circular': 'kept',
  'path-dangling': 'kept',
  'current-node-missing': 'kept',
} as const satisfies Record<string, 'lost' | 'kept'>;

export type ReportReason = keyof typeof REPORT_REASONS;

/** Where in an export something is. */
export interface Place {
  /** POSIX, relative to the export. */
  readonly file: string;
  /** The element in the file's list, counted from 0. */
  readonly index?: number;
  /** A kind, a name or an id; from the export, so of any content. */
  readonly detail?: string;
}

/** How often something was reported, and where first. */
export interface ReportEntry {
  readonly count: number;
  readonly places: readonly Place[];
}

export type Reports = Readonly<Partial<Record<ReportReason, ReportEntry>>>;

/** Enough to find out what is going on; an export may hold a million of one kind. */
const PLACES_KEPT = 10;
const DETAIL_CHARACTERS = 100;

/** Collects reports: all are counted, the first of each reason are kept with their place. */
export class ReportBook {
  readonly #entries = new Map<ReportReason, { count: number; places: Place[] }>();

  add(reason: ReportReason, place: Place): void {
    const entry = this.#entries.get(reason) ?? { count: 0, places: [] };
    this.#entries.set(reason, entry);
    entry.count += 1;
    if (entry.places.length >= PLACES_KEPT) return;
    const { detail, ...rest } = place;
    entry.places.push(detail === undefined ? rest : { ...rest, detail: detail.slice(0, DETAIL_CHARACTERS) });
  }

  countOf(reason: ReportReason): number {
    return this.#entries.get(reason)?.count ?? 0;
  }

  all(): Reports {
    return Object.fromEntries(this.#entries);
  }
}
