import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { assetOf } from '../../../src/chatgpt/conversation/parts.ts';
import {
  type Conversation,
  messagesOf,
  type Part,
  ReportBook,
  readConversations,
  readLayout,
  textOfPart,
} from '../../../src/chatgpt/index.ts';
import { createAccount } from '../../support/openai/exports/index.ts';
import { type UnpackedExport, unpackedExport } from '../unpacked.ts';

describe('The parts of messages', () => {
  let unpacked: UnpackedExport;
  const conversations: Conversation[] = [];
  const reports = new ReportBook();
  before(async () => {
    unpacked = await unpackedExport(createAccount({ seed: 'parts', conversations: 40 }), 'G4');
    for await (const reading of readConversations(await readLayout(unpacked.path), { reports })) {
      if (reading.kind === 'conversation') conversations.push(reading.conversation);
    }
  });
  after(() => unpacked[Symbol.asyncDispose]());

  const all = () => conversations.flatMap(messagesOf).flatMap(({ parts }) => parts);
  const ofKind = <K extends Part['kind']>(kind: K) =>
    all().filter((part): part is Extract<Part, { kind: K }> => part.kind === kind);

  it('are of every kind that is known, and of no other', () => {
    assert.deepEqual([...new Set(all().map(({ kind }) => kind))].sort(), [
      'audio',
      'browsing',
      'code',
      'context',
      'error',
      'execution-output',
      'image',
      'quote',
      'reasoning-recap',
      'text',
      'thoughts',
      'transcription',
      'video',
    ]);
    assert.deepEqual(reports.all(), {});
  });

  it('hold the words of voice conversations, and who spoke', () => {
    const spoken = ofKind('transcription');
    assert.ok(spoken.every(({ text, direction }) => text.length > 10 && direction !== undefined));
    assert.deepEqual(new Set(spoken.map(({ direction }) => direction)), new Set(['in', 'out']));
  });

  it('point to assets by id', () => {
    for (const { asset } of [...ofKind('image'), ...ofKind('audio')]) assert.match(asset, /^file[-_][0-9A-Za-z]+$/);
    assert.ok(ofKind('video').every(({ assets }) => assets.length === 1));
    assert.deepEqual(new Set(ofKind('image').map(({ generated }) => generated)), new Set([true, false]));
    assert.ok(ofKind('image').some(({ generated, prompt }) => generated && prompt?.includes('cat')));
  });

  it('show no mark of a citation, and the pages that were cited', () => {
    const cleaned = conversations
      .flatMap(messagesOf)
      .flatMap((message) => message.parts.map((part) => textOfPart(part, message)));
    assert.ok(cleaned.every(({ text }) => !/[\ue200-\ue2ff]|【\d+†source】/u.test(text)));
    const pages = cleaned.flatMap(({ citations }) => citations);
    assert.ok(pages.some(({ title, url }) => title === 'A page' && url.startsWith('https://news.example.com/')));
    assert.ok(pages.some(({ title, url }) => title === 'Opening hours' && url.startsWith('https://www.example.org/')));
    assert.ok(cleaned.some(({ text }) => text.startsWith(' Lisbon ')));
  });
});

describe('The id in an asset pointer', () => {
  it('is what follows the two slashes', () => {
    assert.equal(assetOf('file-service://file-AbC123'), 'file-AbC123');
    assert.equal(assetOf('sediment://file_0000abc'), 'file_0000abc');
    assert.equal(assetOf('sediment://8f0c#file_0000abc#p_1.jpg'), 'file_0000abc');
    assert.equal(assetOf('newscheme://other-id?x=1'), 'other-id');
    for (const none of [null, 3, '', 'file-AbC', {}]) assert.equal(assetOf(none), undefined);
  });
});
