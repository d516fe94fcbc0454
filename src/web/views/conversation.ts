import { html } from 'hono/html';
import type { CatalogConversation, ConversationVersion } from '../../catalog/index.ts';
import { count } from '../../lib/text.ts';
import { anchorOf, conversationAddress, type Query, queryOf } from '../addresses.ts';
import type { ConversationPage, MessageView } from '../reader/questions.ts';
import { type Html, layout } from './layout.ts';
import { messageView, type Surroundings } from './message.ts';
import { badge, breadcrumbs, notice, pager } from './parts.ts';
import { dayOfSnapshot, moment, numeral, titleOf } from './words.ts';

/** What the address says of how the conversation is shown. */
export interface Shown {
  readonly version: string | undefined;
  readonly hidden: boolean;
  /** Texts are shown without Markdown, since that took too long. */
  readonly plain: boolean;
}

const OUTLINE_FROM = 3;

export function conversationView(page: ConversationPage, asked: Shown): Html {
  const { conversation, messages, outline, title } = page;
  const query = (more: Query): Query => ({
    version: asked.version,
    through: page.through,
    hidden: asked.hidden ? 1 : undefined,
    ...more,
  });
  const address = (more: Query) => conversationAddress(conversation, query(more));
  const pages = () =>
    pager({
      page: page.page,
      pages: page.pages,
      addressOf: (number) => address({ page: number }),
      label: 'Pages of this conversation',
    });
  const around: Surroundings = {
    account: conversation.account,
    snapshot: page.snapshot,
    branchAddress: (node) => `${address({ through: node, at: undefined })}#${anchorOf(node)}`,
    messageAddress: (message: MessageView) => `${address({ at: message.id })}#${anchorOf(message.id)}`,
    textAddress: (node) => `${textPlace(conversation)}${queryOf({ version: asked.version, node })}`,
  };
  const main = html`${breadcrumbs([{ address: '/conversations', name: 'Conversations' }], titleOf({ title }))}
<h1 dir="auto">${titleOf({ title })}</h1>
<p class="faint facts">${facts(page)}</p>
${banner(page)}
${versions(page)}
${hints(page, asked, address)}
${outline.length < OUTLINE_FROM ? '' : outlineView(page, (message, number) => `${address({ page: number === 1 ? undefined : number })}#${anchorOf(message)}`)}
${page.page > 1 ? pages() : ''}
<div class="messages">${messages.map((message) => messageView(message, around))}</div>
${messages.length === 0 ? notice('plain', html`<p>There is nothing to show in this conversation.</p>`) : ''}
${pages()}`;
  return layout({
    title: titleOf({ title }),
    section: 'conversations',
    main,
    styles: ['reader.css'],
    scripts: ['reader.js'],
  });
}

function textPlace(conversation: CatalogConversation): string {
  return `${conversationAddress(conversation)}/text`;
}

function facts({ conversation, createdAt, model, all, archived, starred, sharedLinks }: ConversationPage): Html {
  const { account, firstSeen, lastSeen } = conversation;
  const seen =
    firstSeen === lastSeen
      ? html`in the export of ${dayOfSnapshot(lastSeen)}`
      : html`in exports from ${dayOfSnapshot(firstSeen)} to ${dayOfSnapshot(lastSeen)}`;
  return html`${createdAt === undefined ? '' : html`Begun ${moment(createdAt)} · `}${count(all, 'message')}${
    model === undefined ? '' : html` · ${model}`
  } · ${account} · ${seen} ${starred ? badge('Starred') : ''}${archived ? badge('Archived') : ''}${
    sharedLinks > 0 ? badge(count(sharedLinks, 'shared link')) : ''
  }`;
}

/** Where it is no longer in the newest export, or shown as it was before. */
function banner({ conversation: { presence, uncertain, lastSeen } }: ConversationPage): Html | string {
  if (presence === 'present') return '';
  const last = html`It was last in the export of ${dayOfSnapshot(lastSeen)}, and is kept here.`;
  if (presence === 'no-longer-carried')
    return notice('plain', html`<p>Exports no longer carry what is in this conversation. ${last}</p>`);
  if (uncertain)
    return notice(
      'warn',
      html`<p>The newest export does not seem to hold this conversation, but a part of that export could not be read. ${last}</p>`,
    );
  return notice('warn', html`<p>This conversation has been deleted in ChatGPT. ${last}</p>`);
}

function versions({ conversation, versions: all, shown }: ConversationPage): Html | string {
  if (all.length < 2) return '';
  const isNewest = all[shown]?.number === conversation.head;
  const item = (version: ConversationVersion, index: number) => {
    const snapshot = version.snapshots.at(-1) ?? '';
    const words = html`${dayOfSnapshot(snapshot)} <span class="faint">${count(version.messages, 'message')}</span>`;
    const query = version.number === conversation.head ? {} : { version: snapshot };
    return html`<li>${index === shown ? html`<span aria-current="true">${words}</span>` : html`<a href="${conversationAddress(conversation, query)}">${words}</a>`}</li>`;
  };
  return html`<details class="versions"${isNewest ? '' : html` open`}><summary>${
    isNewest
      ? `${count(all.length, 'version')}, this is the newest`
      : html`An earlier version, from the export of ${dayOfSnapshot(all[shown]?.snapshots.at(-1) ?? '')}`
  }</summary>
<p class="faint">Each is how the conversation was in an export.</p><ol reversed class="plain">${all.map(item).toReversed()}</ol></details>`;
}

function hints(page: ConversationPage, asked: Shown, address: (query: Query) => string): Html {
  const { hidden, aside, through, shown, versions: all, conversation } = page;
  const state = all[shown];
  const fullest = all.filter(({ schema }) => schema === 'full').at(-1);
  const moreBefore = state?.schema === 'slim' && fullest !== undefined ? fullest.messages - state.messages : 0;
  return html`${asked.plain ? notice('plain', html`<p>The texts of this page are shown as they are, since formatting them takes too long.</p>`) : ''}
<ul class="plain hints">
${aside > 0 ? html`<li>${count(aside, 'message is', 'messages are')} on other branches: the arrows below a message lead there.</li>` : ''}
${through === undefined ? '' : html`<li>This is one of several branches. <a href="${address({ through: undefined })}">Show the main one</a></li>`}
${hidden === 0 ? '' : html`<li>${count(hidden, 'message')} that ChatGPT does not show. <a href="${address({ hidden: asked.hidden ? undefined : 1 })}">${asked.hidden ? 'Leave them out' : 'Show them'}</a></li>`}
${moreBefore > 0 ? html`<li>${count(moreBefore, 'message')} more (tools, code, thoughts) ${moreBefore === 1 ? 'is' : 'are'} in the <a href="${conversationAddress(conversation, { version: fullest?.snapshots.at(-1) })}">version of ${dayOfSnapshot(fullest?.snapshots.at(-1) ?? '')}</a>: newer exports leave them out.</li>` : ''}
</ul>`;
}

function outlineView({ outline }: ConversationPage, address: (message: string, page: number) => string): Html {
  return html`<details class="outline"><summary>${numeral(outline.length)} questions</summary><ol>${outline.map(
    ({ message, page, text }) => html`<li><a href="${address(message, page)}" dir="auto">${text}</a></li>`,
  )}</ol></details>`;
}
