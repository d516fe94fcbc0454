import sanitizeHtml from 'sanitize-html';

/** What Markdown becomes, and nothing else: no tag here holds raw text, loads anything, or takes what is typed. */
const TEXT_TAGS = [
  ...['p', 'br', 'hr', 'em', 'strong', 's', 'pre', 'code', 'blockquote', 'ul', 'ol', 'li'],
  ...['h3', 'h4', 'h5', 'h6', 'a', 'span', 'sup', 'div', 'table', 'thead', 'tbody', 'tr', 'th', 'td'],
];
/**
 * What KaTeX writes of MathML Core (https://www.w3.org/TR/mathml-core/). None of `annotation`, `annotation-xml`,
 * `mglyph` and `malignmark`: with these a browser may read the same text as other tags than the sanitiser did.
 */
const MATH_TAGS = [
  ...['math', 'semantics', 'mrow', 'mi', 'mn', 'mo', 'mtext', 'mspace', 'ms', 'msup', 'msub', 'msubsup', 'mfrac'],
  ...['msqrt', 'mroot', 'mover', 'munder', 'munderover', 'mtable', 'mtr', 'mtd', 'mlabeledtr', 'mstyle', 'mpadded'],
  ...['mphantom', 'menclose', 'mmultiscripts', 'mprescripts', 'none'],
];
const MATH_ATTRIBUTES = [
  ...['display', 'displaystyle', 'scriptlevel', 'mathvariant', 'stretchy', 'fence', 'separator', 'form', 'lspace'],
  ...['rspace', 'minsize', 'maxsize', 'movablelimits', 'largeop', 'symmetric', 'accent', 'accentunder'],
  ...['linethickness', 'columnalign', 'columnspacing', 'rowspacing', 'columnlines', 'rowlines', 'frame', 'width'],
  ...['height', 'depth', 'voffset', 'notation', 'mathcolor', 'mathbackground'],
];
/** Ours (cell alignment, boxes), and those of highlight.js. */
const CLASSES = {
  code: ['hljs'],
  span: [/^hljs-[\w-]+$/, /^[a-z]+_{1,3}$/, 'code-language', 'maths'],
  div: ['code', 'code-head', 'table', 'maths'],
  sup: ['source'],
  th: ['right', 'centre'],
  td: ['right', 'centre'],
};

const OPTIONS: sanitizeHtml.IOptions = {
  allowedTags: [...TEXT_TAGS, ...MATH_TAGS],
  allowedAttributes: {
    a: ['href', 'rel'],
    ol: ['start'],
    pre: ['tabindex'],
    div: ['tabindex', 'role', 'aria-label'],
    ...Object.fromEntries(MATH_TAGS.map((tag) => [tag, MATH_ATTRIBUTES])),
  },
  allowedClasses: CLASSES,
  allowedStyles: {},
  allowedSchemes: ['http', 'https', 'mailto'],
  allowProtocolRelative: false,
  disallowedTagsMode: 'discard',
  // Their text goes with them.
  nonTextTags: ['script', 'style', 'textarea', 'option', 'noscript', 'annotation', 'annotation-xml'],
  nestingLimit: 200,
  transformTags: { a: sanitizeHtml.simpleTransform('a', { rel: 'noopener noreferrer nofollow' }) },
};

/** HTML that can do nothing but be read, whatever was handed in. */
export function sanitised(html: string): string {
  return sanitizeHtml(html, OPTIONS);
}
