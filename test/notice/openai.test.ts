import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { downloadPlaces, parseExportName } from '../../src/notice/index.ts';
import { type LinkReading, readLink } from '../../src/notice/links.ts';
import { openai } from '../../src/notice/providers/openai.ts';
import { AZURE_ID, ESTUARY_ID, ESTUARY_LINK, RECEIVED, STAMP } from './messages.ts';

function linkReading(link: string): LinkReading {
  return readLink(link, { provider: openai, receivedAt: RECEIVED, extraOrigins: [] });
}

describe('A file name', () => {
  it('tells the export and when it was made', () => {
    for (const exportId of [ESTUARY_ID, AZURE_ID]) {
      assert.deepEqual(parseExportName(`${exportId}.zip`), { exportId, exportTime: STAMP });
    }
  });

  it('tells it though a browser numbered the file', () => {
    assert.equal(parseExportName(`${ESTUARY_ID} (1).zip`)?.exportId, ESTUARY_ID);
    assert.equal(parseExportName(`${ESTUARY_ID}(12).ZIP`)?.exportId, ESTUARY_ID);
  });

  it('tells nothing unless it has the form of an export’s', () => {
    const others = ['export.zip', ESTUARY_ID, `${AZURE_ID}.zip.exe`, `../${AZURE_ID}.zip`, 'x-2026-13-01-00-00-00.zip'];
    for (const name of others) assert.equal(parseExportName(name), undefined, name);
  });
});

describe('The places of downloads', () => {
  it('are the provider’s two, and the same paths on extra origins', () => {
    assert.deepEqual(
      downloadPlaces(['https://127.0.0.1:8443']).map(({ origin, login, extra }) => [origin, login, extra]),
      [
        ['https://chatgpt.com', true, false],
        ['https://proddatamgmtqueue.blob.core.windows.net', false, false],
        ['https://127.0.0.1:8443', true, true],
        ['https://127.0.0.1:8443', false, true],
      ],
    );
  });
});

describe('A link', () => {
  it('is an export’s only if it leads to one of the places, whatever it looks like', () => {
    const places = downloadPlaces([]);
    const piece = fc.constantFrom(
      'https://',
      'http://',
      'chatgpt.com',
      'evil.test',
      '@',
      ':',
      '8443',
      '/',
      '\\',
      '#',
      '?',
      '.',
      '%2f',
      '\t',
      ...ESTUARY_LINK.split(/(?<=[/?&])/),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
        const reading = linkReading(pieces.join(''));
        if (reading.kind !== 'export') return;
        const url = new URL(reading.href);
        assert.ok(places.some(({ origin, path }) => url.origin === origin && path.test(url.pathname)));
        assert.equal(url.username + url.password + url.hash, '');
      }),
      { numRuns: 2_000 },
    );
  });

  it('is told to be wrong by what is wrong with it', () => {
    const why = (link: string) => {
      const reading = linkReading(link);
      return reading.kind === 'suspicious' ? reading.why : reading.kind;
    };
    assert.equal(why(ESTUARY_LINK.replace('https', 'http')), 'is not encrypted (http)');
    assert.equal(why(ESTUARY_LINK.replace('//', '//ada@')), 'has user information in it');
    assert.equal(why(ESTUARY_LINK.replace('content?', 'content/x?')), 'is not formed as an export’s link is');
    assert.equal(
      why(ESTUARY_LINK.replace('chatgpt.com', 'evil.test')),
      'leads to evil.test and not to chatgpt.com or proddatamgmtqueue.blob.core.windows.net',
    );
  });

  it('loses its fragment', () => {
    const reading = linkReading(`${ESTUARY_LINK}#top`);
    assert.equal(reading.kind === 'export' && reading.href, ESTUARY_LINK);
  });
});
