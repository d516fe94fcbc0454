import { sha256 } from '../lib/hash.ts';

/** A name has 255 at the most, and there is more in it than the title. */
const TITLE_BYTES = 150;
const ASSET_ID_CHARACTERS = 80;
/** What some file system, a link of Obsidian or a terminal would take for something else. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Co}\p{Zl}\p{Zp}\\/:*?"<>|#^[\]`$%{}]+/gu;
const ID_CHARACTERS = 8;

/**
 * The name of a conversation's file, without its extension: `2026-11-21 A title f50c5472`. The day is in UTC; the end of
 * it is what keeps two conversations of one title apart.
 */
export function fileNameOf(title: string | undefined, id: string, at: number | undefined): string {
  const day = at === undefined ? '0000-00-00' : new Date(at).toISOString().slice(0, 'YYYY-MM-DD'.length);
  const words = (title ?? 'Untitled').toWellFormed().normalize('NFC').replace(UNSAFE, ' ').replace(/\s+/gu, ' ');
  const short = cut(words.trim())
    .replace(/[. ]+$/, '')
    .trim();
  return `${day} ${short === '' ? 'Untitled' : short} ${shortIdOf(id)}`;
}

/** As many whole characters as fit. */
function cut(words: string): string {
  const bytes = Buffer.from(words);
  return bytes.length <= TITLE_BYTES
    ? words
    : bytes
        .subarray(0, TITLE_BYTES)
        .toString()
        .replace(/\ufffd+$/, '');
}

function shortIdOf(id: string): string {
  return /^[0-9a-f]{8}-/.test(id) ? id.slice(0, ID_CHARACTERS) : sha256(id).slice(0, ID_CHARACTERS);
}

/** The name of an asset's file: of letters that need no escape anywhere. */
export function assetNameOf(id: string, extension: string): string {
  const safe = id.replace(/[^0-9A-Za-z_-]+/g, '_').slice(0, ASSET_ID_CHARACTERS);
  const stem = safe === id ? safe : `${safe}-${sha256(id).slice(0, ID_CHARACTERS)}`;
  return `${stem}${/^\.[0-9a-z]{1,8}$/i.test(extension) ? extension.toLowerCase() : '.bin'}`;
}
