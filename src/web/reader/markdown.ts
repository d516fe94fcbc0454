import MarkdownIt, { type Token } from 'markdown-it';
import type { Citation } from '../../chatgpt/index.ts';
import { escapeHtml } from '../../lib/html.ts';
import { type Allowance, allowanceIn } from './allowance.ts';
import { codeBlock } from './code.ts';
import { withMaths } from './maths.ts';
import { sanitised } from './sanitiser.ts';

/** Another page that a text refers to, with the number that it has in the text. */
export interface Source {
  readonly url: string;
  readonly title: string;
}

export interface RenderedText {
  /** Sanitised. */
  readonly html: string;
  readonly sources: readonly Source[];
}

/** In the text, where a source is referred to. Marks of this kind are in no text: the reader takes them out. */
const [MARK, MARK_END] = ['\ue2f0', '\ue2f1'];
const MARKS = /\u2009?\ue2f0(\d+)\ue2f1/gu;
/** Headings in a message are below the page's title and the message's own. */
const HEADINGS_BELOW = 2;
const LOWEST_HEADING = 6;

const markdown = makeMarkdown();

/** Text of ChatGPT, which is Markdown. Links to sources stand where the citations are. */
export function renderMarkdown(text: string, citations: readonly Citation[], allowance: Allowance): RenderedText {
  const { marked, sources } = withMarks(text, citations);
  return { html: sanitised(markdown.render(marked, { allowance })), sources };
}

/** Text as a user has typed it: every line and space is kept, but blocks of code are shown as such, and addresses are links. */
export function renderTyped(text: string, allowance: Allowance): string {
  const lines = text.split('\n');
  let html = '';
  let done = 0;
  const typed = (from: number, to: number) => {
    const part = lines
      .slice(from, to)
      .join('\n')
      .replace(/^\n+|\n+$/g, '');
    if (part !== '') html += `<p>${linked(part)}</p>`;
  };
  for (const { map, content, info } of fencesIn(text)) {
    const [from, to] = map;
    typed(done, from);
    html += codeBlock(content, info.trim().split(/\s/)[0], allowance);
    done = to;
  }
  typed(done, lines.length);
  return sanitised(html);
}

const fences = new MarkdownIt('zero').enable(['fence']);

function fencesIn(text: string): { map: [number, number]; content: string; info: string }[] {
  if (!/^ {0,3}(?:```|~~~)/m.test(text)) return [];
  return fences
    .parse(text, {})
    .flatMap(({ type, level, map, content, info }) =>
      type === 'fence' && level === 0 && map !== null ? [{ map, content, info }] : [],
    );
}

/** Escaped, its addresses links. */
function linked(text: string): string {
  let html = '';
  let done = 0;
  for (const { index, lastIndex, url, text: shown } of markdown.linkify.match(text) ?? []) {
    if (!isAllowed(url)) continue;
    html += `${escapeHtml(text.slice(done, index))}<a href="${escapeHtml(url)}">${escapeHtml(shown)}</a>`;
    done = lastIndex;
  }
  return html + escapeHtml(text.slice(done));
}

function withMarks(text: string, citations: readonly Citation[]): { marked: string; sources: Source[] } {
  const sources = new Map<string, Source & { readonly number: number }>();
  let marked = '';
  let done = 0;
  for (const { at, title, url } of citations) {
    const known = sources.get(url) ?? { url, title: title ?? url, number: sources.size + 1 };
    sources.set(url, known);
    // The thin space ends an address that stands before it.
    marked += `${text.slice(done, at)}\u2009${MARK}${known.number}${MARK_END}`;
    done = at;
  }
  return { marked: marked + text.slice(done), sources: [...sources.values()] };
}

/** What a link may lead to: never a script, a file, or a page of our own. */
function isAllowed(url: string): boolean {
  return /^(?:https?:\/\/|mailto:)/i.test(url.trim());
}

function makeMarkdown() {
  const made = new MarkdownIt({ html: false, linkify: true, typographer: false });
  made.linkify.set({ fuzzyLink: false, fuzzyEmail: false });
  made.validateLink = isAllowed;
  withMaths(made);
  const { rules } = made.renderer;
  const withoutMarks = (text: string) => text.replaceAll(MARKS, '');
  rules.text = (tokens, index) =>
    escapeHtml(tokens[index]?.content ?? '').replaceAll(
      MARKS,
      (_mark, number) => `<sup class="source">[${number}]</sup>`,
    );
  rules.code_inline = (tokens, index) => `<code>${escapeHtml(withoutMarks(tokens[index]?.content ?? ''))}</code>`;
  rules.code_block = (tokens, index, _options, env) =>
    codeBlock(withoutMarks(tokens[index]?.content ?? ''), undefined, allowanceIn(env));
  rules.fence = (tokens, index, _options, env) => {
    const { content = '', info = '' } = tokens[index] ?? {};
    return codeBlock(withoutMarks(content), withoutMarks(info).trim().split(/\s/)[0], allowanceIn(env));
  };
  // Pictures from elsewhere are not fetched: whoever they are of would learn of the reader.
  rules.image = (tokens, index) => {
    const token = tokens[index];
    const address = String(token?.attrGet('src') ?? '');
    return `<a href="${escapeHtml(address)}">[Picture: ${escapeHtml(token?.content === '' ? address : (token?.content ?? ''))}]</a>`;
  };
  rules.table_open = () => '<div class="table" tabindex="0" role="group" aria-label="Table"><table>\n';
  rules.table_close = () => '</table></div>\n';
  rules.heading_open = (tokens, index) => `<${tokens[index]?.tag}>`;
  rules.heading_close = (tokens, index) => `</${tokens[index]?.tag}>\n`;
  made.core.ruler.push('headings', ({ tokens }) => putHeadingsInOrder(tokens));
  made.core.ruler.push('table heads', ({ tokens }) => leaveEmptyHeadsOut(tokens));
  for (const cell of ['th_open', 'td_open'])
    rules[cell] = (tokens, index) => `<${tokens[index]?.tag}${alignment(tokens[index])}>`;
  return made;
}

/** No heading is more than one level below the one before it: who hears the page finds the way by these. */
function putHeadingsInOrder(tokens: readonly Token[]): void {
  let level = HEADINGS_BELOW;
  for (const token of tokens) {
    if (token.type === 'heading_open')
      level = Math.min(LOWEST_HEADING, level + 1, Number(token.tag.slice(1)) + HEADINGS_BELOW);
    if (token.type === 'heading_open' || token.type === 'heading_close') token.tag = `h${level}`;
  }
}

/** A head that says nothing heads nothing. */
function leaveEmptyHeadsOut(tokens: readonly Token[]): void {
  for (const [index, open] of tokens.entries()) {
    const [content, close] = [tokens[index + 1], tokens[index + 2]];
    if (open.type !== 'th_open' || content?.content !== '' || close?.type !== 'th_close') continue;
    open.tag = 'td';
    close.tag = 'td';
  }
}

/** The cell's style would be against the page's policy. */
function alignment(token: Token | undefined): string {
  const style = String(token?.attrGet('style') ?? '');
  return style.includes('right') ? ' class="right"' : style.includes('center') ? ' class="centre"' : '';
}
