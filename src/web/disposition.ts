const LONGEST_CHARACTERS = 150;
/** What may make a name look like another, or lead somewhere else. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}/\\:*?"<>|]+/gu;

/**
 * The header that tells a browser what to do with a file (RFC 6266): `inline`, or `attachment` with the name to save it
 * under, once for old programs and once in UTF-8 (RFC 8187). Whatever the name holds, the header is one line.
 */
export function contentDisposition(kind: 'inline' | 'attachment', name: string): string {
  const safe = safeName(name);
  const ascii = safe.replace(/[^\x20-\x7e]|%/g, '_');
  const encoded = encodeURIComponent(safe).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `${kind}; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}

function safeName(name: string): string {
  const words = name.toWellFormed().normalize('NFC').replace(UNSAFE, '_').replace(/\s+/gu, ' ');
  const short = [...words]
    .slice(-LONGEST_CHARACTERS)
    .join('')
    .replace(/^[. ]+|[. ]+$/g, '');
  return short === '' ? 'file' : short;
}
