import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  googleUrl,
  MOST_WRAPS,
  mandrillClicks,
  outlookSafeLinks,
  unwrap,
  type Wrapper,
} from '../../src/notice/wrappers.ts';
import { type LinkWrapping, wrapLink } from '../support/openai/emails/index.ts';
import { ESTUARY_LINK } from './messages.ts';

const ALL: readonly Wrapper[] = [googleUrl, outlookSafeLinks, mandrillClicks];
const KINDS: readonly LinkWrapping[] = ['google', 'safelinks', 'mandrill'];

describe('The wrapping of a service', () => {
  it('is taken off, by its own wrapper and by no other', () => {
    KINDS.forEach((kind, index) => {
      const url = new URL(wrapLink(ESTUARY_LINK, kind));
      assert.deepEqual(
        ALL.map((wrapper) => wrapper(url)),
        ALL.map((_, other) => (other === index ? ESTUARY_LINK : undefined)),
      );
    });
  });

  it('gives back any link, three deep, in any order', () => {
    const address = fc.webUrl({ withQueryParameters: true, withFragments: true });
    const kinds = fc.array(fc.constantFrom(...KINDS), { maxLength: MOST_WRAPS });
    fc.assert(
      fc.property(address, kinds, (link, wrappings) => {
        const wrapped = wrappings.reduce(wrapLink, link);
        assert.equal(unwrap(wrapped, ALL)?.href, new URL(link).href);
      }),
    );
  });

  it('stays on where it is deeper than any honest one', () => {
    const inner = wrapLink(ESTUARY_LINK, 'google');
    const wrapped = wrapLink(wrapLink(wrapLink(inner, 'mandrill'), 'google'), 'safelinks');
    assert.equal(unwrap(wrapped, ALL)?.href, inner);
  });

  it('is taken off in a bounded number of steps, however the services point at one another', () => {
    let steps = 0;
    const endless: Wrapper = (url) => {
      steps += 1;
      return `${url.href}x`;
    };
    unwrap('https://a.test/', [endless]);
    assert.equal(steps, MOST_WRAPS);
  });

  it('of Mandrill is passed over where it does not hold what it should', () => {
    const around = (p: string) => new URL(`https://mandrillapp.com/track/click/1/chatgpt.com?p=${p}`);
    const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    for (const p of ['', '!!', encoded(null), encoded({ p: 1 }), encoded({ p: '{' }), encoded({ p: '{"url":1}' })]) {
      assert.equal(mandrillClicks(around(p)), undefined, p);
    }
    const both = '{"p":"{\\"url\\":\\"https://a.test/?~~~???\\"}"}';
    assert.equal(mandrillClicks(around(Buffer.from(both).toString('base64'))), 'https://a.test/?~~~???');
  });

  it('is looked for without an error in whatever is given', () => {
    const piece = fc.constantFrom(
      ...KINDS.map((kind) => wrapLink(ESTUARY_LINK, kind)),
      ...['https://', 'www.google.com', '/url?', 'q=', 'p=', 'url=', '%', '%2', '&', 'eyJ', '@', '\0', '#', '//'],
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join('')),
        ),
        (text) => {
          const url = unwrap(text, ALL);
          if (url !== undefined) assert.match(url.protocol, /^https?:$/);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
