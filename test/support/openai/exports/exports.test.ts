import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import vm from 'node:vm';
import { crc32, inflateSync } from 'node:zlib';
import fc from 'fast-check';
import { type Entry, fromBufferPromise } from 'yauzl';
import { z } from 'zod';
import {
  createAccount,
  type ExportFacts,
  type ExportKind,
  type ExportOptions,
  exportName,
  GENERATIONS,
  type Generation,
  nextExport,
  writeExport,
} from './index.ts';

const STAMP = new Date('2026-03-01T10:20:31Z');
const account = createAccount({ seed: 'ada', conversations: 130, phone: '+49 30 1234567' });

interface Unpacked {
  readonly facts: ExportFacts;
  readonly zip: Buffer;
  readonly entries: ReadonlyMap<string, Buffer>;
  readonly headers: readonly Entry[];
}

async function written(
  model = account,
  options: Partial<ExportOptions> = {},
): Promise<{ facts: ExportFacts; zip: Buffer }> {
  const chunks: Buffer[] = [];
  const to = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  const facts = await writeExport(model, { generation: 'G4', stamp: STAMP, to, ...options });
  return { facts, zip: Buffer.concat(chunks) };
}

async function unzip(zip: Buffer): Promise<{ entries: Map<string, Buffer>; headers: Entry[] }> {
  const file = await fromBufferPromise(zip);
  const entries = new Map<string, Buffer>();
  const headers: Entry[] = [];
  for await (const entry of file.eachEntry()) {
    headers.push(entry);
    entries.set(entry.fileName, await buffer(await file.openReadStreamPromise(entry)));
  }
  return { entries, headers };
}

async function unpacked(model = account, options: Partial<ExportOptions> = {}): Promise<Unpacked> {
  const { facts, zip } = await written(model, options);
  return { facts, zip, ...(await unzip(zip)) };
}

const messageSchema = z.looseObject({
  id: z.string(),
  author: z.looseObject({ role: z.string() }),
  create_time: z.number().nullable(),
  content: z.looseObject({ content_type: z.string(), parts: z.array(z.unknown()).optional() }),
  metadata: z.looseObject({ attachments: z.array(z.looseObject({ id: z.string() })).optional() }).optional(),
  recipient: z.string().optional(),
});
const nodeSchema = z.looseObject({
  id: z.string(),
  message: messageSchema.nullable(),
  parent: z.string().nullable(),
  children: z.array(z.string()).optional(),
});
const conversationSchema = z.looseObject({
  id: z.string(),
  conversation_id: z.string(),
  title: z.string().nullable(),
  update_time: z.number(),
  current_node: z.string(),
  mapping: z.record(z.string(), nodeSchema),
});
type Conversation = z.infer<typeof conversationSchema>;
type Message = z.infer<typeof messageSchema>;

function textOf(entries: ReadonlyMap<string, Buffer>, path: string): string {
  const content = entries.get(path);
  assert.ok(content !== undefined, `${path} is missing`);
  return content.toString();
}

function json(entries: ReadonlyMap<string, Buffer>, path: string): unknown {
  return JSON.parse(textOf(entries, path));
}

function conversationPaths(entries: ReadonlyMap<string, Buffer>): string[] {
  return [...entries.keys()].filter((path) => /^conversations(-\d+)?\.json$/.test(path));
}

function conversationsOf(entries: ReadonlyMap<string, Buffer>): Conversation[] {
  return conversationPaths(entries).flatMap((path) => z.array(conversationSchema).parse(json(entries, path)));
}

function messagesOf(conversation: Conversation): Message[] {
  return Object.values(conversation.mapping).flatMap((node) => (node.message === null ? [] : [node.message]));
}

function mainPath(conversation: Conversation): string[] {
  const path: string[] = [];
  for (let id: string | null = conversation.current_node; id !== null; id = conversation.mapping[id]?.parent ?? null) {
    path.push(id);
  }
  return path;
}

function matching(entries: ReadonlyMap<string, Buffer>, pattern: RegExp): string[] {
  return [...entries.keys()].filter((path) => pattern.test(path));
}

/** Each kind of export, made once. */
const exports = new Map<ExportKind, Unpacked>();
function of(kind: ExportKind): Unpacked {
  const made = exports.get(kind);
  assert.ok(made !== undefined);
  return made;
}

before(async () => {
  for (const generation of [...GENERATIONS, 'portal'] as const)
    exports.set(generation, await unpacked(account, { generation }));
});

describe('the ZIP', () => {
  it('matches its facts: size, SHA-256, and every entry in order', () => {
    for (const { facts, zip, entries } of exports.values()) {
      assert.equal(facts.bytes, zip.length);
      assert.equal(facts.sha256, createHash('sha256').update(zip).digest('hex'));
      const found = [...entries].map(([path, content]) => ({
        path,
        bytes: content.length,
        sha256: createHash('sha256').update(content).digest('hex'),
      }));
      assert.deepEqual(
        found,
        facts.entries.map(({ path, bytes, sha256 }) => ({ path, bytes, sha256 })),
      );
    }
  });

  it('holds private Unix files in DEFLATE, chat.html last', () => {
    for (const generation of GENERATIONS) {
      const { headers } = of(generation);
      for (const entry of headers) {
        assert.equal(entry.externalFileAttributes >>> 16, 0o100600);
        assert.equal(entry.versionMadeBy >>> 8, 3);
        assert.equal(entry.compressionMethod, 8, entry.fileName);
      }
      assert.equal(headers.at(-1)?.fileName, 'chat.html');
    }
  });

  it('says the stamp in UTC as the modification time, in both notations, wherever it is made', async () => {
    const zone = process.env.TZ;
    try {
      for (const elsewhere of ['Asia/Tokyo', 'America/St_Johns']) {
        process.env.TZ = elsewhere;
        const { facts, headers } = await unpacked();
        assert.equal(facts.sha256, of('G4').facts.sha256);
        const [entry] = headers;
        assert.equal(entry?.getLastModDate().getTime(), STAMP.getTime());
        const dos = entry?.getLastModDate({ forceDosFormat: true, timezone: 'UTC' });
        assert.equal(dos?.toISOString(), '2026-03-01T10:20:30.000Z');
      }
    } finally {
      if (zone === undefined) delete process.env.TZ;
      else process.env.TZ = zone;
    }
  });

  it('can do without the extended timestamp', async () => {
    const { headers } = await unpacked(createAccount({ seed: 'b', conversations: 1 }), { timestamps: 'dos' });
    assert.ok(headers.every((entry) => entry.extraFields.length === 0));
    assert.equal(headers[0]?.getLastModDate({ timezone: 'UTC' }).toISOString(), '2026-03-01T10:20:30.000Z');
  });

  it('has ZIP64 records when forced, and none else', async () => {
    const zip64EndRecord = Buffer.from('PK\x06\x06', 'latin1');
    const small = createAccount({ seed: 'c', conversations: 3 });
    const { zip, headers } = await unpacked(small, { forceZip64: true });
    assert.ok(zip.subarray(-98).includes(zip64EndRecord));
    assert.ok(headers.every((entry) => entry.extraFields.some((field) => field.id === 0x0001)));
    assert.ok(!of('G4').zip.subarray(-98).includes(zip64EndRecord));
  });

  it('is the same bytes for the same seed, and others for another', async () => {
    const again = createAccount({ seed: 'ada', conversations: 130, phone: '+49 30 1234567' });
    assert.equal((await written(again, { generation: 'G5' })).facts.sha256, of('G5').facts.sha256);
    const other = createAccount({ seed: 'bob', conversations: 130, phone: '+49 30 1234567' });
    assert.notEqual((await written(other, { generation: 'G5' })).facts.sha256, of('G5').facts.sha256);
  });

  it('is called after the account and the stamp, with another 32 hex digits since links need a login', () => {
    const key = account.exportKey;
    assert.match(key, /^[0-9a-f]{64}$/);
    assert.equal(of('G1').facts.name, `${key}-2026-03-01-10-20-31.zip`);
    assert.match(of('G5').facts.name, new RegExp(`^${key}-2026-03-01-10-20-31-[0-9a-f]{32}\\.zip$`));
    assert.equal(exportName(account, 'G5', STAMP), of('G5').facts.name);
  });

  it('is removed again when the signal aborts, with the reason thrown', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'exports-'));
    try {
      const to = join(directory, 'export.zip');
      const abort = new AbortController();
      const reason = new Error('enough');
      const writing = writeExport(account, {
        generation: 'G5',
        stamp: STAMP,
        to,
        assetBytes: 1e9,
        signal: abort.signal,
      });
      setTimeout(() => abort.abort(reason), 100);
      await assert.rejects(writing, reason);
      await assert.rejects(stat(to), { code: 'ENOENT' });
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it('can be written to a file, private to the user', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'exports-'));
    try {
      const to = join(directory, 'export.zip');
      await writeExport(account, { generation: 'G4', stamp: STAMP, to });
      assert.deepEqual(await readFile(to), of('G4').zip);
      assert.equal((await stat(to)).mode & 0o777, 0o600);
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});

describe('the listing', () => {
  const WITHOUT_ASSETS: Readonly<Record<Generation, readonly string[]>> = {
    G1: [
      'user.json',
      'conversations.json',
      'message_feedback.json',
      'model_comparisons.json',
      'shared_conversations.json',
    ],
    G2: [
      'user.json',
      'conversations.json',
      'message_feedback.json',
      'model_comparisons.json',
      'shared_conversations.json',
    ],
    G3: [
      'user.json',
      'conversations.json',
      'message_feedback.json',
      'model_comparisons.json',
      'shared_conversations.json',
      'sora.json',
      'group_chats.json',
      'shopping.json',
    ],
    G4: [
      'user.json',
      'conversations-000.json',
      'conversations-001.json',
      'message_feedback.json',
      'shared_conversations.json',
      'sora.json',
      'group_chats.json',
      'shopping.json',
      'user_settings.json',
      'export_manifest.json',
    ],
    G5: [
      'user.json',
      'conversations-000.json',
      'conversations-001.json',
      'message_feedback.json',
      'shared_conversations.json',
      'sora.json',
      'group_chats.json',
      'shopping.json',
      'user_settings.json',
      'ads.json',
      'conversation_asset_file_names.json',
      'library_files.json',
      'export_manifest.json',
    ],
  };

  it('has the files of its generation', () => {
    for (const generation of GENERATIONS) {
      const paths = matching(of(generation).entries, /^[^/]+\.(json|html)$/);
      assert.deepEqual(paths, [...WITHOUT_ASSETS[generation], 'chat.html'], generation);
    }
  });

  it('has no assets in G1', () => {
    assert.deepEqual(matching(of('G1').entries, /\.(?!json$|html$)/), []);
  });

  it('has uploads in the root, generated images and voice in folders since G2', () => {
    for (const generation of ['G2', 'G3', 'G4'] as const) {
      const { entries } = of(generation);
      const uploads = matching(entries, /^file-[0-9A-Za-z]{22}-.+/);
      assert.ok(uploads.length > 0);
      assert.ok(uploads.some((path) => path.includes('\u202f')));
      assert.ok(uploads.some((path) => path.includes('#') && path.includes(' ')));
      assert.ok(uploads.some((path) => /[\u4e00-\u9fff]/.test(path)));
      assert.ok(matching(entries, /^dalle-generations\/file-[^/]+\.webp$/).length > 0);
      assert.ok(matching(entries, /^[0-9a-f-]{36}\/audio\/file_[^/]+\.wav$/).length > 0);
    }
  });

  it('has user folders and document pages since G3, conversation image folders in G4', () => {
    const inUserFolder = new RegExp(`^${account.userId}/file_[0-9a-f]{32}-[0-9a-f-]{36}\\.png$`);
    for (const generation of ['G3', 'G4'] as const) {
      assert.ok(matching(of(generation).entries, inUserFolder).length > 0);
      assert.ok(matching(of(generation).entries, /^file-[0-9A-Za-z]{22}_data\/[^/]+\.jpg$/).length > 0);
    }
    assert.equal(matching(of('G2').entries, inUserFolder).length, 0);
    assert.ok(matching(of('G4').entries, /^[0-9a-f-]{36}\/image\/file_[^/]+\.png$/).length > 0);
    assert.equal(matching(of('G3').entries, /\/image\//).length, 0);
  });

  it('has flat .dat files in G5, and nothing in folders', () => {
    const { entries } = of('G5');
    assert.ok(matching(entries, /^file[-_][0-9A-Za-z]+\.dat$/).length > 0);
    assert.deepEqual(matching(entries, /\//), []);
  });

  it('is matched by the manifest, size by size, but for the manifest itself', () => {
    for (const generation of ['G4', 'G5'] as const) {
      const { entries, facts } = of(generation);
      const manifest = z
        .looseObject({
          export_files: z.array(z.strictObject({ path: z.string(), size_bytes: z.number() })),
          logical_files: z.record(z.string(), z.looseObject({ files: z.array(z.string()), sharded: z.boolean() })),
        })
        .parse(json(entries, 'export_manifest.json'));
      const listed = facts.entries.filter(({ path }) => path !== 'export_manifest.json');
      assert.deepEqual(
        manifest.export_files,
        listed.map(({ path, bytes }) => ({ path, size_bytes: bytes })),
      );
      assert.deepEqual(manifest.logical_files['conversations.json']?.files, conversationPaths(entries));
    }
  });

  it('leaves message_feedback.json out when nothing was rated', async () => {
    const { entries } = await unpacked(createAccount({ seed: 'quiet', conversations: 0 }));
    assert.deepEqual(matching(entries, /feedback/), []);
    assert.equal(textOf(entries, 'conversations-000.json'), '[]');
  });
});

describe('the conversations', () => {
  it('are whole JSON in every generation, as many as the facts say', () => {
    for (const generation of GENERATIONS) {
      const { entries, facts } = of(generation);
      for (const path of matching(entries, /\.json$/)) json(entries, path);
      const conversations = conversationsOf(entries);
      assert.equal(conversations.length, account.conversations.length);
      assert.equal(facts.conversations, conversations.length);
      assert.equal(facts.messages, conversations.flatMap(messagesOf).length);
      assert.ok(conversations.every(({ id, conversation_id }) => id === conversation_id));
    }
  });

  it('form trees whose main path leads from current_node to a root without a parent', () => {
    for (const generation of GENERATIONS) {
      for (const conversation of conversationsOf(of(generation).entries)) {
        for (const [id, node] of Object.entries(conversation.mapping)) {
          assert.equal(node.id, id);
          assert.ok(node.parent === null || conversation.mapping[node.parent] !== undefined);
          for (const child of node.children ?? []) assert.equal(conversation.mapping[child]?.parent, id);
        }
        const root = mainPath(conversation).at(-1);
        assert.equal(root === undefined ? undefined : conversation.mapping[root]?.message, null);
      }
    }
  });

  it('stand in one line until G4, in shards of 100 since then, pretty and sorted by id in G5', () => {
    for (const generation of ['G1', 'G2', 'G3', 'G4'] as const) {
      for (const path of conversationPaths(of(generation).entries)) {
        assert.ok(!textOf(of(generation).entries, path).includes('\n'));
      }
    }
    const { entries } = of('G5');
    const ids = conversationsOf(entries).map(({ id }) => id);
    assert.deepEqual(ids, ids.toSorted());
    for (const path of conversationPaths(entries)) {
      const parsed = z.array(z.unknown()).parse(json(entries, path));
      assert.ok(parsed.length <= 100);
      const plain = JSON.stringify(parsed, null, 2);
      assert.equal(textOf(entries, path).replaceAll('<\\/', '</'), plain);
    }
  });

  it('grow from 10 keys in G1 to 23 to 30 in G3 and G4, with a channel on messages since G3', () => {
    const keys = (generation: Generation) => Object.keys(conversationsOf(of(generation).entries)[0] ?? {}).length;
    assert.deepEqual([keys('G1'), keys('G2')], [10, 14]);
    assert.ok(keys('G3') >= 23 && keys('G4') > keys('G3') && keys('G4') <= 30);
    const hasChannel = (generation: Generation) =>
      conversationsOf(of(generation).entries)
        .flatMap(messagesOf)
        .every((message) => 'channel' in message);
    assert.deepEqual(GENERATIONS.map(hasChannel), [false, false, true, true, false]);
  });

  it('hold every known content type, part and pointer', () => {
    const messages = conversationsOf(of('G4').entries).flatMap(messagesOf);
    const types = new Set(messages.map((message) => message.content.content_type));
    assert.deepEqual([...types].toSorted(), [
      'code',
      'execution_output',
      'multimodal_text',
      'reasoning_recap',
      'system_error',
      'tether_browsing_display',
      'tether_quote',
      'text',
      'thoughts',
      'user_editable_context',
    ]);
    const parts = new Set(
      messages
        .flatMap((message) => message.content.parts ?? [])
        .map((part) => {
          const parsed = z.looseObject({ content_type: z.string() }).safeParse(part);
          return parsed.success ? parsed.data.content_type : typeof part;
        }),
    );
    assert.deepEqual([...parts].toSorted(), [
      'audio_asset_pointer',
      'audio_transcription',
      'image_asset_pointer',
      'real_time_user_audio_video_asset_pointer',
      'string',
    ]);
    const raw = conversationPaths(of('G4').entries)
      .map((path) => textOf(of('G4').entries, path))
      .join('');
    for (const mark of [
      'file-service://file-',
      'sediment://file_',
      '【12†source】',
      '\ue200cite\ue202turn0search0',
      'canmore.create_textdoc',
    ]) {
      assert.ok(raw.includes(mark), mark);
    }
    assert.deepEqual([...new Set(messages.map((message) => message.author.role))].toSorted(), [
      'assistant',
      'system',
      'tool',
      'user',
    ]);
  });

  it('keep edits and regenerations off the main path', () => {
    const aside = conversationsOf(of('G4').entries).map(
      (conversation) => Object.keys(conversation.mapping).length - mainPath(conversation).length,
    );
    assert.ok(aside.filter((count) => count > 0).length > 10);
  });

  it('repeat message ids where a chat was branched into a new one', () => {
    const ids = conversationsOf(of('G4').entries)
      .flatMap(messagesOf)
      .map((message) => message.id);
    assert.ok(new Set(ids).size < ids.length);
  });

  it('have null titles, and an update_time older than the newest message, now and then', () => {
    const conversations = conversationsOf(of('G5').entries);
    const newest = (conversation: Conversation) =>
      Math.max(...messagesOf(conversation).map((message) => message.create_time ?? 0));
    assert.ok(conversations.some(({ title }) => title === null));
    const stale = conversations.filter((conversation) => conversation.update_time < newest(conversation)).length;
    assert.ok(stale > conversations.length / 5 && stale < conversations.length / 2, `${stale}`);
  });

  it('are slim in G5: shown user and assistant messages alone, no children, most metadata gone', () => {
    const conversations = conversationsOf(of('G5').entries);
    const messages = conversations.flatMap(messagesOf);
    assert.deepEqual([...new Set(messages.map((message) => message.author.role))].toSorted(), ['assistant', 'user']);
    for (const message of messages) {
      for (const key of ['status', 'weight', 'recipient', 'channel', 'update_time']) assert.ok(!(key in message));
      assert.notEqual(message.content.content_type, 'code');
    }
    assert.ok(messages.filter((message) => message.metadata === undefined).length > messages.length / 2);
    assert.ok(conversations.every((conversation) => !('gizmo_id' in conversation) && !('safe_urls' in conversation)));
    const nodes = conversations.flatMap((conversation) => Object.values(conversation.mapping));
    assert.ok(nodes.every((node) => node.children === undefined));
    const raw = JSON.stringify(conversations);
    assert.ok(raw.includes('"content_references"') && !raw.includes('start_idx'));
  });

  it('name parents in G5 that are no longer there', () => {
    const dangling = conversationsOf(of('G5').entries).filter((conversation) =>
      messagesOf(conversation).some(({ metadata }) => {
        const parent = metadata?.parent_id;
        return typeof parent === 'string' && conversation.mapping[parent] === undefined;
      }),
    );
    assert.ok(dangling.length > 0);
  });

  it('stand in chat.html again, as a script that runs, with the assets beside them', () => {
    for (const generation of GENERATIONS) {
      const { entries } = of(generation);
      const [, script] = /<script>\n([\s\S]*?)\nvar root/.exec(textOf(entries, 'chat.html')) ?? [];
      assert.ok(script !== undefined);
      const result: unknown = vm.runInNewContext(`${script}\nJSON.stringify([jsonData, typeof assetsJson])`);
      assert.ok(typeof result === 'string');
      const [data, assets] = z.tuple([z.array(z.unknown()), z.string()]).parse(JSON.parse(result));
      assert.deepEqual(
        data,
        conversationPaths(entries).flatMap((path) => json(entries, path)),
      );
      assert.equal(assets, generation === 'G1' ? 'undefined' : 'object');
    }
  });
});

describe('the assets', () => {
  const POINTER = /(?:file-service|sediment):\/\/(file[-_][0-9A-Za-z]+)/g;

  it('resolve from nearly all pointers to uploads and voice by the id in their names', () => {
    for (const generation of ['G4', 'G5'] as const) {
      const { entries } = of(generation);
      const names = [...entries.keys()].map((path) => path.slice(path.lastIndexOf('/') + 1));
      const raw = conversationPaths(entries)
        .map((path) => textOf(entries, path))
        .join('');
      const ids = new Set(Array.from(raw.matchAll(POINTER), ([, id]) => id ?? ''));
      const resolved = [...ids].filter((id) => names.some((name) => name.startsWith(id)));
      assert.ok(ids.size > 20);
      assert.ok(resolved.length > ids.size * 0.8, `${generation}: ${resolved.length} of ${ids.size}`);
      assert.ok(resolved.length < ids.size, `${generation}: none is missing`);
    }
  });

  it('have their names in G5 in the library, else in the list of names, else only in the attachment', () => {
    const { entries } = of('G5');
    const library = z
      .array(
        z.looseObject({
          file_id: z.string(),
          file_name: z.string(),
          mime_type: z.string(),
          file_size_bytes: z.number(),
        }),
      )
      .parse(json(entries, 'library_files.json'));
    const names = z.record(z.string(), z.string()).parse(json(entries, 'conversation_asset_file_names.json'));
    assert.ok(library.length > 0 && Object.keys(names).length > library.length);
    for (const { file_id, file_size_bytes } of library)
      assert.equal(entries.get(`${file_id}.dat`)?.length, file_size_bytes);
    for (const path of Object.keys(names)) assert.ok(entries.has(path));
    const inLibrary = new Set(library.map((row) => `${row.file_id}.dat`));
    assert.ok(matching(entries, /\.dat$/).some((path) => names[path] === undefined && !inLibrary.has(path)));
  });

  it('are valid images, sounds and documents', () => {
    const { entries } = of('G4');
    const first = (pattern: RegExp): Buffer => {
      const [path] = matching(entries, pattern);
      const content = path === undefined ? undefined : entries.get(path);
      assert.ok(content !== undefined, String(pattern));
      return content;
    };
    assertPng(first(/\.png$/));
    const wav = first(/\.wav$/);
    assert.equal(wav.toString('latin1', 0, 4) + wav.toString('latin1', 8, 12), 'RIFFWAVE');
    assert.equal(wav.readUInt32LE(4), wav.length - 8);
    assert.equal(wav.readUInt32LE(40), wav.length - 44);
    const webp = first(/\.webp$/);
    assert.equal(webp.toString('latin1', 8, 12), 'WEBP');
    assert.equal(webp.readUInt32LE(4), webp.length - 8);
    const jpeg = first(/\.jpg$/);
    assert.equal(jpeg.readUInt16BE(0), 0xffd8);
    assert.equal(jpeg.readUInt16BE(jpeg.length - 2), 0xffd9);
    const pdf = first(/\.pdf$/).toString('latin1');
    const [, start] = /startxref\n(\d+)\n/.exec(pdf) ?? [];
    assert.equal(pdf.slice(Number(start), Number(start) + 4), 'xref');
  });

  function assertPng(png: Buffer): void {
    assert.equal(png.toString('latin1', 0, 8), '\x89PNG\r\n\x1a\n');
    for (let offset = 8; offset < png.length; ) {
      const length = png.readUInt32BE(offset);
      const body = png.subarray(offset + 4, offset + 8 + length);
      assert.equal(png.readUInt32BE(offset + 8 + length), crc32(body));
      if (body.toString('latin1', 0, 4) === 'IDAT') {
        const side = png.readUInt32BE(16);
        assert.equal(inflateSync(body.subarray(4)).length, side * (1 + 3 * side));
      }
      offset += 12 + length;
    }
  }

  it('are there even in the smallest account', async () => {
    const { entries } = await unpacked(createAccount({ seed: 'one', conversations: 1 }), { generation: 'G5' });
    assert.equal(matching(entries, /\.dat$/).length, 5);
  });
});

describe('the sizes asked for', () => {
  it('are met by further conversations and files, those before them unchanged', async () => {
    const small = createAccount({ seed: 'sized', conversations: 20 });
    const sum = (facts: ExportFacts, pattern: RegExp) =>
      facts.entries.filter(({ path }) => pattern.test(path)).reduce((total, { bytes }) => total + bytes, 0);
    const plain = await unpacked(small, { generation: 'G5' });
    const { facts, entries } = await unpacked(small, { generation: 'G5', conversationsBytes: 8e6, assetBytes: 40e6 });
    const conversationsBytes = sum(facts, /^conversations-/);
    const assetBytes = sum(facts, /\.dat$/);
    assert.ok(Math.abs(conversationsBytes / 8e6 - 1) < 0.1, `${conversationsBytes}`);
    assert.ok(Math.abs(assetBytes / 40e6 - 1) < 0.02, `${assetBytes}`);
    const later = new Map(conversationsOf(entries).map((conversation) => [conversation.id, conversation] as const));
    for (const conversation of conversationsOf(plain.entries))
      assert.deepEqual(later.get(conversation.id), conversation);
    for (const path of matching(plain.entries, /\.dat$/)) assert.deepEqual(entries.get(path), plain.entries.get(path));
  });

  it('are refused for the assets of G1', async () => {
    await assert.rejects(written(account, { generation: 'G1', assetBytes: 1 }), RangeError);
  });

  it('take no memory to speak of: 300 MB are written in far less', async () => {
    const script = `
      import { Writable } from 'node:stream';
      import { createAccount, writeExport } from ${JSON.stringify(import.meta.resolve('./index.ts'))};
      const account = createAccount({ seed: 'large', conversations: 50 });
      let peak = 0;
      const to = new Writable({
        write(chunk, encoding, done) {
          peak = Math.max(peak, process.memoryUsage.rss());
          setImmediate(done);
        },
      });
      const before = process.memoryUsage.rss();
      const facts = await writeExport(account, {
        generation: 'G5', stamp: new Date(0), to, conversationsBytes: 20e6, assetBytes: 280e6,
      });
      process.stdout.write(JSON.stringify([facts.bytes, peak - before]));
    `;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script]);
    const [bytes, grown] = z.tuple([z.number(), z.number()]).parse(JSON.parse(stdout));
    assert.ok(bytes > 280e6);
    assert.ok(grown < 120e6, `grew by ${grown} bytes`);
  });
});

describe('the next export', () => {
  const next = nextExport(account, { seed: 'tuesday', add: 3, change: 4, delete: 2 });

  it('has conversations more, less and changed, and every other one byte for byte the same', async () => {
    for (const generation of GENERATIONS) {
      const before = new Map(
        conversationsOf(of(generation).entries).map((one) => [one.id, JSON.stringify(one)] as const),
      );
      const { entries } = await unpacked(next, { generation });
      const now = new Map(conversationsOf(entries).map((one) => [one.id, JSON.stringify(one)] as const));
      const shared = [...now.keys()].filter((id) => before.has(id));
      assert.equal(now.size - shared.length, 3);
      assert.equal(before.size - shared.length, 2);
      assert.equal(shared.filter((id) => now.get(id) !== before.get(id)).length, 4);
    }
  });

  it('keeps the files and brings new ones', async () => {
    const grown = nextExport(account, { seed: 'growing', add: 2 });
    const { entries } = await unpacked(grown);
    const before = of('G4').entries;
    const assets = matching(before, /^file-|\/|\.dat$/);
    for (const path of assets) assert.deepEqual(entries.get(path), before.get(path), path);
    assert.ok(matching(entries, /^file-/).length > matching(before, /^file-/).length);
  });

  it('appends to some of the changed ones and edits others, off whose main path the old messages stay', () => {
    const changes = next.conversations.filter((recipe) => !account.conversations.includes(recipe));
    const rewinds = changes.flatMap((recipe) => recipe.segments.slice(1).map((segment) => segment.rewind));
    assert.deepEqual(new Set(rewinds), new Set([0, 1]));
  });

  it('refuses to change and delete more than there is', () => {
    assert.throws(
      () => nextExport(createAccount({ seed: 'x', conversations: 2 }), { seed: 'y', change: 2, delete: 1 }),
      RangeError,
    );
  });

  it('never loses a message of a conversation that it changes', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(5), (seed, change) => {
        const few = createAccount({ seed: 'few', conversations: 5 });
        const after = nextExport(few, { seed, change });
        for (const [index, recipe] of after.conversations.entries()) {
          const old = few.conversations[index];
          assert.equal(recipe.id, old?.id);
          assert.deepEqual(recipe.segments.slice(0, old?.segments.length), old?.segments);
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe('the portal export', () => {
  it('holds whole G5 exports beside payment tables and ZIPs of files and ads', async () => {
    const { entries } = of('portal');
    const key = account.exportKey;
    assert.deepEqual(
      [...entries.keys()],
      [
        `User Online Activity/Conversations__${key}-chatgpt-0001-part-0001.zip`,
        `User Online Activity/Conversations__${key}-chatgpt-0001-part-0002.zip`,
        `User Online Activity/Files__${key}-chatgpt-0001.zip`,
        `User Online Activity/Ads__${key}-chatgpt-0001.zip`,
        'Payment Information/invoices.csv',
        'Payment Information/payment_methods.csv',
      ],
    );
    const ids: string[] = [];
    for (const path of matching(entries, /Conversations__/)) {
      const { entries: inner } = await unzip(entries.get(path) ?? Buffer.alloc(0));
      for (const part of ['user.json', 'library_files.json', 'export_manifest.json', 'chat.html'])
        assert.ok(inner.has(part));
      ids.push(...conversationsOf(inner).map(({ id }) => id));
      const outer = of('portal').facts.entries.find((entry) => entry.path === path);
      assert.deepEqual(
        outer?.entries?.map((entry) => entry.path),
        [...inner.keys()],
      );
    }
    assert.deepEqual(ids.toSorted(), account.conversations.map(({ id }) => id).toSorted());
  });

  it('names a single part without a number', async () => {
    const { entries } = await unpacked(createAccount({ seed: 'p', conversations: 2 }), {
      generation: 'portal',
      portalParts: 1,
    });
    assert.equal(matching(entries, /-chatgpt-0001\.zip$/).length, 3);
  });
});
