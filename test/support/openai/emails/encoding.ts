const SOFT_LIMIT = 75;

/** Quoted-printable (RFC 2045 section 6.7) of a text whose lines end in CRLF; no line is longer than 76 characters. */
export function quotedPrintable(text: string): string {
  return text
    .split('\r\n')
    .map((line) => foldQuoted(quoteLine(line)))
    .join('\r\n');
}

/** Base64 (RFC 2045 section 6.8) of a text, in lines of 76 characters. */
export function base64Lines(text: string): string {
  return (
    Buffer.from(text)
      .toString('base64')
      .match(/.{1,76}/g) ?? []
  ).join('\r\n');
}

/** A line as units that must not be torn: characters, or `=XX`. */
function quoteLine(line: string): string[] {
  const bytes = Buffer.from(line);
  return Array.from(bytes, (byte, index) => {
    const isLast = index === bytes.length - 1;
    const isPlain = (byte >= 0x21 && byte <= 0x7e && byte !== 0x3d) || ((byte === 0x20 || byte === 0x09) && !isLast);
    return isPlain ? String.fromCharCode(byte) : `=${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  });
}

function foldQuoted(units: readonly string[]): string {
  let folded = '';
  let width = 0;
  for (const unit of units) {
    if (width + unit.length > SOFT_LIMIT) {
      folded += '=\r\n';
      width = 0;
    }
    folded += unit;
    width += unit.length;
  }
  return folded;
}

/** Few enough that an encoded word of any script stays below its 75 characters. */
const CHARACTERS_PER_WORD = 12;

/** A header's text: as it is if it is ASCII, else in encoded words (RFC 2047), folded. */
export function headerText(text: string): string {
  if (isAscii(text)) return text;
  const characters = Array.from(text);
  const words: string[] = [];
  for (let start = 0; start < characters.length; start += CHARACTERS_PER_WORD) {
    const part = characters.slice(start, start + CHARACTERS_PER_WORD).join('');
    words.push(`=?UTF-8?B?${Buffer.from(part).toString('base64')}?=`);
  }
  return words.join('\r\n ');
}

/** Text for HTML content and attribute values. */
export function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** HTML in which everything that is not ASCII is a numeric character reference, for a part declared us-ascii. */
export function asciiHtml(html: string): string {
  return Array.from(html, (character) => (isAscii(character) ? character : `&#${character.codePointAt(0)};`)).join('');
}

export function isAscii(text: string): boolean {
  return /^\p{ASCII}*$/u.test(text);
}
