import { Parser } from 'htmlparser2';
import { type SimpleParserOptions, simpleParser } from 'mailparser';
import { SECOND_MS } from '../lib/clock.ts';
import { withTimeout } from '../lib/signals.ts';
import { HEADERS_MOST_BYTES } from './headers.ts';

/** What a person would see of a message. */
export interface MessageBody {
  readonly subject: string;
  /** Where it leads: the links of the HTML first, then the addresses in its text parts. */
  readonly links: readonly WrittenLink[];
  /** Addresses that its HTML only shows: another place may be behind them, and they may be cut short. */
  readonly shown: readonly WrittenLink[];
}

/** An address as it may be meant, entities decoded: as it certainly goes first, then with what may belong to it. */
export type WrittenLink = readonly [string, ...string[]];

const TIME_LIMIT_MS = 10 * SECOND_MS;
const MOST_PARTS = 100;
/** Of each kind: in HTML, shown there, in text. */
export const MOST_LINKS = 100;
export const MOST_LINK_CHARACTERS = 4096;
/** An address of a thousand characters, hard-wrapped at 76, goes over so many lines. */
export const MOST_JOINED_LINES = 14;

const PARSER_OPTIONS: SimpleParserOptions & { maxHeadSize: number; maxChildNodes: number } = {
  skipHtmlToText: true,
  skipTextToHtml: true,
  skipTextLinks: true,
  skipImageLinks: true,
  keepCidLinks: true,
  checksumAlgo: 'sha256',
  maxHeadSize: HEADERS_MOST_BYTES,
  maxChildNodes: MOST_PARTS,
};

/**
 * Decodes a message (MIME, transfer encodings, charsets) and collects its links from all text and HTML parts, those of
 * messages that are embedded in it too. Attached files are not looked into.
 *
 * @throws if it has more parts or longer headers than any honest message
 */
export async function readBody(source: Buffer): Promise<MessageBody> {
  const mail = await withTimeout('Decoding the message', TIME_LIMIT_MS, undefined, () =>
    simpleParser(source, PARSER_OPTIONS),
  );
  const { hrefs, text } = readHtml(mail.html || '');
  return {
    subject: withoutInvisible(mail.subject ?? '')
      .replace(/\s+/g, ' ')
      .trim(),
    links: [...uniqueLinks(hrefs.map((href) => [href])), ...linksOfText(mail.text ?? '')],
    shown: linksOfText(text),
  };
}

/** Elements that may stand inside a word. All others end an address that is written out. */
const INLINE_ELEMENTS = new Set(['b', 'em', 'font', 'i', 'span', 'strong', 'u', 'wbr']);

/** Keeps no record of open elements: neither links nor text need one, and a deep one makes the parser slow. */
class FlatParser extends Parser {
  readonly #html: string;
  readonly #onBreak: () => void;

  constructor(html: string, handler: { onopentag: Handler; ontext: (text: string) => void; onBreak: () => void }) {
    super(handler);
    this.#html = html;
    this.#onBreak = handler.onBreak;
  }

  protected override isVoidElement(): boolean {
    return true;
  }

  override onclosetag(start: number, end: number): void {
    super.onclosetag(start, end);
    if (!INLINE_ELEMENTS.has(this.#html.slice(start, end).toLowerCase())) this.#onBreak();
  }
}

type Handler = (name: string, attributes: Readonly<Record<string, string>>) => void;

/** The targets of all links of an HTML document, and its text, with a line break wherever an element begins or ends. */
export function readHtml(html: string): { hrefs: string[]; text: string } {
  const hrefs: string[] = [];
  const text: string[] = [];
  const parser = new FlatParser(html, {
    onopentag: (name, { href }) => {
      if (href !== undefined) hrefs.push(cleaned(href.trim()));
      if (!INLINE_ELEMENTS.has(name)) text.push('\n');
    },
    // A line break in the source of HTML is a space.
    ontext: (piece) => text.push(piece.replace(/\s+/g, ' ')),
    onBreak: () => text.push('\n'),
  });
  parser.end(html);
  return { hrefs, text: text.join('') };
}

/**
 * The addresses in plain text: those in angle brackets, which may have line breaks inside (RFC 3986 appendix C), and bare
 * ones up to the next space, with the lines behind them that they may go on in. `&amp;` stands for `&`: text parts made
 * from HTML hold it (shared facts: "The email").
 */
export function linksOfText(text: string): WrittenLink[] {
  const visible = withoutInvisible(text).replace(/\r\n?/g, '\n');
  const bracketed = [...visible.matchAll(BRACKETED)].map(
    (match): WrittenLink => [(match[1] ?? '').replace(/\s+/g, '')],
  );
  const bare: WrittenLink[] = [];
  for (const match of visible.replace(BRACKETED, ' ').matchAll(BARE)) {
    if (bare.length >= MOST_LINKS) break;
    bare.push(bareLink(match[0], match.input.slice(match.index + match[0].length)));
  }
  return uniqueLinks([...bracketed, ...bare]);
}

const BRACKETED = /<(https?:\/\/[^<>]*)>/gi;
const BARE = /\bhttps?:\/\/[^\s<>"]+/gi;
/** A line that can be the rest of an address: nothing but what addresses are made of (RFC 3986 section 2), and none begins. */
const CONTINUATION = /^[\t ]*\n[\t ]*(?!https?:)([\w\-.~:/?#[\]@!$&'()*+,;=%]+)[\t ]*(?=\n|$)/i;

/** @param behind the text that follows the address */
function bareLink(link: string, behind: string): WrittenLink {
  const guesses: string[] = [];
  let joined = link;
  let rest = behind.slice(0, Math.max(0, MOST_LINK_CHARACTERS - link.length));
  while (guesses.length < MOST_JOINED_LINES) {
    const next = CONTINUATION.exec(rest);
    if (next === null) break;
    joined += next[1];
    rest = rest.slice(next[0].length);
    guesses.push(joined);
  }
  return [withoutPunctuation(link), ...guesses.map(withoutPunctuation)];
}

/** An address at the end of a sentence takes no full stop along. */
function withoutPunctuation(link: string): string {
  let end = link.length;
  while (end > 0 && ".,;:!?)]}'".includes(link.charAt(end - 1))) end -= 1;
  return link.slice(0, end);
}

function uniqueLinks(links: readonly WrittenLink[]): WrittenLink[] {
  const unique = new Map<string, WrittenLink>();
  for (const [certain, ...guesses] of links) {
    if (unique.size >= MOST_LINKS) break;
    if (certain.length > MOST_LINK_CHARACTERS) continue;
    const written: WrittenLink = [cleaned(certain), ...guesses.map(cleaned)];
    const key = written.join('\n');
    if (!unique.has(key)) unique.set(key, written);
  }
  return [...unique.values()];
}

/** What an HTML attribute and a text part may have been escaped into once too often. */
function cleaned(link: string): string {
  return withoutInvisible(link).replace(/&(?:amp;|#38;|#x26;)+/gi, '&');
}

/** Soft hyphens, and spaces and joiners of no width: put into long words so that they can be broken. */
function withoutInvisible(text: string): string {
  return text.replace(/[\u00AD\u200B-\u200D\u2060\uFEFF]/g, '');
}
