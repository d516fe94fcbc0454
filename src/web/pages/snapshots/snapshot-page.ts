import { html } from 'hono/html';
import { count, formatBytes } from '../../../lib/text.ts';
import type {
  DamagedSnapshot,
  SnapshotEntry,
  SnapshotInfo,
  SnapshotMetadata,
  SnapshotPlace,
  SnapshotReport,
  UnchangedExport,
} from '../../../snapshot/index.ts';
import { accountAddress, fileAddress, snapshotAddress } from '../../addresses.ts';
import type { Work } from '../../background.ts';
import { type Html, layout } from '../../views/layout.ts';
import { badge, breadcrumbs, figures, notice, pager } from '../../views/parts.ts';
import { moment, numeral } from '../../views/words.ts';
import { type Compared, compareForm, comparisonGlance, type ReaderAddresses } from './comparison.ts';
import { seenAgain } from './timeline.ts';
import { verificationSection } from './verification.ts';
import { dayOf, momentOf, sharingWords } from './words.ts';

/** The files of a snapshot that are shown. */
export interface FileList {
  /** What their paths hold, as it was typed; '' for all. */
  readonly filter: string;
  readonly found: number;
  readonly page: number;
  readonly pages: number;
  readonly shown: readonly { readonly path: string; readonly entry: SnapshotEntry | undefined }[];
}

export interface SnapshotPageOptions {
  readonly snapshot: SnapshotInfo | DamagedSnapshot;
  readonly backupDir: string;
  /** All of the account, oldest first. */
  readonly ofAccount: readonly SnapshotPlace[];
  /** Exports in which nothing had changed since. */
  readonly unchanged: readonly UnchangedExport[];
  readonly comparison: { readonly older: SnapshotPlace; readonly work: Work<Compared> } | undefined;
  readonly verification: Work<SnapshotReport> | undefined;
  readonly files: FileList;
  readonly addresses: ReaderAddresses;
  readonly csrfToken: string;
}

/** All about one snapshot. */
export function snapshotPage(options: SnapshotPageOptions): Html {
  const { snapshot, ofAccount, unchanged, comparison, verification, csrfToken, backupDir } = options;
  const isWorking = verification?.state === 'running' || comparison?.work.state === 'running';
  const main = html`${breadcrumbs([{ address: accountAddress(snapshot.account), name: 'Snapshots' }], momentOf(snapshot))}
<h1>Snapshot of ${dayOf(snapshot)} ${ofAccount.at(-1)?.id === snapshot.id ? badge('latest', 'good') : ''}</h1>
${neighbours(snapshot, ofAccount)}
${unchanged.length === 0 ? '' : seenAgain(unchanged)}
${'meta' in snapshot ? inside(snapshot.meta) : notice('bad', html`<p><strong>Damaged.</strong> ${snapshot.problem}</p><p>Its files can be checked and downloaded all the same.</p>`)}
${changesSection(options)}
${verificationSection({ snapshot, backupDir, work: verification, csrfToken })}
${downloadSection(snapshot)}
${'meta' in snapshot ? originSection(snapshot, snapshot.meta) : ''}
${filesSection(snapshot, options.files)}`;
  return layout({
    title: `Snapshot of ${dayOf(snapshot)}`,
    section: 'snapshots',
    styles: ['archive.css'],
    scripts: isWorking ? ['progress.js'] : [],
    refreshSeconds: isWorking ? 3 : undefined,
    main,
  });
}

function neighbours(snapshot: SnapshotPlace, ofAccount: readonly SnapshotPlace[]): Html {
  const index = ofAccount.findIndex(({ id }) => id === snapshot.id);
  const [older, newer] = [ofAccount[index - 1], ofAccount[index + 1]];
  return html`<p class="faint">Account ${snapshot.account}${older === undefined ? '' : html` · <a href="${snapshotAddress(older)}">the one before (${dayOf(older)})</a>`}${newer === undefined ? '' : html` · <a href="${snapshotAddress(newer)}">the next (${dayOf(newer)})</a>`}</p>`;
}

const COUNTS: readonly (readonly [key: string, name: string])[] = [
  ['conversations', 'Conversations'],
  ['messages', 'Messages'],
  ['voiceConversations', 'With voice'],
  ['images', 'Images'],
  ['audio', 'Sounds'],
  ['videos', 'Videos'],
  ['otherAssets', 'Other attachments'],
];

function inside(meta: SnapshotMetadata): Html {
  const shown = COUNTS.flatMap(([key, name]) => {
    const n = meta.counts[key];
    return n === undefined || (n === 0 && key !== 'conversations') ? [] : [{ name, value: numeral(n) }];
  });
  return html`${figures([...shown, { name: 'Files', value: numeral(meta.files) }, { name: 'Size', value: formatBytes(meta.bytes) }])}
<p class="faint">It ${sharingWords(meta)}.</p>
${completeness(meta)}`;
}

function completeness({ findings, counts }: SnapshotMetadata): Html {
  const missing = counts.missingAssets ?? 0;
  const missed =
    missing === 0
      ? ''
      : html`<p class="faint">${count(missing, 'file')} that messages point to ${missing === 1 ? 'is' : 'are'} not in the export. For pictures that ChatGPT made, that is so in all exports since May 2026.</p>`;
  if (findings.length > 0)
    return html`${notice('warn', html`<p>This was noticed in the export:</p><ul>${findings.map((finding) => html`<li>${finding}</li>`)}</ul>`)}${missed}`;
  if (Object.keys(counts).length === 0) return html`<p class="faint">What is in this export was not counted.</p>`;
  return html`<p>All of it was read and understood.</p>${missed}`;
}

function changesSection({ snapshot, comparison, ofAccount, addresses }: SnapshotPageOptions): Html {
  const others = ofAccount.filter(({ id }) => id !== snapshot.id).reverse();
  return html`<section aria-labelledby="changes-title">
<h2 id="changes-title">What changed${comparison === undefined ? '' : ` since ${dayOf(comparison.older)}`}</h2>
${comparison === undefined ? html`<p>There is no earlier snapshot of this account to compare it with.</p>` : comparisonGlance({ older: comparison.older, newer: snapshot }, comparison.work, addresses)}
${compareForm(snapshot, others, comparison?.older)}
</section>`;
}

function downloadSection(snapshot: SnapshotInfo | DamagedSnapshot): Html {
  const size = 'meta' in snapshot ? ` (${formatBytes(snapshot.meta.bytes)})` : '';
  return html`<section aria-labelledby="download-title">
<h2 id="download-title">Take it out</h2>
<p class="row"><a class="button" href="${snapshotAddress(snapshot, '/zip')}" download>Download as ZIP</a>
<a class="button" href="${snapshotAddress(snapshot, '/zip')}?compress=no" download>Without compression${size}</a>
<a class="button" href="${snapshotAddress(snapshot, '/SHA256SUMS')}" download>Checksums</a></p>
<p class="faint">The ZIP holds the export's files as they came. Unpacked, they are checked by <code>sha256sum -c SHA256SUMS</code> in their folder.</p>
</section>`;
}

function originSection({ path }: SnapshotPlace, meta: SnapshotMetadata): Html {
  const { exportTime, takenAt, source, archive, exportId } = meta;
  const facts: readonly (readonly [string, Html | string])[] = [
    ['Export made', moment(exportTime)],
    ['Snapshot taken', moment(takenAt)],
    [
      'Came by',
      source.kind === 'notice'
        ? html`email to the mailbox “${source.mailbox}”, ${moment(source.receivedAt)}`
        : html`a file that was handed in: <code>${source.name}</code>`,
    ],
    ['Account', meta.account],
    ...(exportId === undefined ? [] : [["OpenAI's name of it", html`<code>${exportId}</code>`] as const]),
    [
      archive.form === 'folder' ? 'Folder' : 'ZIP as it came',
      html`${formatBytes(archive.bytes)}, SHA-256 <code>${archive.sha256}</code>`,
    ],
    ['On the disk', html`<code>${path}</code>`],
  ];
  return html`<section aria-labelledby="origin-title">
<h2 id="origin-title">Where it came from</h2>
<dl class="facts">${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
</section>`;
}

function filesSection(snapshot: SnapshotPlace, { filter, found, page, pages, shown }: FileList): Html {
  const query = filter === '' ? '' : `&files=${encodeURIComponent(filter)}`;
  return html`<section id="files" aria-labelledby="files-title">
<h2 id="files-title">Files</h2>
<form class="row" action="${snapshotAddress(snapshot)}#files"><label>Whose name holds
<input type="search" name="files" value="${filter}"></label><button>Show</button></form>
<p class="faint">${filter === '' ? count(found, 'file') : `${count(found, 'file')} with “${filter}” in the name`}</p>
${
  shown.length === 0
    ? ''
    : html`<div class="table" tabindex="0" role="region" aria-label="Names and sizes"><table>
<thead><tr><th scope="col">Name</th><th scope="col" class="number">Size</th></tr></thead>
<tbody>${shown.map(({ path, entry }) => html`<tr><td>${entry === undefined ? path : html`<a href="${fileAddress(snapshot.account, snapshot.name, path)}">${path}</a>`}</td><td class="number">${entry === undefined ? 'missing' : formatBytes(entry.bytes)}</td></tr>`)}</tbody>
</table></div>`
}
${pager({ page, pages, label: 'Pages of files', addressOf: (n) => `${snapshotAddress(snapshot)}?page=${n}${query}#files` })}
</section>`;
}
