import { createRequire } from 'node:module';
import { escapeHtml } from '../../lib/html.ts';
import type { Allowance } from './allowance.ts';

/** What is used of highlight.js. Its own types bring those of a browser into everything that is compiled with them. */
interface Highlighter {
  registerLanguage(name: string, language: unknown): void;
  getLanguage(name: string): unknown;
  /** HTML: the text escaped, with `span`s around its parts. */
  highlight(text: string, options: { language: string; ignoreIllegals: boolean }): { readonly value: string };
}

const require = createRequire(import.meta.url);
const hljs: Highlighter = require('highlight.js/lib/common');
for (const name of ['dockerfile', 'haskell', 'latex', 'powershell'])
  hljs.registerLanguage(name, require(`highlight.js/lib/languages/${name}`));

/** Longer code is shown without colours: they take a millisecond for each thousand characters. */
const LONGEST_COLOURED = 30_000;
/** Lines that fit even on a small phone need no way to scroll them by the keyboard. */
const FITS_CHARACTERS = 30;

/** A block of code, in colours where its language is told and known. */
export function codeBlock(text: string, language: string | undefined, allowance: Allowance | undefined): string {
  const name = /^[\w+#.-]{1,30}$/.test(language ?? '') ? (language ?? '') : '';
  const scrolls = text.split('\n').some((line) => line.length > FITS_CHARACTERS);
  const head = name === '' ? '' : `<div class="code-head"><span class="code-language">${escapeHtml(name)}</span></div>`;
  const inside = coloured(text, name, allowance) ?? escapeHtml(text);
  return `<div class="code">${head}<pre${scrolls ? ' tabindex="0"' : ''}><code class="hljs">${inside}</code></pre></div>`;
}

function coloured(text: string, language: string, allowance: Allowance | undefined): string | undefined {
  if (language === '' || text.length > LONGEST_COLOURED || hljs.getLanguage(language) === undefined) return undefined;
  if (allowance?.take('highlighted characters', text.length) === false) return undefined;
  return hljs.highlight(text, { language, ignoreIllegals: true }).value;
}
