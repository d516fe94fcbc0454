import { html } from 'hono/html';
import type { CatalogConversation, Hit, SearchResult, Snippet } from '../../catalog/index.ts';
import { count, formatMoment } from '../../lib/text.ts';
import { anchorOf, conversationAddress } from '../addresses.ts';
import type { Html } from './layout.ts';
import { titleOf } from './words.ts';

/** A hit as the page and its script show it. */
export interface FoundMessage {
  readonly address: string;
  readonly title: string;
  readonly by: string;
  /** `2026-11-21 19:05 UTC`, and for machines; empty where there is no time. */
  readonly at: string;
  readonly time: string;
  /** Pieces of text, one found and one not in turn, beginning with one that is not. */
  readonly pieces: readonly string[];
  readonly notes: readonly string[];
}

/** What was found, as the page and its script show it. */
export interface Found {
  /** `12 messages`, and what there is to say of what was typed. */
  readonly count: string;
  readonly titles: readonly { readonly address: string; readonly title: string }[];
  readonly messages: readonly FoundMessage[];
}

const SPEAKERS: Readonly<Record<string, string>> = {
  user: 'You',
  assistant: 'ChatGPT',
  tool: 'A tool',
  system: 'System',
};

export function foundOf({ hits, found, more, titles, remark }: SearchResult): Found {
  const words = found === 0 ? 'No message found' : `${more ? 'More than ' : ''}${count(found, 'message')} found`;
  return {
    count: remark === undefined ? words : `${words}. ${remark}`,
    titles: titles.map((conversation) => ({
      address: conversationAddress(conversation),
      title: titleOf(conversation),
    })),
    messages: hits.map(messageOf),
  };
}

function messageOf(hit: Hit): FoundMessage {
  const { conversation, message, role, at, snippet, snapshot, earlier, alsoIn } = hit;
  const version = earlier ? snapshot : undefined;
  const anchor = message === undefined ? '' : `#${anchorOf(message)}`;
  return {
    address: `${conversationAddress(conversation, { version, at: message })}${anchor}`,
    title: titleOf(conversation),
    by: SPEAKERS[role] ?? 'Other',
    at: at === undefined ? '' : formatMoment(at),
    time: at === undefined ? '' : new Date(at).toISOString(),
    pieces: snippet === undefined ? ['The text cannot be read from the snapshot.'] : piecesOf(snippet),
    notes: notesOf(conversation, earlier, alsoIn.length),
  };
}

function piecesOf({ text, marks }: Snippet): string[] {
  const pieces: string[] = [];
  let done = 0;
  for (const [from, to] of marks) {
    pieces.push(text.slice(done, from), text.slice(from, to));
    done = to;
  }
  return [...pieces, text.slice(done)];
}

function notesOf({ presence, uncertain }: CatalogConversation, earlier: boolean, copies: number): string[] {
  const gone = uncertain ? 'Not in the newest export' : 'Deleted conversation';
  return [
    ...(presence === 'gone' ? [gone] : presence === 'no-longer-carried' ? ['No longer exported'] : []),
    ...(earlier ? ['Only in an earlier version'] : []),
    ...(copies > 0 ? [`Also in ${count(copies, 'other conversation')}`] : []),
  ];
}

export function searchResults({ count: words, titles, messages }: Found): Html {
  return html`<section id="found" aria-label="Search results">
<p class="count" id="count">${words}</p>
<ul class="plain titles" id="titles">${titles.map(({ address, title }) => html`<li><a href="${address}" dir="auto">${title}</a></li>`)}</ul>
<ol class="plain entries" id="messages">${messages.map(foundMessage)}</ol>
</section>`;
}

/** The script fills copies of this one. */
export function emptyResults(): Html {
  return html`<section id="found" aria-label="Search results" hidden>
<p class="count" id="count"></p>
<ul class="plain titles" id="titles"></ul>
<ol class="plain entries" id="messages"></ol>
</section>`;
}

export function resultTemplate(): Html {
  return html`<template id="result">${foundMessage({ address: '', title: '', by: '', at: '', time: '', pieces: [], notes: [] })}</template>`;
}

function foundMessage({ address, title, by, at, time, pieces, notes }: FoundMessage): Html {
  return html`<li>
<h2><a href="${address}" dir="auto">${title}</a></h2>
<p class="snippet" dir="auto">${pieces.map((piece, index) => (index % 2 === 1 ? html`<mark>${piece}</mark>` : piece))}</p>
<p class="faint"><span class="by">${by}</span> <time datetime="${time}">${at}</time></p>
<p class="badges">${notes.map((note) => html`<span class="badge">${note}</span>`)}</p>
</li>`;
}
