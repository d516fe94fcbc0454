import type { ReportBook } from '../reports.ts';
import type { ExportLayout } from './layout.ts';

/** Reports the files that an export's own list names and that are not there, or are of another size. */
export function checkManifests({ parts, files }: ExportLayout, reports: ReportBook): void {
  const bytes = new Map(files.map((file) => [file.path, file.bytes] as const));
  for (const { manifest } of parts) {
    if (manifest === undefined) continue;
    if (!manifest.understood) reports.add('manifest-not-understood', { file: manifest.path });
    for (const [path, listed] of manifest.files) {
      const there = bytes.get(path);
      if (there === undefined) reports.add('file-missing', { file: path });
      else if (listed !== undefined && there !== listed)
        reports.add('file-wrong-size', { file: path, detail: `${there} bytes, ${listed} in the list` });
    }
  }
}
