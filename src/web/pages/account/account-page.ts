import { html } from 'hono/html';
import type { Shelves } from '../../../catalog/index.ts';
import type { AccountInformation, AccountSetting, Feedback, Rows, SharedLink } from '../../../chatgpt/index.ts';
import { count } from '../../../lib/text.ts';
import type { SnapshotPlace } from '../../../snapshot/index.ts';
import { type Query, queryOf, snapshotAddress } from '../../addresses.ts';
import { type Html, layout } from '../../views/layout.ts';
import { accountTabs, figures, notice, pageOf, pager } from '../../views/parts.ts';
import { moment, numeral, thumbOf, titleOf } from '../../views/words.ts';
import { dayOf, momentOf } from '../snapshots/words.ts';
import type { AccountChange, AccountFact } from './account-history.ts';
import { maskEmail, maskPhone } from './mask.ts';

const A_PAGE = 25;

/** A conversation as it is linked to. */
export interface LinkedConversation {
  readonly title: string | undefined;
  readonly address: string;
}

export interface AccountPageOptions {
  readonly accounts: readonly string[];
  readonly account: string;
  readonly newest: SnapshotPlace;
  readonly information: AccountInformation | undefined;
  readonly changes: readonly AccountChange[];
  readonly settings: readonly AccountSetting[];
  readonly feedback: Rows<Feedback>;
  readonly sharedLinks: Rows<SharedLink>;
  /** Undefined where there is no catalog yet. */
  readonly shelves: Shelves | undefined;
  readonly conversationOf: (id: string | undefined, message?: string) => LinkedConversation | undefined;
  /** Whether the email address and the telephone number are to be shown. */
  readonly isUnmasked: boolean;
  /** Pages of lists, as they stand in the address. */
  readonly feedbackPage: string | undefined;
  readonly linksPage: string | undefined;
}

/** What the newest snapshot says of an account. */
export function accountPage(options: AccountPageOptions): Html {
  const { accounts, account, newest, shelves } = options;
  const main = html`<h1>Account</h1>
${accountTabs(accounts, account, addressOf)}
<p class="faint">As the newest snapshot says, that of <a href="${snapshotAddress(newest)}">${momentOf(newest)}</a>.</p>
${informationSection(options)}
${shelves === undefined ? '' : shelvesSection(shelves)}
${changesSection(options)}
${linksSection(options)}
${feedbackSection(options)}
${settingsSection(options.settings)}`;
  return layout({ title: 'Account', section: 'account', styles: ['archive.css'], main });
}

/** Where nothing was kept yet. */
export function noAccountPage(): Html {
  const main = html`<h1>Account</h1><p>There is no snapshot yet. What your exports say of your account is shown here once there is one.</p>`;
  return layout({ title: 'Account', section: 'account', main });
}

function addressOf(account: string, query: Query = {}): string {
  return `/account${queryOf({ account, ...query })}`;
}

function informationSection({ account, information, isUnmasked }: AccountPageOptions): Html {
  if (information === undefined)
    return notice(
      'plain',
      html`<p>The snapshot has no information about its account (<code>user.json</code>) that is understood.</p>`,
    );
  const { id, email, phone, birthYear, plus } = information;
  const facts: readonly (readonly [string, Html | string | undefined])[] = [
    ['Email', email === undefined ? undefined : wordsOf('email', email, isUnmasked)],
    ['Telephone', phone === undefined ? undefined : wordsOf('phone', phone, isUnmasked)],
    ['Plan', plus === undefined ? undefined : wordsOf('plus', plus, isUnmasked)],
    ['Year of birth', birthYear === undefined ? undefined : wordsOf('birthYear', birthYear, isUnmasked)],
    ["OpenAI's name of it", id === undefined ? undefined : html`<code>${id}</code>`],
  ];
  return html`<dl class="facts">${facts.map(([name, value]) => (value === undefined ? '' : html`<div><dt>${name}</dt><dd>${value}</dd></div>`))}</dl>
<p>${isUnmasked ? html`<a href="${addressOf(account)}">Hide personal details</a>` : html`<a href="${addressOf(account, { show: 'details' })}">Show personal details</a>`}</p>`;
}

function wordsOf(fact: AccountFact, value: string | number | boolean | undefined, isUnmasked: boolean): string {
  const text = String(value ?? '');
  switch (fact) {
    case 'email':
      return isUnmasked ? text : maskEmail(text);
    case 'phone':
      return isUnmasked ? text : maskPhone(text);
    case 'birthYear':
      return isUnmasked ? text : '••••';
    case 'plus':
      return value === true ? 'paid (Plus or higher)' : 'free';
  }
}

function shelvesSection({ present, archived, starred, gpts }: Shelves): Html {
  return html`${figures([
    { name: 'Conversations', value: numeral(present) },
    { name: 'Archived', value: numeral(archived) },
    { name: 'Starred', value: numeral(starred) },
  ])}
${
  gpts.length === 0
    ? ''
    : html`<section aria-labelledby="gpts"><h2 id="gpts">Custom GPTs</h2>
<p class="faint">Conversations with them, over all snapshots. Exports give their ids alone, and none since May 2026.</p>
<ul>${gpts.map(({ id, conversations }) => html`<li><code>${id}</code> <span class="faint">${count(conversations, 'conversation')}</span></li>`)}</ul></section>`
}`;
}

const FACT_NAMES: Readonly<Record<AccountFact, string>> = {
  email: 'Email',
  phone: 'Telephone',
  plus: 'Plan',
  birthYear: 'Year of birth',
};

function changesSection({ changes, isUnmasked }: AccountPageOptions): Html | string {
  if (changes.length === 0) return '';
  return html`<section aria-labelledby="changes"><h2 id="changes">What changed</h2>
<ul>${changes.map(
    ({ snapshot, fact, before, after }) =>
      html`<li>${FACT_NAMES[fact]}: ${wordsOf(fact, before, isUnmasked)} became ${wordsOf(fact, after, isUnmasked)} <span class="faint">by <a href="${snapshotAddress(snapshot)}">${dayOf(snapshot)}</a></span></li>`,
  )}</ul></section>`;
}

function conversationLink(conversation: LinkedConversation | undefined, title: string | undefined): Html {
  const text = titleOf({ title: title ?? conversation?.title });
  return conversation === undefined ? html`${text}` : html`<a href="${conversation.address}">${text}</a>`;
}

function linksSection({ account, sharedLinks: { rows, unread }, conversationOf, linksPage }: AccountPageOptions): Html {
  const { page, pages } = pageOf(linksPage, rows.length, A_PAGE);
  return html`<section aria-labelledby="links"><h2 id="links">Shared links</h2>
${
  rows.length === 0
    ? html`<p>No conversation is shared by a link.</p>`
    : html`<p class="faint">${count(rows.length, 'conversation')} that whoever has the link could read on the day of the export.</p>
<ul>${rows.slice((page - 1) * A_PAGE, page * A_PAGE).map(({ id, conversation, title }) => html`<li>${conversationLink(conversationOf(conversation), title)} ${sharedAddress(id)}</li>`)}</ul>`
}
${unreadNote(unread)}
${pager({ page, pages, label: 'Pages of shared links', addressOf: (n) => `${addressOf(account, { links: n })}#links` })}
</section>`;
}

/** Only what is an id of that form leads anywhere: it comes from the export. */
function sharedAddress(id: string): Html {
  if (!/^[\w-]{1,100}$/.test(id)) return html`<span class="faint">${id}</span>`;
  return html`<a class="faint" href="https://chatgpt.com/share/${id}" rel="noreferrer noopener">at chatgpt.com</a>`;
}

function feedbackSection(options: AccountPageOptions): Html {
  const { account, feedback, conversationOf, feedbackPage } = options;
  const rows = feedback.rows.toSorted((a, b) => (b.createdAt ?? 0) - (a.createdAt ?? 0));
  const { page, pages } = pageOf(feedbackPage, rows.length, A_PAGE);
  return html`<section aria-labelledby="feedback"><h2 id="feedback">Answers you rated</h2>
${
  rows.length === 0
    ? html`<p>No answer was rated.</p>`
    : html`<ul class="changes">${rows
        .slice((page - 1) * A_PAGE, page * A_PAGE)
        .map(
          ({ conversation, message, rating, createdAt }) =>
            html`<li>${ratingWords(rating)}: ${conversationLink(conversationOf(conversation, message), undefined)} ${createdAt === undefined ? '' : moment(createdAt)}</li>`,
        )}</ul>`
}
${unreadNote(feedback.unread)}
${pager({ page, pages, label: 'Pages of ratings', addressOf: (n) => `${addressOf(account, { feedback: n })}#feedback` })}
</section>`;
}

function ratingWords(rating: string | undefined): string {
  if (rating === undefined) return 'Rated';
  const thumb = thumbOf(rating);
  return thumb === undefined ? rating : { good: 'Good', bad: 'Bad' }[thumb];
}

function unreadNote(unread: number): Html | string {
  if (unread === 0) return '';
  return html`<p class="faint">${count(unread, 'row')} of the list could not be read; the file in the snapshot has ${unread === 1 ? 'it' : 'them'}.</p>`;
}

function settingsSection(settings: readonly AccountSetting[]): Html | string {
  if (settings.length === 0) return '';
  return html`<section aria-labelledby="settings"><h2 id="settings">Settings</h2>
<p class="faint">As the export names them (<code>user_settings.json</code>).</p>
<dl class="facts">${settings.map(({ name, value }) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl></section>`;
}
