import { printable } from '../../lib/printable.ts';
import { count } from '../../lib/text.ts';
import type { Inventory } from '../inventory/inventory.ts';
import { type Place, REPORT_REASONS, type ReportEntry, type ReportReason, type Reports } from '../reports.ts';

/** What a snapshot says of its export. */
export interface ExportSummary {
  /** By name, as they stand in snapshot.json (docs/backup-directory.md). */
  readonly counts: Readonly<Record<string, number>>;
  /** What was noticed, one sentence each. They hold names of files, and nothing of what was said. */
  readonly findings: readonly string[];
}

/** Puts an inventory into the words and numbers of a snapshot. */
export function summarize({ counts, ledger, reports }: Inventory): ExportSummary {
  return {
    counts: {
      conversations: counts.conversations,
      messages: counts.messages,
      userMessages: counts.messagesByRole.user,
      assistantMessages: counts.messagesByRole.assistant,
      voiceConversations: counts.voiceConversations,
      branches: counts.branches,
      images: counts.assets.image,
      audio: counts.assets.audio,
      videos: counts.assets.video,
      otherAssets: counts.assets.other,
      missingAssets: counts.missingAssets,
      incompleteFiles: countOf(reports, INCOMPLETE),
      unreadFiles: countOf(reports, UNREAD_FILES),
      unreadConversations: ledger.conversations.unread,
      unreadMessages: ledger.messages.unread,
    },
    findings: REASONS.flatMap((reason) => findingOf(reason, reports[reason])),
  };
}

const REASONS = Object.keys(REPORT_REASONS).filter((reason): reason is ReportReason => reason in REPORT_REASONS);
/** The export does not hold what its own list says. */
const INCOMPLETE: readonly ReportReason[] = ['file-missing', 'file-wrong-size'];
/** Whole files that hold no conversations, or not only, as far as could be made out. */
const UNREAD_FILES: readonly ReportReason[] = [
  'no-conversations-file',
  'archive-unopened',
  'file-unreadable',
  'file-empty',
  'file-not-a-list',
  'file-truncated',
  'file-trailing-data',
];

function countOf(reports: Reports, reasons: readonly ReportReason[]): number {
  return reasons.reduce((sum, reason) => sum + (reports[reason]?.count ?? 0), 0);
}

const conversations = (n: number) => count(n, 'conversation');
const messages = (n: number) => count(n, 'message');
const files = (n: number) => count(n, 'file');

/** What is noticed of paths through conversations is of no use to the owner of a backup. */
const SENTENCES: Readonly<Partial<Record<ReportReason, (n: number) => string>>> = {
  'no-conversations-file': () => 'No file with conversations (conversations*.json) is in the export',
  'archive-unopened': (n) =>
    `Conversations lie in ${count(n, 'ZIP')} inside the export, which were kept and not looked into`,
  'file-unreadable': (n) => `${files(n)} with conversations could not be read`,
  'file-empty': (n) => `${files(n)} that should hold conversations ${n === 1 ? 'is' : 'are'} empty`,
  'file-not-a-list': (n) => `${files(n)} that should hold conversations ${n === 1 ? 'holds' : 'hold'} something else`,
  'file-truncated': (n) => `${files(n)} with conversations ${n === 1 ? 'ends' : 'end'} too early`,
  'file-trailing-data': (n) =>
    `${files(n)} with conversations ${n === 1 ? 'goes' : 'go'} on behind the end of the list`,
  'file-missing': (n) => `${files(n)} that the export's own list names ${n === 1 ? 'is' : 'are'} not in it`,
  'file-wrong-size': (n) => `${files(n)} ${n === 1 ? 'is' : 'are'} not of the size that the export's own list says`,
  'conversation-broken': (n) => `${conversations(n)} could not be read, since the JSON is broken there`,
  'conversation-too-large': (n) => `${conversations(n)} could not be read, being too large`,
  'conversation-cut-off': (n) => `${conversations(n)} could not be read, being cut off`,
  'conversation-not-understood': (n) => `${conversations(n)} could not be read, being of a form that is not known`,
  'message-not-understood': (n) => `${messages(n)} could not be read, being of a form that is not known`,
  'manifest-not-understood': () => "The export's own list of files could not be read, or only in part",
  'conversation-repeated': (n) => `${conversations(n)} ${n === 1 ? 'stands' : 'stand'} more than once in the export`,
  'invalid-utf8': (n) => `${conversations(n)} ${n === 1 ? 'has' : 'have'} bytes that are no text (UTF-8)`,
  'content-not-understood': (n) =>
    `${count(n, 'part')} of messages ${n === 1 ? 'is' : 'are'} of a kind that this version does not know`,
  'role-not-understood': (n) =>
    `${messages(n)} ${n === 1 ? 'is' : 'are'} from a sender that this version does not know`,
};

const PLACES_TOLD = 3;

function findingOf(reason: ReportReason, entry: ReportEntry | undefined): string[] {
  const sentence = SENTENCES[reason];
  if (sentence === undefined || entry === undefined) return [];
  const places = entry.places
    .slice(0, PLACES_TOLD)
    .map(formatPlace)
    .filter((place) => place !== '');
  const more = entry.count > places.length && places.length > 0 ? ', …' : '';
  return [`${sentence(entry.count)}${places.length === 0 ? '' : ` (${places.join(', ')}${more})`}.`];
}

function formatPlace({ file, index, detail }: Place): string {
  const where = index === undefined ? printable(file) : `${printable(file)} no. ${index + 1}`;
  return detail === undefined ? where : `${where}: ${printable(detail)}`;
}
