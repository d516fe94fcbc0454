import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { format, inspect } from 'node:util';
import fc from 'fast-check';
import { pino } from 'pino';
import { redactText, Secret, withoutSecrets } from '../../src/lib/secret.ts';

const TEXT = 'https://chatgpt.com/backend-api/estuary/content?sig=hunter2';
const secret = new Secret(TEXT);

describe('a secret', () => {
  it('gives its text to whoever asks for it by name', () => assert.equal(secret.reveal(), TEXT));

  const accidents: Record<string, () => string> = {
    'a template': () => `${secret}`,
    concatenation: () => `the link is ${String(secret)}`,
    'a list': () => [secret, secret].join(),
    JSON: () => JSON.stringify({ link: secret, list: [secret] }),
    inspection: () => inspect({ link: secret, deep: { deeper: [new Map([['link', secret]])] } }, { depth: null }),
    'inspection of what is hidden': () => inspect(secret, { showHidden: true, customInspect: false }),
    'a format': () => format('%s %o %O %j', secret, secret, secret, secret),
    'a copy': () => JSON.stringify({ ...secret }) + JSON.stringify(structuredClone(secret)),
    'its keys': () => Reflect.ownKeys(secret).join() + Object.entries(secret).join(),
    'an error': () => inspect(new Error('failed', { cause: secret })),
    pino: () => {
      const lines: string[] = [];
      pino({}, { write: (line: string) => void lines.push(line) }).info(
        { link: secret, list: [secret] },
        'got %s',
        secret,
      );
      return lines.join();
    },
  };
  for (const [accident, text] of Object.entries(accidents)) {
    it(`does not get out by ${accident}`, () => assert.doesNotMatch(text(), /hunter2|estuary/));
  }

  it('prints as [redacted]', () => {
    assert.equal(`${secret}`, '[redacted]');
    assert.equal(JSON.stringify({ secret }), '{"secret":"[redacted]"}');
    assert.equal(inspect({ secret }), '{ secret: [redacted] }');
  });
});

describe('text from elsewhere', () => {
  const redacted: Record<string, string> = {
    'nothing to hide': 'nothing to hide',
    'https://a.test': 'https://a.test/[redacted]',
    'GET https://a.test:8443/path?sig=hunter2#x failed': 'GET https://a.test:8443/[redacted] failed',
    'https://ada:hunter2@a.test/': 'https://a.test/[redacted]',
    'see <https://a.test/?sig=hunter2>, please': 'see <https://a.test/[redacted]>, please',
    '{"url":"https://a.test/?sig=hunter2"}': '{"url":"https://a.test/[redacted]"}',
    'https://a.test/?sig=(hunter2)hunter2': 'https://a.test/[redacted]',
    "https://a.test/?sig='hunter2'hunter2": 'https://a.test/[redacted]',
    'HTTPS://A.test/?sig=hunter2': 'https://a.test/[redacted]',
    '1https://a.test/?sig=hunter2': '1https://a.test/[redacted]',
    'ntfys://token:hunter2@a.test/topic': 'ntfys://a.test/[redacted]',
    'https://[not a host]/?sig=hunter2': '[redacted] a host]/?sig=hunter2',
    'Authorization: Bearer hunter2hunter2': 'Authorization: [redacted]',
    'authorization=Basic aHVudGVyMg==': 'authorization=[redacted]',
    '"cookie": "a=hunter2; b=c"': '"cookie": [redacted]',
    'Set-Cookie: a=hunter2\r\nDate: today': 'Set-Cookie: [redacted]\r\nDate: today',
    'with the token bearer hunter2hunter2.': 'with the token bearer [redacted]',
  };
  for (const [text, shown] of Object.entries(redacted)) {
    it(`${JSON.stringify(text)} is shown as ${JSON.stringify(shown)}`, () => assert.equal(redactText(text), shown));
  }

  it('keeps the positions in source files that a stack trace is made of', () => {
    const { stack = '' } = new Error('an error');
    assert.match(stack, /file:\/\/\/.*secret\.test\.ts:\d+:\d+/);
    assert.equal(redactText(stack), stack);
    assert.equal(redactText('file:///tmp/a?sig=hunter2'), 'file:///[redacted]');
  });

  it('shows no query and no credentials of any address, wherever it stands', () => {
    const mark = 'hunter2';
    const chars = fc.string({ unit: 'grapheme', maxLength: 10 });
    const hidden = fc.tuple(chars, chars).map(([before, after]) => before + mark + after);
    const schemes = fc.constantFrom('https:', 'http:', 'ftp:', 'imaps:', 'ntfy:', 'json+https:');
    const address = fc
      .tuple(schemes, fc.domain(), fc.webPath(), hidden, hidden, fc.option(hidden, { nil: undefined }))
      .map(([scheme, host, path, query, fragment, password]) => {
        const url = new URL(`${scheme}//${host}${path}`);
        url.search = query;
        url.hash = fragment;
        if (password !== undefined) {
          url.username = 'ada';
          url.password = password;
        }
        return url.href;
      });
    const around = fc.oneof(chars, fc.constantFrom('(', '"', '<', '[', "'", 'x', '7', '_', ': ', '\n', '%20'));
    fc.assert(
      fc.property(around, address, around, (before, url, after) => {
        assert.ok(!redactText(`${before}${url} ${after}`).includes(mark), url);
      }),
      { numRuns: 2000 },
    );
  });

  it('is redacted in a time that grows with its length only', () => {
    const long = `${'a'.repeat(200_000)} ${'https:/'.repeat(20_000)} ${'bearer '.repeat(20_000)}`;
    assert.equal(redactText(long).length, long.length);
  });
});

describe('words of somebody who was told secrets', () => {
  const password = new Secret('open sesame');

  it('lose what repeats them, plainly or in base64, as often as it stands there', () => {
    const said = `no open sesame, not ${Buffer.from('open sesame').toString('base64')}, not "open sesame"`;
    assert.equal(withoutSecrets(said, [password]), 'no [redacted], not [redacted], not "[redacted]"');
    assert.equal(withoutSecrets('open sesame Ali', [new Secret('Alibaba'), password]), '[redacted] Ali');
  });

  it('are left alone where nothing repeats them, and where what is secret is too short to tell', () => {
    assert.equal(withoutSecrets('open to all', [password]), 'open to all');
    assert.equal(withoutSecrets('a banana', [new Secret('a'), new Secret('')]), 'a banana');
  });
});
