import { relative } from 'node:path';
import { html } from 'hono/html';
import { count, formatBytes } from '../../../lib/text.ts';
import {
  allSnapshots,
  type DamagedSnapshot,
  type SnapshotInfo,
  type SnapshotList,
  type UnchangedExport,
} from '../../../snapshot/index.ts';
import { accountAddress, snapshotAddress } from '../../addresses.ts';
import { type Html, layout } from '../../views/layout.ts';
import { accountTabs, badge, notice, pageOf, pager } from '../../views/parts.ts';
import { moment } from '../../views/words.ts';
import { momentOf, monthOf, sharingWords } from './words.ts';

const A_PAGE = 40;
const STRANGERS_NAMED = 10;
const MOMENTS_NAMED = 5;

export interface TimelineOptions {
  readonly list: SnapshotList;
  readonly backupDir: string;
  /** As they stand in the address. */
  readonly account: string | undefined;
  readonly page: string | undefined;
}

type Entry = SnapshotInfo | DamagedSnapshot;

/** The snapshots of an account, newest first. */
export function timelinePage({ list, backupDir, account: asked, page: askedPage }: TimelineOptions): Html {
  const all: readonly Entry[] = allSnapshots(list).reverse();
  const accounts = [...new Set(all.map(({ account }) => account))].sort();
  const account = accounts.find((name) => name === asked) ?? all[0]?.account;
  const entries = all.filter((entry) => entry.account === account);
  const sameAs = Map.groupBy(list.unchanged, ({ snapshot }) => snapshot.id);
  const { page, pages } = pageOf(askedPage, entries.length, A_PAGE);
  const shown = entries.slice((page - 1) * A_PAGE, page * A_PAGE);
  const main = html`<h1>Snapshots</h1>
${account === undefined ? NONE_YET : html`${accountTabs(accounts, account, accountAddress)}${overview(entries)}`}
${[...Map.groupBy(shown, monthOf)].map(
  ([month, ofMonth]) => html`<h2>${month}</h2>
<ol class="timeline">${ofMonth.map((entry) => entryItem(entry, entry === entries[0], sameAs.get(entry.id)))}</ol>`,
)}
${account === undefined ? '' : pager({ page, pages, label: 'Pages of snapshots', addressOf: (n) => accountAddress(account, n) })}
${damagedRecordsNotice(list.damagedRecords, backupDir)}
${strangersNotice(list.strangers, backupDir)}`;
  return layout({ title: 'Snapshots', section: 'snapshots', styles: ['archive.css'], main });
}

const NONE_YET = html`<p>There is no snapshot yet. The first one is made when OpenAI's email says that an export is ready,
or when you hand in an export that you have downloaded yourself.</p>`;

function overview(entries: readonly Entry[]): Html {
  const [newest, oldest] = [entries[0], entries.at(-1)];
  if (newest === undefined || oldest === undefined) return html``;
  const span = newest === oldest ? `of ${momentOf(newest)}` : `from ${monthOf(oldest)} to ${monthOf(newest)}`;
  return html`<p class="faint">${count(entries.length, 'snapshot')} of ${newest.account}, ${span}.
Each is one export as it came, complete in itself; a file that did not change is on the disk once.</p>`;
}

function entryItem(entry: Entry, isNewest: boolean, unchanged: readonly UnchangedExport[] | undefined): Html {
  return html`<li>
<p class="head"><a href="${snapshotAddress(entry)}">${momentOf(entry)}</a>
${isNewest ? badge('latest', 'good') : ''} ${'meta' in entry ? findingsBadge(entry) : badge('damaged', 'bad')}</p>
${'meta' in entry ? entryFacts(entry) : html`<p>${entry.problem} Its files can be checked and downloaded all the same.</p>`}
${unchanged === undefined ? '' : seenAgain(unchanged)}
</li>`;
}

/** Whoever asked for an export that made no snapshot finds it here. */
export function seenAgain(unchanged: readonly UnchangedExport[]): Html {
  const moments = unchanged.slice(-MOMENTS_NAMED).map(({ meta }) => moment(meta.exportTime));
  const others = unchanged.length - moments.length;
  return html`<p class="faint">Exported again, with nothing changed: ${moments.map((at, index) => html`${index === 0 ? '' : ', '}${at}`)}${others > 0 ? `, and ${count(others, 'other')} before` : ''}.</p>`;
}

function findingsBadge({ meta: { findings } }: SnapshotInfo): Html | string {
  return findings.length === 0 ? '' : badge(count(findings.length, 'finding'), 'warn');
}

function entryFacts({ meta }: SnapshotInfo): Html {
  const { conversations, messages } = meta.counts;
  const facts = [
    ...(conversations === undefined ? [] : [count(conversations, 'conversation')]),
    ...(messages === undefined ? [] : [count(messages, 'message')]),
    count(meta.files, 'file'),
    formatBytes(meta.bytes),
  ];
  return html`<p>${facts.join(' · ')}<span class="faint"> · ${sharingWords(meta)}</span></p>
${meta.findings.length === 0 ? '' : html`<ul class="findings">${meta.findings.map((finding) => html`<li>${finding}</li>`)}</ul>`}`;
}

/** They vouch for exports that made no snapshot: such an export may be asked of its owner once more. */
function damagedRecordsNotice(records: SnapshotList['damagedRecords'], backupDir: string): Html | string {
  if (records.length === 0) return '';
  return notice(
    'bad',
    html`<p>Records of exports in which nothing had changed cannot be used:</p>
<ul>${records.map(({ path, problem }) => html`<li><code>${relative(backupDir, path)}</code>: ${problem}</li>`)}</ul>`,
  );
}

function strangersNotice(strangers: readonly string[], backupDir: string): Html | string {
  if (strangers.length === 0) return '';
  const named = strangers.slice(0, STRANGERS_NAMED).map((path) => relative(backupDir, path));
  const more = strangers.length - named.length;
  return notice(
    'plain',
    html`<p>In the backup directory lies something that is not of Chatkeep. It is left alone:</p>
<ul>${named.map((path) => html`<li><code>${path}</code></li>`)}${more > 0 ? html`<li>and ${count(more, 'other')}</li>` : ''}</ul>`,
  );
}
