/** A name longer than this is cut in the middle of a message. */
const LONGEST_SHOWN = 160;

/**
 * A name from an archive or a file, made fit for terminals, logs and messages: control characters, line breaks, invisible and
 * direction-changing ones are shown as `\u{202e}`, and a long name is cut.
 */
export function printable(name: string): string {
  const shown = name.length <= LONGEST_SHOWN ? name : `${name.slice(0, LONGEST_SHOWN)}…`;
  return shown
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}"\\]/gu, (character) =>
      character === '"' || character === '\\' ? `\\${character}` : `\\u{${character.codePointAt(0)?.toString(16)}}`,
    );
}

/** Tab and line feed are what text is made of; the rest of these moves cursors, hides text or turns it round. */
const UNPRINTABLE = /[^\P{Cc}\n\t]|[\u061c\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]/gu;

/** A text of several lines from outside, made fit for terminals: what would steer the terminal is shown as `\u{1b}`. */
export function printableText(text: string): string {
  return text
    .toWellFormed()
    .replaceAll('\r\n', '\n')
    .replace(UNPRINTABLE, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}
