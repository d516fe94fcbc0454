import { html } from 'hono/html';
import type { CatalogConversation } from '../../catalog/index.ts';
import { count } from '../../lib/text.ts';
import { conversationAddress } from '../addresses.ts';
import type { Html } from './layout.ts';
import { badge } from './parts.ts';
import { dayOfSnapshot, moment, titleOf } from './words.ts';

/** Conversations with what tells one from another; their account where there are several. */
export function conversationList(conversations: readonly CatalogConversation[], withAccount: boolean): Html {
  return html`<ol class="plain entries">${conversations.map((one) => entry(one, withAccount))}</ol>`;
}

function entry(conversation: CatalogConversation, withAccount: boolean): Html {
  const { account, newestAt, createdAt, messages, model, archived, starred } = conversation;
  const at = newestAt ?? createdAt;
  return html`<li>
<h2><a href="${conversationAddress(conversation)}" dir="auto">${titleOf(conversation)}</a></h2>
<p class="faint">${at === undefined ? 'No date' : moment(at)} · ${count(messages, 'message')}${model === undefined ? '' : ` · ${model}`}${
    withAccount ? ` · ${account}` : ''
  }</p>
<p class="badges">${presenceBadge(conversation)}${starred === true ? badge('Starred') : ''}${archived === true ? badge('Archived') : ''}${shapeBadges(conversation)}</p>
</li>`;
}

/** Where it is no longer in the newest export: why, and when it was last. */
function presenceBadge({ presence, uncertain, lastSeen }: CatalogConversation): Html | string {
  if (presence === 'present') return '';
  const last = html`last in the export of ${dayOfSnapshot(lastSeen)}`;
  if (presence === 'no-longer-carried') return html`<span class="badge">No longer exported, ${last}</span>`;
  if (uncertain) return html`<span class="badge warn">Not found, ${last}</span>`;
  return html`<span class="badge bad">Deleted, ${last}</span>`;
}

function shapeBadges({ spoken, branches, versions }: CatalogConversation): Html {
  return html`${spoken ? badge('Voice') : ''}${branches > 0 ? badge(count(branches + 1, 'branch', 'branches')) : ''}${
    versions > 1 ? badge(count(versions, 'version')) : ''
  }`;
}
