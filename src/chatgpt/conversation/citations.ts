import { asList, asObject, asText, type JsonObject } from '../json/values.ts';
import type { Message } from './message.ts';
import type { Part } from './parts.ts';

/** A page that a text refers to. */
export interface Citation {
  /** Where in the cleaned text, in UTF-16 units. */
  readonly at: number;
  readonly title: string | undefined;
  readonly url: string;
}

export interface CleanText {
  readonly text: string;
  readonly citations: readonly Citation[];
}

/** `\ue200cite\ue202turn0search0\ue201`, or `【12†source】`. */
const MARK = /\ue200([^\ue200\ue201]*)\ue201|【\d+(?::\d+)?†[^【】]*】/gu;
/** What the marks are made of; none of it is for people. */
const REMAINS = /[\ue200-\ue2ff]/gu;
const SEPARATOR = '\ue202';

/**
 * A text without the marks of ChatGPT's citations, and the pages they stand for. A mark is resolved by its own text
 * where the message's references repeat it, else by its turn: the slim schema has no offsets. A mark that names a thing
 * (a place, a person) leaves the name; one that cannot be resolved leaves nothing.
 */
export function cleanText(text: string, message: Message): CleanText {
  if (!/[\ue200-\ue2ff]|†/u.test(text)) return { text, citations: [] };
  const references = new References(message.raw);
  const citations: Citation[] = [];
  let clean = '';
  let done = 0;
  for (const match of text.matchAll(MARK)) {
    clean += withoutRemains(text.slice(done, match.index));
    done = match.index + match[0].length;
    const [name = '', ...fields] = match[1]?.split(SEPARATOR) ?? [];
    const reference = match[1] === undefined ? references.nextPage() : references.find(match[0]);
    for (const page of reference?.pages ?? []) citations.push({ at: clean.length, ...page });
    if (match[1] !== undefined) clean += withoutRemains(wordsOf(name, fields, reference));
  }
  return { text: clean + withoutRemains(text.slice(done)), citations };
}

/** What of a part is text: shown, searched, compared. Without marks. */
export function textOfPart(part: Part, message: Message): CleanText {
  switch (part.kind) {
    case 'text':
    case 'transcription':
      return cleanText(part.text, message);
    case 'thoughts':
      return plain(part.thoughts.flatMap(({ summary, text }) => [summary, text]));
    case 'image':
      return plain([part.prompt]);
    case 'quote':
      return plain([part.title, part.url, part.text]);
    case 'error':
      return plain([part.name, part.text]);
    case 'audio':
    case 'video':
      return plain([]);
    default:
      return plain([part.text]);
  }
}

/** All text of a message, part by part, and the names of the files that came with it: what is searched. Without marks. */
export function textOfMessage(message: Message): string {
  const texts = message.parts.map((part) => textOfPart(part, message).text);
  for (const { name } of message.attachments) if (name !== undefined) texts.push(name);
  return texts.length === 1 ? (texts[0] ?? '') : texts.filter((text) => text !== '').join('\n');
}

function plain(lines: readonly (string | undefined)[]): CleanText {
  return { text: lines.filter((line) => line !== undefined && line !== '').join('\n'), citations: [] };
}

function withoutRemains(text: string): string {
  return text.replaceAll(REMAINS, '');
}

/** The words that a mark stands for in the sentence. */
function wordsOf(kind: string, fields: readonly string[], reference: Reference | undefined): string {
  if (kind === 'entity') return reference?.name ?? entityName(fields[0] ?? '');
  if (kind === 'url') return fields[0] ?? '';
  return '';
}

/** `["city","Lisbon","capital of Portugal"]` */
function entityName(json: string): string {
  try {
    return asText(asList(JSON.parse(json))[1]) ?? '';
  } catch {
    return '';
  }
}

interface Page {
  readonly title: string | undefined;
  readonly url: string;
}

interface Reference {
  readonly name: string | undefined;
  readonly pages: readonly Page[];
}

/** What a message's metadata says its marks stand for. */
class References {
  readonly #byMark = new Map<string, Reference[]>();
  /** Those that do not repeat their mark, in the order of the text. */
  readonly #inTurn: Reference[] = [];
  /** Of the older form, in the order of the text. */
  readonly #pages: Reference[];

  /** All are turned round, so that the next one can be popped. */
  constructor(message: JsonObject) {
    const metadata = asObject(message.metadata);
    for (const value of asList(metadata?.content_references).toReversed()) {
      const row = asObject(value);
      if (row === undefined) continue;
      const mark = asText(row.matched_text);
      const turn = mark === undefined ? this.#inTurn : (this.#byMark.get(mark) ?? []);
      turn.push(readReference(row));
      if (mark !== undefined) this.#byMark.set(mark, turn);
    }
    this.#pages = asList(metadata?.citations)
      .toReversed()
      .flatMap((value) => {
        const page = readPage(asObject(value)?.metadata);
        return page === undefined ? [] : [{ name: undefined, pages: [page] }];
      });
  }

  find(mark: string): Reference | undefined {
    const same = this.#byMark.get(mark);
    if (same === undefined) return this.#inTurn.pop();
    // The same mark may stand in a text more often than in its references.
    return same.length > 1 ? same.pop() : same[0];
  }

  nextPage(): Reference | undefined {
    return this.#pages.pop();
  }
}

function readReference(row: JsonObject): Reference {
  const pages = [...asList(row.items), ...asList(row.sources), row].flatMap((item) => readPage(item) ?? []);
  return { name: asText(row.name), pages };
}

function readPage(value: unknown): Page | undefined {
  const row = asObject(value);
  const url = asText(row?.url);
  return url !== undefined && /^https?:/i.test(url) ? { title: asText(row?.title), url } : undefined;
}
