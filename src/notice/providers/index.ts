import type { ExportId } from '../notice.ts';
import { openai } from './openai.ts';
import type { Provider } from './provider.ts';

/** The registry: every provider whose notices are known. A second one is a file beside this one, and a word here. */
export const PROVIDERS: readonly Provider[] = [openai];

/** A place that links may lead to. */
export interface LinkPlace {
  /** As `URL.origin` gives it. */
  readonly origin: string;
  readonly path: RegExp;
  /** Whether the place asks for a login. */
  readonly login: boolean;
  /** Set by the user beside the provider's own: may be a private address. */
  readonly extra: boolean;
}

/** Where downloads may go: the providers' own places, and the same paths on the user's extra origins. */
export function downloadPlaces(extraOrigins: readonly string[], providers = PROVIDERS): LinkPlace[] {
  const forms = providers.flatMap(({ linkForms }) => linkForms);
  const own = forms.map(({ origin, path, login }) => ({ origin, path, login, extra: false }));
  const extra = extraOrigins.flatMap((origin) =>
    forms.map(({ path, login }) => ({ origin: new URL(origin).origin, path, login, extra: true })),
  );
  return [...own, ...extra];
}

/**
 * The export that a ZIP's file name speaks of, and when it was made (ms UTC); undefined for other names. The ` (1)` that
 * browsers add to a second download is passed over.
 */
export function parseExportName(
  fileName: string,
  providers = PROVIDERS,
): { exportId: ExportId; exportTime: number } | undefined {
  for (const provider of providers) {
    const named = provider.parseFileName(fileName);
    if (named !== undefined) return named;
  }
  return undefined;
}

/** What to search the From fields of a mailbox for: each finds the mails of a provider and those of its imitators. */
export function senderMarks(providers = PROVIDERS): string[] {
  return [...new Set(providers.map(({ sender }) => sender.mark))];
}
