/** What makes a name unfit to be a path on disk. */
export type NameProblem =
  | 'invalid-utf8'
  | 'absolute-path'
  | 'backslash'
  | 'control-character'
  | 'bidi-control'
  | 'colon'
  | 'path-too-long'
  | 'segment-too-long'
  | 'empty-segment'
  | 'dot-segment'
  | 'parent-segment'
  | 'trailing-dot-or-space'
  | 'device-name'
  | 'reserved-name';

/** The problem as the end of a sentence that begins with the entry: `The entry "…" <words>.` */
export const NAME_PROBLEM_WORDS: Readonly<Record<NameProblem, string>> = {
  'invalid-utf8': 'has a name that is not valid UTF-8',
  'absolute-path': 'has an absolute path: it would be written outside the snapshot',
  backslash: 'has a backslash in its name, which is a path separator on some systems',
  'control-character': 'has a control character in its name',
  'bidi-control': 'has a character in its name that changes the direction of writing, so that it looks like another',
  colon: 'has a colon in its name, which Windows and NAS shares refuse or take for something else',
  'path-too-long': 'has a path that is too long for the file system',
  'segment-too-long': 'has a name that is too long for the file system (more than 255 bytes)',
  'empty-segment': 'has an empty name or folder name in its path',
  'dot-segment': 'has a "." in its path',
  'parent-segment': 'has a ".." in its path: it would be written outside the snapshot',
  'trailing-dot-or-space': 'has a name that ends with a dot or a space, which Windows and NAS shares drop',
  'device-name': 'has a name that means a device on Windows',
  'reserved-name': 'has a name that Chatkeep keeps for its own files (.chatkeep)',
};
