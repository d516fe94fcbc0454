import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  linksOfText,
  MOST_JOINED_LINES,
  MOST_LINK_CHARACTERS,
  MOST_LINKS,
  readBody,
  readHtml,
  type WrittenLink,
} from '../../src/notice/body.ts';
import { ESTUARY_LINK, email, outcome, plain, read } from './messages.ts';

const ATTACHED = ['', 'Content-Disposition: attachment; filename="notice.eml"\r\n'];
const INLINE = 'Content-Disposition: inline\r\n';

/** A message with another one in it. */
function around(inner: Buffer, from: string, disposition: string): Buffer {
  const head = `From: ${from}\r\nSubject: Look\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=outer\r\n\r\n`;
  const parts = `--outer\r\nContent-Type: text/plain\r\n\r\nSee below.\r\n--outer\r\nContent-Type: message/rfc822\r\n${disposition}\r\n`;
  return Buffer.concat([Buffer.from(head + parts), inner, Buffer.from('\r\n--outer--\r\n')]);
}

describe('A message within a message', () => {
  it('is judged by who sent the outer one: shown in it, it is refused', async () => {
    const source = around(await email(), 'Grace <grace@openai.example.test>', INLINE);
    assert.equal(outcome(await read(source)), 'refused: sender-not-trusted');
    const unsigned = around(await email(), 'noreply@tm.openai.com', INLINE);
    assert.equal(outcome(await read(unsigned)), 'refused: not-authentic');
  });

  it('is a file like any other when it is attached, and files are not looked into', async () => {
    for (const disposition of ATTACHED) {
      for (const from of ['Grace <grace@openai.example.test>', 'noreply@tm.openai.com']) {
        assert.equal(outcome(await read(around(await email(), from, disposition))), 'unrelated');
      }
    }
  });
});

describe('Plain text', () => {
  const first = (text: string): readonly string[] => linksOfText(text)[0] ?? [];

  it('gives an address as far as it certainly goes, then with each line that may belong to it', () => {
    assert.deepEqual(first('See https://a.test/x-\r\n  y?z=1\r\n&v=2.\r\n\r\nBye'), [
      'https://a.test/x-',
      'https://a.test/x-y?z=1',
      'https://a.test/x-y?z=1&v=2',
    ]);
  });

  it('ends an address before a blank line, a sentence, or the next address', () => {
    for (const behind of ['\n\nx', '\nTwo words', '\nhttps://b.test', ' x', '']) {
      assert.deepEqual(first(`https://a.test/${behind}`), ['https://a.test/'], JSON.stringify(behind));
    }
  });

  it('takes a line break out of an address in angle brackets', () => {
    assert.deepEqual(linksOfText('<https://a.test/\r\n x?a=1&amp;\r\nb=2>'), [['https://a.test/x?a=1&b=2']]);
  });
});

describe('HTML', () => {
  it('gives the targets of its links apart from what it shows', () => {
    const html = '<a href=" https://a.test/?a=1&amp;b ">https://b.test/<b>x</b><wbr>y</a>z<br>https://c.test/<p>z';
    const { hrefs, text } = readHtml(html);
    assert.deepEqual(hrefs, ['https://a.test/?a=1&b']);
    assert.deepEqual(
      linksOfText(text).map(([link]) => link),
      ['https://b.test/xy', 'https://c.test/'],
    );
  });
});

describe('Any text', () => {
  const pieces = fc.constantFrom(
    'https://',
    'http://a.test/',
    '<https://',
    '<',
    '>',
    '\r\n',
    '\r',
    ' ',
    '&amp;',
    '&',
    '\u00AD',
    '<a href="',
    '">',
    '</a>',
    '<!--',
    '&#x',
    'x',
    '\0',
    '\ud800',
    ESTUARY_LINK,
  );
  const anyText = fc.oneof(
    fc.string(),
    fc.array(pieces, { maxLength: 80 }).map((all) => all.join('')),
    // Few pieces over and over: what a reader that looks back would be slow at.
    fc
      .tuple(fc.array(pieces, { minLength: 1, maxLength: 3 }), fc.nat({ max: 20_000 }))
      .map(([all, times]) => all.join('').repeat(times)),
  );

  it('gives a bounded number of addresses, each with a bounded number of readings of bounded length', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const { text: shown } = readHtml(text);
        for (const links of [linksOfText(text), linksOfText(shown)]) {
          assert.ok(links.length <= MOST_LINKS);
          for (const readings of links) assertBounded(readings);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('is read as a body without an error', async () => {
    await fc.assert(
      fc.asyncProperty(anyText, fc.constantFrom('text/plain', 'text/html'), async (text, type) => {
        const { links, shown } = await readBody(Buffer.from(`Content-Type: ${type}\r\n\r\n${text}`));
        assert.ok(links.length <= 2 * MOST_LINKS && shown.length <= MOST_LINKS);
      }),
      { numRuns: 100 },
    );
  });

  it('never makes more of an honest notice than its own link', async () => {
    await fc.assert(
      fc.asyncProperty(anyText, anyText, async (before, behind) => {
        const notice = await read(plain(`${before.slice(0, 5_000)}\r\n\r\n${behind.slice(0, 5_000)}`), {
          authenticity: 'off',
        });
        if (notice.kind === 'ready') assert.ok(notice.link.reveal().startsWith(ESTUARY_LINK.slice(0, 60)));
      }),
      { numRuns: 100 },
    );
  });
});

function assertBounded(readings: WrittenLink): void {
  assert.ok(readings.length <= MOST_JOINED_LINES + 1);
  for (const reading of readings) assert.ok(reading.length <= 2 * MOST_LINK_CHARACTERS);
}
