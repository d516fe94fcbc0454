import type { ExportId } from '../notice.ts';
import type { Redirector, Wrapper } from '../wrappers.ts';

/**
 * What there is to know about one provider of exports: who sends its mails, where its links lead, how it words them. A
 * provider is one file that gives one of these, and its line in the registry (index.ts).
 */
export interface Provider {
  /** Its name in the record. */
  readonly id: string;
  readonly sender: ProviderSender;
  /** The forms that its links have had. */
  readonly linkForms: readonly LinkForm[];
  /** What an export's link is known by wherever it leads, so that an imitation is told from mail about other things. */
  readonly linkMarks: RegExp;
  /** The longest that a link lives after its mail was sent, ms. */
  readonly linkLifeMs: number;
  /** Services that links of its mails are wrapped by, on the way out or on the way to the user. */
  readonly wrappers: readonly Wrapper[];
  /** Services of its own that have to be asked where a link leads. */
  readonly redirectors: readonly Redirector[];
  /** The export that a file name speaks of, and when it was made (ms UTC); undefined for names of other things. */
  parseFileName(fileName: string): { readonly exportId: ExportId; readonly exportTime: number } | undefined;
  /** Of which notice a subject speaks; undefined if of none. It is a hint: any sender may write any subject. */
  subjectKind(subject: string): SubjectKind | undefined;
  /** What a link that is no export's says about its mail: nothing, that it is no notice, or neither. */
  linkMeaning(url: URL): LinkMeaning;
}

export interface ProviderSender {
  /** The domain of its notices, in lower case. */
  readonly domain: string;
  /** The addresses that its notices have come from, in lower case. */
  readonly addresses: readonly string[];
  /** Whose DKIM signature proves the sender: the domain itself, or its organisation's (relaxed alignment, RFC 9989). */
  readonly signingDomains: readonly string[];
  /** What stands in the From field of its mails and of their imitations: what a mailbox is searched for. */
  readonly mark: string;
}

/** `export`: it speaks of an export, and does not say (or not in words that are known) whether it is ready or started. */
export type SubjectKind = 'ready' | 'started' | 'export';

/** `plain`: a page or help centre, as stands in any mail. `other-mail`: a notice never holds it. `unknown`: all else. */
export type LinkMeaning = 'plain' | 'other-mail' | 'unknown';

/** A place that links lead to, and how to read them. */
export interface LinkForm {
  /** As `URL.origin` gives it; https. */
  readonly origin: string;
  /** The whole path. */
  readonly path: RegExp;
  /** Whether the place asks for a login. */
  readonly login: boolean;
  /**
   * What a link to this place says. `malformed`: it means to be an export's and is cut off or otherwise wrong; `other`:
   * it is something else that is served from there.
   *
   * @param receivedAt when the message was received, ms UTC
   */
  read(url: URL, receivedAt: number): ExportFacts | 'malformed' | 'other';
}

/** What an export's link says. */
export interface ExportFacts {
  readonly exportId: ExportId;
  /** When the export was made, ms UTC. */
  readonly exportTime: number;
  /** When the link dies, ms UTC. */
  readonly deadline: number;
  /** Whether it has all that links of this form are known to have, as they have it: an end that was cut off shows here. */
  readonly whole: boolean;
}
