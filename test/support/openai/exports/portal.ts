import { type PlacedAsset, placedAssets } from './assets.ts';
import { type Ledger, layOut } from './layout.ts';
import type { AccountModel, ConversationRecipe } from './model.ts';
import { type EntryFacts, type PlannedEntry, type ZipOptions, zipStream } from './zip.ts';

export interface PortalOptions {
  readonly model: AccountModel;
  readonly conversations: readonly ConversationRecipe[];
  readonly bulk: readonly PlacedAsset[];
  readonly parts: number;
  readonly zipOptions: ZipOptions;
  /** When the account's settings were last touched; undefined: long ago. */
  readonly touchedAt: Date | undefined;
}

const FOLDER = 'User Online Activity';

/**
 * The outer ZIP of the Privacy Portal: the conversations spread over inner ZIPs, each a whole G5 export, beside payment
 * tables and ZIPs of files and ads.
 */
export function portalEntries(options: PortalOptions, ledger: Ledger): PlannedEntry[] {
  const { model, parts, zipOptions } = options;
  const exports = Array.from({ length: parts }, (_, part) => conversationsEntry(options, part, ledger));
  const files = [textEntry('library/readme.txt', 'Files that belong to no conversation.\n')];
  const ads = [textEntry('ads.json', '[]')];
  return [
    ...exports,
    innerZip(`${FOLDER}/Files__${model.exportKey}-chatgpt-0001.zip`, () => files, zipOptions),
    innerZip(`${FOLDER}/Ads__${model.exportKey}-chatgpt-0001.zip`, () => ads, zipOptions),
    textEntry('Payment Information/invoices.csv', 'date,amount,currency,status\n2026-01-03,23.00,EUR,paid\n'),
    textEntry('Payment Information/payment_methods.csv', 'type,brand,last4\ncard,visa,4242\n'),
  ];
}

function conversationsEntry(
  { model, conversations, bulk, parts, zipOptions, touchedAt }: PortalOptions,
  part: number,
  outer: Ledger,
): PlannedEntry {
  const share = <T>(list: readonly T[]): T[] => list.filter((_, index) => index % parts === part);
  const suffix = parts === 1 ? '' : `-part-${String(part + 1).padStart(4, '0')}`;
  const ledger: Ledger = { written: [], tally: outer.tally, conversationBytes: 0 };
  const mine = share(conversations);
  const assets = [...placedAssets(model, mine, 'G5'), ...share(bulk)];
  const plan = () => layOut({ model, generation: 'G5', conversations: mine, assets, touchedAt }, ledger);
  return innerZip(
    `${FOLDER}/Conversations__${model.exportKey}-chatgpt-0001${suffix}.zip`,
    plan,
    zipOptions,
    ledger.written,
  );
}

function innerZip(
  path: string,
  plan: () => readonly PlannedEntry[],
  zipOptions: ZipOptions,
  inner: EntryFacts[] = [],
): PlannedEntry {
  return { path, method: 'store', inner, content: () => zipStream(plan(), zipOptions, inner) };
}

function textEntry(path: string, text: string): PlannedEntry {
  return { path, method: 'deflate', content: () => [Buffer.from(text)] };
}
