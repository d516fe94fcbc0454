/** Files that an export holds at its top (shared facts: "Files"); one of them is enough to know it by. */
const OWN_FILE = /^(?:conversations(?:-\d{3,})?\.json|chat\.html|user\.json|export_manifest\.json)$/;
/** What holds the inner ZIPs of a Privacy Portal export. */
const PORTAL_FOLDER = 'User Online Activity';
/** Some tools put a folder around everything. */
const ONE_FOLDER_AROUND = /^(?!User Online Activity\/)[^/]+\//;
const PORTAL_ZIP = /^User Online Activity\/Conversations__[^/]+\.zip$/;

/** Whether a file of an export is a ZIP of conversations that the Privacy Portal has put into it. */
export function isInnerExport(path: string): boolean {
  return PORTAL_ZIP.test(path.replace(ONE_FOLDER_AROUND, ''));
}

/** ChatGPT was opened to the public on that day; a file of an export cannot be older. */
const FIRST_DAY = Date.UTC(2022, 10, 30);

/** Whether a folder with these names at its top is an unpacked export. */
export function looksLikeExport(names: readonly string[]): boolean {
  return names.some((name) => OWN_FILE.test(name) || name === PORTAL_FOLDER);
}

/** Files with their times, ms UTC, as an inspection of an archive has them. */
interface Dated {
  readonly entries: readonly { readonly path: string; readonly modified: number }[];
  readonly newestEntry: number | undefined;
}

/**
 * When an export was made, ms UTC, by the times of its own files: they all bear its stamp. What else may lie between
 * them (packed again by hand, say) is asked only where they say nothing. Undefined where no file has a time.
 */
export function exportTimeOf({ entries, newestEntry }: Dated): number | undefined {
  const newestOwn = entries.reduce(
    (newest, { path, modified }) => (isOwn(path) ? Math.max(newest, modified) : newest),
    0,
  );
  return newestOwn >= FIRST_DAY ? newestOwn : newestEntry;
}

/** At the top, or in the one folder that some tools put around everything. */
function isOwn(path: string): boolean {
  return PORTAL_ZIP.test(path) || OWN_FILE.test(path.replace(/^[^/]+\//, ''));
}
