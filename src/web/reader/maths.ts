import katex from 'katex';
import type { MarkdownIt, StateBlock, StateInline, Token } from 'markdown-it';
import { escapeHtml } from '../../lib/html.ts';
import { type Allowance, allowanceIn } from './allowance.ts';

/** Longer than any formula that people write; each takes KaTeX about a millisecond. */
const LONGEST_FORMULA = 4_000;
const LONGEST_SEARCH = 20_000;
/** Where the next end of a formula is, by its delimiter, for as long as one text is read. */
const nextEnds = new WeakMap<StateInline, Map<string, number>>();
const DELIMITERS = [
  { open: '\\[', close: '\\]', block: true },
  { open: '$$', close: '$$', block: true },
  { open: '\\(', close: '\\)', block: false },
] as const;
type Delimiter = (typeof DELIMITERS)[number];

/** Formulas as ChatGPT writes them: `\( … \)` in a line, `\[ … \]` and `$$ … $$` in lines of their own or within one. */
export function withMaths(markdown: MarkdownIt): void {
  markdown.inline.ruler.before('escape', 'maths', inlineFormula);
  markdown.block.ruler.before('fence', 'maths', blockFormula, {
    alt: ['paragraph', 'reference', 'blockquote', 'list'],
  });
  const { rules } = markdown.renderer;
  rules.maths_inline = (tokens, index, _options, env) => inLine(tokens[index], false, allowanceIn(env));
  rules.maths_display = (tokens, index, _options, env) => inLine(tokens[index], true, allowanceIn(env));
  rules.maths_block = (tokens, index, _options, env) =>
    `<div class="maths" tabindex="0" role="group" aria-label="Formula">${formula(tokens[index], true, allowanceIn(env))}</div>`;
}

function inLine(token: Token | undefined, display: boolean, allowance: Allowance | undefined): string {
  return `<span class="maths">${formula(token, display, allowance)}</span>`;
}

function formula(token: Token | undefined, display: boolean, allowance: Allowance | undefined): string {
  const tex = token?.content ?? '';
  const isAllowed = tex.length <= LONGEST_FORMULA && allowance?.take('formulas', 1) !== false;
  return (isAllowed ? mathml(tex, display) : undefined) ?? `<code>${escapeHtml(tex)}</code>`;
}

/** MathML; undefined of what is no formula. */
function mathml(tex: string, display: boolean): string | undefined {
  try {
    return katex.renderToString(tex, {
      output: 'mathml',
      displayMode: display,
      throwOnError: true,
      strict: 'ignore',
      trust: false,
      maxExpand: 200,
      maxSize: 20,
    });
  } catch {
    return undefined;
  }
}

function inlineFormula(state: StateInline, silent: boolean): boolean {
  const delimiter = DELIMITERS.find(({ open }) => state.src.startsWith(open, state.pos));
  if (delimiter === undefined) return false;
  const from = state.pos + delimiter.open.length;
  const end = endFrom(state, delimiter.close, from);
  if (end + delimiter.close.length > state.posMax || end - from > LONGEST_SEARCH) return false;
  const content = state.src.slice(from, end);
  if (content.trim() === '') return false;
  if (!silent) state.push(delimiter.block ? 'maths_display' : 'maths_inline', '', 0).content = content;
  state.pos = end + delimiter.close.length;
  return true;
}

/** Where `close` stands next; infinitely far where it does not. Looked for once, and not from every beginning anew. */
function endFrom(state: StateInline, close: string, from: number): number {
  const ends = nextEnds.get(state) ?? new Map<string, number>();
  nextEnds.set(state, ends);
  const known = ends.get(close);
  if (known !== undefined && known >= from) return known;
  const at = state.src.indexOf(close, from);
  const end = at === -1 ? Number.POSITIVE_INFINITY : at;
  ends.set(close, end);
  return end;
}

/** What begins a line and ends one, however many lines are between: in there `- b` is no list. */
function blockFormula(state: StateBlock, startLine: number, endLine: number, silent: boolean): boolean {
  const first = lineOf(state, startLine);
  const delimiter = DELIMITERS.find(({ open, block }) => block && first.startsWith(open));
  if (delimiter === undefined || (state.sCount[startLine] ?? 0) - state.blkIndent >= 4) return false;
  const end = lastLineOf(state, delimiter, startLine, endLine);
  if (end === undefined) return false;
  if (silent) return true;
  const text = state.getLines(startLine, end + 1, state.sCount[startLine] ?? 0, false).trim();
  const token = state.push('maths_block', '', 0);
  token.content = text.slice(delimiter.open.length, -delimiter.close.length);
  token.block = true;
  token.map = [startLine, end + 1];
  state.line = end + 1;
  return true;
}

function lastLineOf(
  state: StateBlock,
  { open, close }: Delimiter,
  startLine: number,
  endLine: number,
): number | undefined {
  let characters = 0;
  for (let line = startLine; line < endLine && characters < LONGEST_SEARCH; line += 1) {
    if (line > startLine && (state.sCount[line] ?? 0) < state.blkIndent && !state.isEmpty(line)) return undefined;
    const text = lineOf(state, line);
    const rest = (line === startLine ? text.slice(open.length) : text).trimEnd();
    const at = rest.indexOf(close);
    if (at !== -1) return at === rest.length - close.length && (line > startLine || at > 0) ? line : undefined;
    characters += text.length;
  }
  return undefined;
}

function lineOf(state: StateBlock, line: number): string {
  return state.src.slice((state.bMarks[line] ?? 0) + (state.tShift[line] ?? 0), state.eMarks[line]);
}
