import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Hono } from 'hono';
import { Catalog } from '../../src/catalog/index.ts';
import { catalogDirectory } from '../../src/cataloging.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { conversationAddress } from '../../src/web/addresses.ts';
import type { WebEnv } from '../../src/web/env.ts';
import { conversationRoutes } from '../../src/web/pages/conversation.ts';
import { Reader } from '../../src/web/reader/reader.ts';
import { chatkeep } from '../support/service.ts';
import { WebScene } from './scene.ts';

const NODES = 100_000;
const LONGEST_BYTES = 50 * 1024 * 1024;
const MOST_ANSWER_BYTES = 2_000_000;

describe('What is larger than anybody writes', () => {
  let scene: WebScene;
  before(async () => {
    scene = await WebScene.open();
    const chain = conversation('long-chain', NODES, (index) => `message ${index}`);
    const message = conversation('long-message', 2, (index) =>
      index === 1 ? 'word '.repeat(LONGEST_BYTES / 5) : 'short',
    );
    await scene.takeFiles({ 'conversations.json': JSON.stringify([chain, message]) }, '2026-03-01T10:00:00Z');
  });
  after(() => scene[Symbol.asyncDispose]());

  const find = (id: string) =>
    scene.catalog?.conversations({}, { limit: 10 }).find((one) => one.id === id) ?? assert.fail(`${id} is not known`);
  const get = async (id: string, query = {}) => {
    const answer = await fetch(new URL(conversationAddress(find(id), query), scene.origin));
    return { status: answer.status, text: await answer.text() };
  };
  const env = () => ({ CHATKEEP_BACKUP_DIR: scene.config.backupDir, CHATKEEP_STATE_DIR: scene.config.stateDir });

  it('is shown page by page, if it is a conversation of 100,000 messages', async () => {
    const { status, text } = await get('long-chain');
    assert.equal(status, 200);
    assert.ok(text.length < MOST_ANSWER_BYTES, `${text.length}`);
    assert.match(text, /100,000 messages/);
    assert.match((await get('long-chain', { page: 2 })).text, /<article class="message/);
  });

  it('is printed by `chatkeep show`, to its last message', async () => {
    const { code, stdout } = await chatkeep(['show', 'long-chain'], env());
    assert.equal(code, 0);
    assert.match(stdout, new RegExp(`message ${NODES - 1}\\b`));
  });

  it('is cut on the page, and read whole behind a link, if it is a message of 50 MB', async () => {
    const { status, text } = await get('long-message');
    assert.equal(status, 200);
    assert.ok(text.length < MOST_ANSWER_BYTES, `${text.length}`);
    const [, address = assert.fail('no link to the whole text')] = /href="([^"]+\/text\?[^"]+)"/.exec(text) ?? [];
    const whole = await fetch(new URL(address.replaceAll('&amp;', '&'), scene.origin));
    assert.equal((await whole.arrayBuffer()).byteLength >= LONGEST_BYTES - 1, true);
    const { code, stdout } = await chatkeep(['show', 'long-message'], env());
    assert.deepEqual([code, stdout.length > LONGEST_BYTES], [0, true]);
  });

  it('is told, with where it is kept, if reading it takes longer than there is time', async () => {
    const catalogDir = catalogDirectory(scene.config);
    using catalog = Catalog.open(catalogDir);
    // No process answers within a millisecond.
    const reader = new Reader({ backupDir: scene.config.backupDir, catalogDirectory: catalogDir, timeLimitMs: 1 });
    const routes = new Hono<WebEnv>();
    routes.route('/conversations', conversationRoutes({ catalog: () => catalog, logger: silentLogger }, reader));
    const answer = await routes.request(conversationAddress(find('long-chain')));
    const text = await answer.text();
    assert.equal(answer.status, 500);
    assert.match(
      text,
      /cannot be shown here: it takes too long, or more memory than there is\. It is kept all the same/,
    );
    assert.match(text, /<a href="\/snapshots\/[^"]+\/2026-03-01T100000Z">the files of the snapshot/);
  });
});

/** A conversation in one line, from its first message to its last. */
function conversation(id: string, messages: number, textOf: (index: number) => string): object {
  const mapping = Object.fromEntries(
    Array.from({ length: messages }, (_, index) => [
      `n${index}`,
      {
        id: `n${index}`,
        parent: index === 0 ? null : `n${index - 1}`,
        children: index === messages - 1 ? [] : [`n${index + 1}`],
        message: {
          id: `m${index}`,
          author: { role: index % 2 === 0 ? 'user' : 'assistant' },
          create_time: 1_772_000_000 + index,
          content: { content_type: 'text', parts: [textOf(index)] },
        },
      },
    ]),
  );
  return { id, conversation_id: id, title: id, create_time: 1_772_000_000, current_node: `n${messages - 1}`, mapping };
}
