import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readConversation } from '../../../src/chatgpt/conversation/conversation.ts';
import {
  type Block,
  type Conversation,
  ExportReader,
  messagesOf,
  type ReadableConversation,
  ReportBook,
  readConversations,
} from '../../../src/chatgpt/index.ts';
import { createAccount, GENERATIONS } from '../../support/openai/exports/index.ts';
import { directoryOf, unpackedExport } from '../unpacked.ts';

const account = createAccount({ seed: 'reader', conversations: 40 });
const PNG = Buffer.from('\x89PNG\r\n\x1a\n0000', 'latin1');

async function everything(reader: ExportReader): Promise<ReadableConversation[]> {
  const all: ReadableConversation[] = [];
  for await (const reading of readConversations(reader.layout, { reports: new ReportBook() })) {
    assert.ok(reading.kind === 'conversation');
    const again = await reader.conversationAt(reading.file, reading);
    assert.deepEqual(again?.raw, reading.conversation.raw);
    all.push(await reader.readable(reading.conversation));
  }
  return all;
}

function blocksIn(conversations: readonly ReadableConversation[]): Block[] {
  return conversations.flatMap(({ messages }) => messages.flatMap(({ blocks }) => blocks));
}

type Json = Record<string, unknown>;
const textMessage = (text: string, createdAt = 1.7e9) => ({
  author: { role: 'user' },
  create_time: createdAt,
  content: { content_type: 'text', parts: [text] },
});

function conversationOf(mapping: Json, more: Json = {}): Conversation {
  return readConversation({ id: 'c', mapping, ...more }, () => undefined);
}

async function readerOf(files: Readonly<Record<string, string | Buffer>> = {}) {
  const directory = await directoryOf({ 'conversations.json': '[]', ...files });
  return {
    reader: await ExportReader.open(directory.path),
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
}

const wordsOf = ({ messages }: ReadableConversation) =>
  messages.map(({ blocks }) => blocks.map((block) => ('text' in block ? block.text : block.kind)).join(' '));

describe('An export, read by people', () => {
  for (const generation of [...GENERATIONS, 'portal'] as const) {
    it(`of generation ${generation} has words, sounds, pictures and no marks for machines`, async () => {
      await using unpacked = await unpackedExport(account, generation);
      const reader = await ExportReader.open(unpacked.path);
      const conversations = await everything(reader);
      assert.equal(conversations.length, account.conversations.length);
      const blocks = blocksIn(conversations);
      const texts = blocks.flatMap((block) =>
        block.kind === 'text' || block.kind === 'transcription' ? [block.text] : [],
      );
      assert.ok(texts.length > 100);
      assert.ok(texts.every((text) => !/[\ue200-\ue2ff]|【\d+†/u.test(text)));
      assert.deepEqual(
        blocks.filter(({ kind }) => kind === 'unknown'),
        [],
      );
      if (generation === 'G1') return;
      const sounds = blocks.flatMap((block) => (block.kind === 'audio' ? [block.asset] : []));
      const pictures = blocks.flatMap((block) => (block.kind === 'image' ? [block.asset] : []));
      assert.ok(sounds.some(({ file, type }) => file !== undefined && type.mime === 'audio/wav'));
      assert.ok(pictures.some(({ file, type }) => file !== undefined && type.kind === 'image'));
      assert.ok(conversations.some(({ sharedLinks }) => sharedLinks.length > 0));
      assert.ok(conversations.some(({ messages }) => messages.some(({ rating }) => rating?.startsWith('thumbs'))));
      assert.ok(conversations.some(({ messages }) => messages.some(({ alternatives }) => alternatives.length > 1)));
      assert.equal((await reader.account())?.email, account.email);
    });
  }

  it('tells what pages its citations lead to', async () => {
    await using unpacked = await unpackedExport(account, 'G5');
    const blocks = blocksIn(await everything(await ExportReader.open(unpacked.path)));
    const citations = blocks.flatMap((block) => (block.kind === 'text' ? block.citations : []));
    assert.ok(citations.length > 0 && citations.every(({ url }) => url.startsWith('http')));
  });
});

describe('A conversation with branches', () => {
  const mapping = {
    root: { parent: null, message: null },
    q: { parent: 'root', message: textMessage('question', 1) },
    a1: { parent: 'q', message: textMessage('first answer', 2) },
    a2: { parent: 'q', message: textMessage('second answer', 4) },
    b1: { parent: 'a1', message: textMessage('thanks', 3) },
  };

  it('is shown along the main path, and tells where it forks', async () => {
    await using made = await readerOf();
    const shown = await made.reader.readable(conversationOf(mapping, { current_node: 'a2' }));
    assert.deepEqual(wordsOf(shown), ['question', 'second answer']);
    assert.deepEqual(
      shown.messages.map(({ alternatives }) => alternatives),
      [['q'], ['a1', 'a2']],
    );
    assert.equal(shown.messagesAside, 2);
  });

  it('is shown through another branch to the end of it', async () => {
    await using made = await readerOf();
    const shown = await made.reader.readable(conversationOf(mapping, { current_node: 'a2' }), 'a1');
    assert.deepEqual(wordsOf(shown), ['question', 'first answer', 'thanks']);
    assert.deepEqual(wordsOf(await made.reader.readable(conversationOf(mapping, { current_node: 'a2' }), 'none')), [
      'question',
      'second answer',
    ]);
  });

  it('of 100,000 edits of one question is shown', async () => {
    await using made = await readerOf();
    const edits = Object.fromEntries(
      Array.from({ length: 100_000 }, (_, index) => [`e${index}`, { parent: 'root', message: textMessage('again') }]),
    );
    const shown = await made.reader.readable(conversationOf({ root: { parent: null, message: null }, ...edits }));
    assert.deepEqual([shown.messages.length, shown.messagesAside], [1, 99_999]);
    assert.equal(shown.messages[0]?.alternatives.length, 100_000);
  });

  it('that leads in circles is shown, each message once', async () => {
    await using made = await readerOf();
    const circle = { a: { parent: 'b', message: textMessage('a') }, b: { parent: 'a', message: textMessage('b') } };
    for (const through of [undefined, 'a', 'b'])
      assert.equal((await made.reader.readable(conversationOf(circle), through)).messages.length, 2);
  });
});

describe('The files that a message points to', () => {
  const pointing = (id: string, metadata: Json = {}) =>
    conversationOf({
      a: {
        parent: null,
        message: {
          author: { role: 'user' },
          metadata,
          content: {
            content_type: 'multimodal_text',
            parts: [{ content_type: 'image_asset_pointer', asset_pointer: `file-service://${id}` }],
          },
        },
      },
    });
  const imageIn = ({ messages }: ReadableConversation) => {
    const [block] = messages[0]?.blocks ?? [];
    assert.ok(block?.kind === 'image');
    return block.asset;
  };

  it('are called as they were uploaded: by the library, the list of names, the attachment, or by what they are', async () => {
    await using made = await readerOf({
      'file-1.dat': PNG,
      'file-2.dat': PNG,
      'file-3.dat': PNG,
      'file-4.dat': PNG,
      'library_files.json': JSON.stringify([{ file_id: 'file-1', file_name: 'one.png' }]),
      'conversation_asset_file_names.json': JSON.stringify({ 'file-1.dat': 'x.png', 'file-2.dat': 'c/two.png' }),
    });
    const attachments = ['file-1', 'file-2', 'file-3'].map((id) => ({ id, name: 'three.png' }));
    const named = async (id: string) => imageIn(await made.reader.readable(pointing(id, { attachments }))).name;
    assert.deepEqual(
      [await named('file-1'), await named('file-2'), await named('file-3'), await named('file-4')],
      ['one.png', 'two.png', 'three.png', 'file-4.png'],
    );
  });

  it('are what their bytes say, not their names', async () => {
    await using made = await readerOf({ 'file-1-photo.svg': PNG });
    const { type, name, file } = imageIn(await made.reader.readable(pointing('file-1')));
    assert.deepEqual([type.mime, name, file?.path], ['image/png', 'photo.svg', 'file-1-photo.svg']);
  });

  it('are shown as missing where the export does not hold them', async () => {
    await using made = await readerOf();
    const { file, name } = imageIn(await made.reader.readable(pointing('file-9')));
    assert.deepEqual([file, name], [undefined, 'file-9']);
  });

  it('are attachments of it where none of its parts shows them', async () => {
    await using made = await readerOf({ 'file-2-report.pdf': '%PDF-1.7' });
    const attachments = [{ id: 'file-1' }, { id: 'file-2', name: 'report.pdf' }];
    const [message] = (await made.reader.readable(pointing('file-1', { attachments }))).messages;
    assert.deepEqual(
      message?.attachments.map(({ id, type, file }) => [id, type.mime, file?.path]),
      [['file-2', 'application/pdf', 'file-2-report.pdf']],
    );
  });
});

describe('A conversation of any form', () => {
  it('can be read by people: every message is on the path or counted beside it, and nothing is thrown', async () => {
    await using made = await readerOf();
    const message = fc.record({
      author: fc.oneof(fc.record({ role: fc.string() }), fc.jsonValue()),
      metadata: fc.oneof(
        fc.jsonValue(),
        fc.record({ attachments: fc.jsonValue(), content_references: fc.jsonValue() }),
      ),
      content: fc.oneof(fc.jsonValue(), fc.record({ content_type: fc.jsonValue(), parts: fc.jsonValue() })),
    });
    const mapping = fc.dictionary(
      fc.constantFrom('a', 'b', 'c', 'd', '__proto__'),
      fc.oneof(fc.jsonValue(), fc.record({ parent: fc.constantFrom('a', 'b', 'c', 'x', null), message })),
    );
    await fc.assert(
      fc.asyncProperty(mapping, fc.constantFrom(undefined, 'a', 'b', 'x'), async (nodes, through) => {
        const conversation = conversationOf(nodes);
        const shown = await made.reader.readable(conversation, through);
        assert.equal(shown.messages.length + shown.messagesAside, messagesOf(conversation).length);
        assert.equal(new Set(shown.messages.map(({ node }) => node)).size, shown.messages.length);
      }),
      { numRuns: 300 },
    );
  });
});
