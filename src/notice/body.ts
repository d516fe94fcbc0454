import { Parser } from 'htmlparser2';
import { type SimpleParserOptions, simpleParser } from 'mailparser';
import { SECOND_MS } from '../lib/clock.ts';
import { withTimeout } from '../lib/signals.ts';
import { HEADERS_MOST_BYTES } from './headers.ts';

/** What a person would see of a message. */
export interface MessageBody {
  readonly subject: string;
  /** Addresses it leads to, as they are written there (entities decoded): those of the HTML first. */
  readonly links: string[];
}

const TIME_LIMIT_MS = 10 * SECOND_MS;
const MOST_PARTS = 100;
const MOST_LINKS = 200;
const MOST_LINK_CHARACTERS = 4096;

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
 * Decodes a message (MIME, transfer encodings, charsets) and collects its links from all text and HTML parts.
 *
 * @throws if it has more parts or longer headers than any honest message
 */
export async function readBody(source: Buffer): Promise<MessageBody> {
  const mail = await withTimeout('Decoding the message', TIME_LIMIT_MS, undefined, () =>
    simpleParser(source, PARSER_OPTIONS),
  );
  const links = [...linksOfHtml(mail.html || ''), ...linksOfText(mail.text ?? '')];
  return {
    subject: (mail.subject ?? '').replace(/\s+/g, ' ').trim(),
    links: [...new Set(links)].filter((link) => link.length <= MOST_LINK_CHARACTERS).slice(0, MOST_LINKS),
  };
}

/** Keeps no record of open elements: links need none, and a deep one makes the parser slow. */
class FlatParser extends Parser {
  protected override isVoidElement(): boolean {
    return true;
  }
}

/** The targets of all links of an HTML document; what a link shows is not looked at. */
export function linksOfHtml(html: string): string[] {
  const links: string[] = [];
  const parser = new FlatParser({
    onopentag(_name, { href }) {
      if (href !== undefined) links.push(href.trim());
    },
  });
  parser.end(html);
  return links;
}

/**
 * The addresses in plain text: those in angle brackets, which may have line breaks inside (RFC 3986 appendix C), and bare
 * ones up to the next space. `&amp;` stands for `&`: text parts made from HTML hold it (shared facts: "The email").
 */
export function linksOfText(text: string): string[] {
  const bracketed = [...text.matchAll(/<(https?:\/\/[^<>]*)>/gi)].map((match) => (match[1] ?? '').replace(/\s+/g, ''));
  const rest = text.replace(/<https?:\/\/[^<>]*>/gi, ' ');
  const bare = [...rest.matchAll(/\bhttps?:\/\/[^\s<>"]+/gi)].map(([link]) => withoutPunctuation(link));
  return [...bracketed, ...bare].map((link) => link.replace(/&amp;/gi, '&'));
}

/** An address at the end of a sentence takes no full stop along. */
function withoutPunctuation(link: string): string {
  let end = link.length;
  while (end > 0 && ".,;:!?)]}'".includes(link.charAt(end - 1))) end -= 1;
  return link.slice(0, end);
}
