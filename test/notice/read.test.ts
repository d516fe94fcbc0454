import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { HOUR_MS } from '../../src/lib/clock.ts';
import { NOTICE_MOST_BYTES, readNotice } from '../../src/notice/index.ts';
import { EMAIL_KINDS } from '../support/openai/emails/index.ts';
import {
  AZURE_ID,
  AZURE_LINK,
  ESTUARY_ID,
  ESTUARY_LINK,
  ESTUARY_QUERY,
  email,
  NOW,
  outcome,
  plain,
  RECEIVED,
  read,
  resolveTxt,
  SIGNATURE,
  STAMP,
} from './messages.ts';

describe('An honest ready notice', () => {
  it('gives the link, the export, when it was made, its deadline and the proof', async () => {
    const notice = await read(await email());
    assert.equal(notice.kind, 'ready');
    if (notice.kind !== 'ready') return;
    assert.equal(notice.link.reveal(), ESTUARY_LINK);
    assert.deepEqual(
      { ...notice, link: undefined },
      {
        kind: 'ready',
        provider: 'openai',
        exportId: ESTUARY_ID,
        link: undefined,
        exportTime: STAMP,
        deadline: STAMP + 24 * HOUR_MS,
        proof: 'DKIM d=tm.openai.com',
      },
    );
  });

  it('keeps the link out of whatever prints it', async () => {
    const notice = await read(await email());
    assert.doesNotMatch(inspect(notice) + JSON.stringify(notice), new RegExp(SIGNATURE));
  });

  it('is known with an Azure link, whose deadline stands in it', async () => {
    const notice = await read(await email({ link: AZURE_LINK, shape: 'multipart' }));
    assert.equal(notice.kind === 'ready' && notice.exportId, AZURE_ID);
    assert.equal(notice.kind === 'ready' && notice.deadline, Date.UTC(2026, 10, 22, 19, 5, 33));
  });

  it('dies 24 hours after its email where that was sent before the export was stamped', async () => {
    const notice = await read(await email(), {}, STAMP - HOUR_MS);
    assert.equal(notice.kind === 'ready' && notice.deadline, STAMP + 23 * HOUR_MS);
  });

  it('gains no time from a mail server whose clock is ahead', async () => {
    const late = ESTUARY_LINK.replace('2026-11-21-19-05-33', '2027-01-01-00-00-00');
    const notice = await read(await email({ link: late }), {}, NOW + 10 * HOUR_MS);
    assert.equal(notice.kind === 'ready' && notice.deadline, NOW + 24 * HOUR_MS);
  });

  it('may lead to an extra origin, with the same path and query', async () => {
    const link = `https://proxy.example.test:8443/backend-api/estuary/content?${ESTUARY_QUERY}`;
    const source = await email({ link });
    assert.equal(outcome(await read(source, { extraOrigins: ['https://proxy.example.test:8443'] })), 'ready');
    assert.equal(
      outcome(await read(source, { extraOrigins: ['https://proxy.example.test'] })),
      'refused: link-not-trusted',
    );
  });
});

describe('Other mail of the provider', () => {
  it('is a started notice, or unrelated', async () => {
    for (const kind of EMAIL_KINDS.filter((kind) => kind !== 'ready')) {
      assert.equal(outcome(await read(await email({ kind }))), kind === 'started' ? 'started' : 'unrelated', kind);
    }
  });

  it('is unrelated if it links to a picture at the place where exports are, too', async () => {
    const link = 'https://chatgpt.com/backend-api/estuary/content?id=file-abc123.png&ts=1&sig=ef56';
    assert.equal(outcome(await read(await email({ kind: 'task', link }))), 'unrelated');
  });

  it('is unrelated if it links to a conversation, whatever the subject of its task is', async () => {
    const subject = 'ChatGPT - Your data export is ready';
    assert.equal(outcome(await read(await email({ kind: 'task', subject }))), 'unrelated');
  });
});

describe('A message of any bytes', () => {
  const readable = async (source: Buffer | undefined) => {
    const notice = await readNotice(
      { source, receivedAt: RECEIVED },
      { extraOrigins: [], authenticity: 'require', authservId: 'mx.test', resolveTxt, now: NOW },
    );
    assert.ok(['ready', 'started', 'refused', 'undecided', 'unrelated'].includes(notice.kind));
    return notice;
  };

  it('is read without an error', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), async (bytes) => {
        assert.equal((await readable(Buffer.from(bytes))).kind, 'unrelated');
      }),
      { numRuns: 200 },
    );
  });

  it('is never ready when an honest one was changed in what is signed', async () => {
    const honest = await email({ shape: 'multipart' });
    const edit = fc.record({
      at: fc.nat({ max: honest.length - 1 }),
      remove: fc.nat({ max: 40 }),
      insert: fc.uint8Array({ maxLength: 40 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 4 }), async (edits) => {
        let source = honest;
        for (const { at, remove, insert } of edits) {
          source = Buffer.concat([source.subarray(0, at), Buffer.from(insert), source.subarray(at + remove)]);
        }
        const notice = await readable(source);
        if (notice.kind === 'ready') assert.equal(notice.link.reveal(), ESTUARY_LINK);
      }),
      { numRuns: 150 },
    );
  });

  it('is refused when it was too large to be fetched', async () => {
    assert.equal(outcome(await readable(undefined)), 'refused: too-large');
  });

  it('is judged by its sender when it is larger than any notice', async () => {
    const filling = Buffer.alloc(NOTICE_MOST_BYTES, 'x');
    assert.equal(outcome(await read(Buffer.concat([await email(), filling]))), 'refused: too-large');
    const other = plain('Pictures', 'grace@openai.example.test');
    assert.equal(outcome(await read(Buffer.concat([other, filling]))), 'unrelated');
  });

  it('is unrelated when its header is longer than any honest one', async () => {
    assert.equal(outcome(await readable(Buffer.from('X-A: b\r\n'.repeat(40_000)))), 'unrelated');
  });

  it('is refused when its thousands of parts hide behind the right sender', async () => {
    const source = Buffer.from(
      `From: noreply@tm.openai.com\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n${'--b\r\n\r\n'.repeat(5_000)}`,
    );
    assert.equal(outcome(await readable(source)), 'refused: no-link');
  });
});
