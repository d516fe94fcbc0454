import { html } from 'hono/html';
import type { ComparedApart } from '../../../chatgpt/index.ts';
import { count } from '../../../lib/text.ts';
import type { SnapshotPlace } from '../../../snapshot/index.ts';
import { accountAddress, queryOf, snapshotAddress } from '../../addresses.ts';
import type { Work } from '../../background.ts';
import { type Html, layout } from '../../views/layout.ts';
import { breadcrumbs, figures, notice, pageOf, pager } from '../../views/parts.ts';
import { numeral, titleOf } from '../../views/words.ts';
import { momentOf } from './words.ts';

/** Undefined where one of the two is too damaged for anything to be said. */
export type Compared = ComparedApart | undefined;
type Groups = ComparedApart['conversations'];
type GroupName = 'added' | 'changed' | 'gone' | 'noLongerCarried';
type Change = Groups['added']['listed'][number];
type Changed = Groups['changed']['listed'][number];

const A_PAGE = 25;
const A_GLANCE = 8;

/** Where the reader shows a conversation, by its id; undefined where it is not in the catalog. */
export type ReaderAddress = (id: string) => string | undefined;
export type ReaderAddresses = (account: string, ids: readonly string[]) => ReaderAddress;

export interface Pair {
  readonly older: SnapshotPlace;
  readonly newer: SnapshotPlace;
}

/** The address of a comparison, or of how its making stands. */
function comparisonAddress({ older, newer }: Pair, rest: '' | '/state' = ''): string {
  return `${snapshotAddress(newer, '/comparison')}${rest}${queryOf({ with: older.name })}`;
}

export interface ComparisonPageOptions extends Pair {
  readonly work: Work<Compared>;
  readonly others: readonly SnapshotPlace[];
  readonly addresses: ReaderAddresses;
  /** The page of each group that is asked for, as it stands in the address. */
  readonly pageOfGroup: (group: GroupName) => string | undefined;
}

/** A page of its own for what became of the conversations of one snapshot in a later one. */
export function comparisonPage({ older, newer, work, others, addresses, pageOfGroup }: ComparisonPageOptions): Html {
  const compared = work.state === 'done' ? work.result : undefined;
  const main = html`${breadcrumbs(
    [
      { address: accountAddress(newer.account), name: 'Snapshots' },
      { address: snapshotAddress(newer), name: momentOf(newer) },
    ],
    'Comparison',
  )}
<h1>What changed</h1>
<p>From <a href="${snapshotAddress(older)}">${momentOf(older)}</a> to <a href="${snapshotAddress(newer)}">${momentOf(newer)}</a>.</p>
${compareForm(newer, others, older)}
${
  compared === undefined
    ? unfinished({ older, newer }, work)
    : html`${summary(compared)}
${GROUPS.map((group) => pagedGroup(group, compared, { older, newer }, addresses, pageOfGroup(group.name)))}
${counted(compared)}`
}`;
  return layout({
    title: 'What changed',
    section: 'snapshots',
    styles: ['archive.css'],
    scripts: work.state === 'running' ? ['progress.js'] : [],
    refreshSeconds: work.state === 'running' ? 3 : undefined,
    main,
  });
}

/** A glance at it, for the page of the newer snapshot. */
export function comparisonGlance(pair: Pair, work: Work<Compared>, addresses: ReaderAddresses): Html {
  const compared = work.state === 'done' ? work.result : undefined;
  if (compared === undefined) return unfinished(pair, work);
  const isLong = GROUPS.some(({ name }) => compared.conversations[name].count > A_GLANCE);
  return html`${summary(compared)}
${GROUPS.map((group) => {
  const { count: all, listed } = compared.conversations[group.name];
  if (all === 0) return '';
  const shown = listed.slice(0, A_GLANCE);
  const addressOf = addresses(pair.newer.account, idsOf(shown));
  return html`<h3>${group.title(all)}</h3>${changeList(group, shown, addressOf)}${all > shown.length ? html`<p class="faint">and ${numeral(all - shown.length)} more</p>` : ''}`;
})}
${counted(compared)}
${isLong ? html`<p><a href="${comparisonAddress(pair)}">All changes</a></p>` : ''}`;
}

/** Lets the reader choose what a snapshot is compared with. */
export function compareForm(newer: SnapshotPlace, others: readonly SnapshotPlace[], chosen?: SnapshotPlace): Html {
  if (others.length === 0) return html``;
  return html`<form class="row" action="${snapshotAddress(newer, '/comparison')}">
<label>Compare with
<select name="with">${others.map(
    (other) =>
      html`<option value="${other.name}"${other.name === chosen?.name ? html` selected` : ''}>${momentOf(other)}</option>`,
  )}</select></label>
<button>Compare</button>
</form>`;
}

function unfinished(pair: Pair, work: Work<Compared>): Html {
  switch (work.state) {
    case 'running':
      return html`<div data-progress="${comparisonAddress(pair, '/state')}" role="status">
<p>The two are being compared. A large export takes some seconds the first time.</p>
<progress aria-label="Being compared"></progress>
</div>`;
    case 'failed':
      return notice(
        'warn',
        html`<p>They could not be compared (${work.reason}). It is tried again when you load this page in a minute.</p>`,
      );
    case 'done':
      return notice(
        'bad',
        html`<p>They cannot be compared: the conversations of one of them are not what was backed up, or cannot be read.
<a href="${snapshotAddress(pair.newer)}#check">Check its files</a>, and those of <a href="${snapshotAddress(pair.older)}#check">the other one</a>.</p>`,
      );
  }
}

interface Group {
  readonly name: GroupName;
  readonly sign: string;
  readonly title: (n: number) => string;
  readonly words: (change: Change | Changed) => string;
}

const GROUPS: readonly Group[] = [
  {
    name: 'added',
    sign: '+',
    title: (n) => `${count(n, 'new conversation')}`,
    words: ({ messages }) => count(messages.added, 'message'),
  },
  { name: 'changed', sign: '~', title: (n) => `${count(n, 'conversation')} changed`, words: changeWords },
  {
    name: 'gone',
    sign: '−',
    title: (n) => `${count(n, 'conversation')} gone`,
    words: ({ messages }) => count(messages.gone, 'message'),
  },
  {
    name: 'noLongerCarried',
    sign: '·',
    title: (n) => `${count(n, 'conversation')} that exports no longer carry`,
    words: ({ messages }) => count(messages.noLongerCarried, 'message'),
  },
];

function changeWords(change: Change | Changed): string {
  const { messages } = change;
  return [
    messages.added > 0 ? `${numeral(messages.added)} added` : undefined,
    messages.gone > 0 ? `${numeral(messages.gone)} gone` : undefined,
    messages.changed > 0 ? `${numeral(messages.changed)} of other content` : undefined,
    'renamed' in change && change.renamed ? 'renamed' : undefined,
    'archived' in change ? change.archived : undefined,
  ]
    .filter((word) => word !== undefined)
    .join(', ');
}

function summary({ conversations, messages, assets, formatChange, unread }: ComparedApart): Html {
  const { added, changed, gone, noLongerCarried, unchanged } = conversations;
  const isSame = added.count + changed.count + gone.count + noLongerCarried.count === 0;
  return html`${
    formatChange === undefined
      ? ''
      : notice(
          'plain',
          html`<p><strong>OpenAI changed the format of exports</strong> between the two. ${count(messages.noLongerCarried, 'message')} and ${count(assets.noLongerCarried, 'file')} are of kinds that exports no longer carry. Nobody deleted them; the older snapshot has them.</p>`,
        )
  }${
    unread === 0
      ? ''
      : notice(
          'warn',
          html`<p>${count(unread, 'conversation or message', 'conversations and messages')} of the newer export could not be read: what seems to be gone may be among them.</p>`,
        )
  }${
    isSame
      ? html`<p>No conversation was added, changed or deleted; ${numeral(unchanged)} are the same.</p>`
      : figures([
          { name: 'New', value: numeral(added.count) },
          { name: 'Changed', value: numeral(changed.count) },
          { name: 'Gone', value: numeral(gone.count) },
          ...(noLongerCarried.count === 0
            ? []
            : [{ name: 'No longer carried', value: numeral(noLongerCarried.count) }]),
          { name: 'Unchanged', value: numeral(unchanged) },
        ])
  }`;
}

function counted({ messages, assets }: ComparedApart): Html {
  return html`<p class="faint">Messages: ${numeral(messages.added)} added, ${numeral(messages.gone)} gone, ${numeral(messages.changed)} of other content.
Files: ${numeral(assets.added)} added, ${numeral(assets.gone)} gone.</p>`;
}

function pagedGroup(
  group: Group,
  compared: ComparedApart,
  pair: Pair,
  addresses: ReaderAddresses,
  askedPage: string | undefined,
): Html | string {
  const { count: all, listed } = compared.conversations[group.name];
  if (all === 0) return '';
  const { page, pages } = pageOf(askedPage, listed.length, A_PAGE);
  const shown = listed.slice((page - 1) * A_PAGE, page * A_PAGE);
  const anchor = `group-${group.name}`;
  return html`<section aria-labelledby="${anchor}"><h2 id="${anchor}">${group.title(all)}</h2>
${changeList(group, shown, addresses(pair.newer.account, idsOf(shown)))}
${pager({ page, pages, label: `Pages of: ${group.title(all)}`, addressOf: (n) => `${comparisonAddress(pair)}&${group.name}=${n}#${anchor}` })}
${all > listed.length ? html`<p class="faint">The first ${numeral(listed.length)} are listed here; <code>chatkeep diff --json</code> gives all.</p>` : ''}
</section>`;
}

function idsOf(changes: readonly Change[]): string[] {
  return changes.map(({ id }) => id);
}

function changeList(group: Group, shown: readonly (Change | Changed)[], addressOf: ReaderAddress): Html {
  return html`<ul class="changes">${shown.map((change) => {
    const address = addressOf(change.id);
    const title = titleOf(change);
    return html`<li><span class="sign" aria-hidden="true">${group.sign}</span> ${address === undefined ? title : html`<a href="${address}">${title}</a>`}
<span class="faint">${group.words(change)}</span></li>`;
  })}</ul>`;
}
