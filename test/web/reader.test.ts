import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { CatalogConversation } from '../../src/catalog/index.ts';
import { conversationAddress } from '../../src/web/addresses.ts';
import { type AccountModel, createAccount, nextExport } from '../support/openai/exports/index.ts';
import { WebScene } from './scene.ts';

const OLDER = '2026-03-01T10:00:00Z';
const NEWER = '2026-06-21T19:05:33Z';

describe('Reading conversations', () => {
  let scene: WebScene;
  let account: AccountModel;

  before(async () => {
    scene = await WebScene.open();
    account = createAccount({ seed: 'reader', conversations: 26 });
    await scene.take(account, 'G4', OLDER);
    await scene.take(nextExport(account, { seed: 'next', change: 2, delete: 2 }), 'G5', NEWER);
  });
  after(() => scene[Symbol.asyncDispose]());

  const get = async (path: string): Promise<{ status: number; text: string; url: string }> => {
    const answer = await fetch(new URL(path, scene.origin));
    return { status: answer.status, text: await answer.text(), url: answer.url };
  };
  const conversations = () => scene.catalog?.conversations({}, { limit: 100 }) ?? [];
  const one = (condition: (conversation: CatalogConversation) => boolean): CatalogConversation => {
    const found = conversations().find(condition);
    assert.ok(found, 'the account holds no such conversation');
    return found;
  };
  /** The first conversations of an account have one theme each. */
  const ofTheme = (theme: string) => {
    const recipe = account.conversations.find(({ segments }) => segments[0].theme === theme);
    return one(({ id }) => id === recipe?.id);
  };

  it('lists every conversation, the deleted ones with the day when they were last in an export', async () => {
    const { text } = await get('/conversations');
    assert.equal(text.match(/<h2><a href="\/conversations\/\w/g)?.length, 26);
    assert.equal(text.match(/Deleted, last in the export of <time datetime="2026-03-01">/g)?.length, 2);
  });

  it('narrows the list down by what the address says', async () => {
    const titles = async (query: string) =>
      (await get(`/conversations?${query}`)).text.match(/<h2><a href="\/conversations\/\w/g)?.length ?? 0;
    assert.equal(await titles('state=deleted'), 2);
    assert.equal(await titles('state=present'), 24);
    assert.equal(await titles('voice=yes'), conversations().filter(({ spoken }) => spoken).length);
    assert.equal(await titles('from=2026-12-01'), 0);
    assert.equal(await titles('account=nobody'), 0);
    assert.equal(await titles('from=nonsense&state=nonsense'), 26);
  });

  it('says kindly what cannot be searched for, on the page as to its script', async () => {
    const sentenceFor = async (typed: string) => {
      const query = `?q=${encodeURIComponent(typed)}`;
      const { status, text } = await get(`/conversations${query}`);
      const [, shown = ''] = /<p class="count" id="count">([^<]*)</.exec(text) ?? [];
      const { count } = JSON.parse((await get(`/conversations/search${query}`)).text);
      assert.deepEqual([status, shown], [200, count], typed.slice(0, 20));
      return shown;
    };
    for (const typed of ['"', '""', '++ --', '*', '( ) : ^', '💥'])
      assert.match(await sentenceFor(typed), /^No message found\. There is no word in this/, typed);
    assert.match(await sentenceFor('-the'), /only leave messages out: add a word/);
    for (const typed of ['a'.repeat(10_000), 'the '.repeat(2_500)])
      assert.match(await sentenceFor(typed), /more than can be searched for at once/);
    assert.match(await sentenceFor('"the"'), /messages? found$/);
  });

  it('opens a conversation by account and id, and by what else leads to it', async () => {
    const conversation = ofTheme('plain');
    const address = conversationAddress(conversation);
    assert.equal((await get(address)).status, 200);
    assert.equal(new URL((await get(`/conversations/${conversation.number}`)).url).pathname, address);
    const short = conversationAddress({ ...conversation, id: conversation.id.slice(0, 13) });
    assert.equal(new URL((await get(short)).url).pathname, address);
    assert.equal((await get(`/conversations/${conversation.account}/nobody`)).status, 404);
    assert.equal((await get('/conversations/nobody/nobody')).status, 404);
    assert.equal((await get('/conversations/999999')).status, 404);
  });

  it('shows a deleted conversation, and says when it was last in an export', async () => {
    const { text } = await get(conversationAddress(one(({ presence }) => presence === 'gone')));
    assert.match(text, /has been deleted in ChatGPT\. It was last in the export of <time datetime="2026-03-01">/);
    assert.match(text, /<article class="message user"/);
  });

  it('shows earlier versions of a conversation, and leads to them', async () => {
    const conversation = one(({ versions, presence }) => versions > 1 && presence === 'present');
    const newest = await get(conversationAddress(conversation));
    const [, link] = /<a href="([^"]+\?version=[^"]+)">/.exec(newest.text) ?? [];
    assert.ok(link);
    const older = await get(link);
    assert.match(older.text, /An earlier version, from the export of <time datetime="2026-03-01">/);
    assert.equal((await get(conversationAddress(conversation, { version: '1' }))).status, 200);
    assert.equal((await get(conversationAddress(conversation, { version: '2020-01-01T000000Z' }))).status, 404);
  });

  it('folds tool output away, and leaves out what ChatGPT does not show unless it is asked for', async () => {
    const address = conversationAddress(ofTheme('code-interpreter'), { version: 1 });
    const { text } = await get(address);
    assert.match(text, /<details><summary>Output of python<\/summary>/);
    assert.match(text, /<details><summary>To python<\/summary>/);
    assert.doesNotMatch(text, /Hidden in ChatGPT/);
    assert.match((await get(`${address}&hidden=1`)).text, /Hidden in ChatGPT/);
  });

  it('gives thoughts, searches, canvases and errors a readable form', async () => {
    const textOf = async (theme: string) => (await get(conversationAddress(ofTheme(theme), { version: 1 }))).text;
    assert.match(await textOf('reasoning'), /<summary>Thoughts<\/summary>/);
    assert.match(
      await textOf('browsing'),
      /<figure class="quote"><figcaption><a href="https:\/\/www\.example\.org\/library/,
    );
    assert.match(await textOf('canvas'), /<strong>Canvas: letter<\/strong>/);
    assert.match(await textOf('system-error'), /<strong>Error/);
    assert.match(await textOf('web-search'), /<details class="sources" open>/);
  });

  it('leads from a message to what else stood in its place', async () => {
    const { text } = await get(conversationAddress(ofTheme('edited')));
    const [, link] = /<a href="([^"]+\?through=[^"#]+)#[^"]+" aria-label="The one before"/.exec(text) ?? [];
    assert.ok(link);
    const other = await get(link);
    assert.match(other.text, /This is one of several branches/);
    assert.match(other.text, /aria-label="The one behind"/);
  });

  it('finds the branch that a message is on, by the id of the message alone', async () => {
    const conversation = ofTheme('edited');
    const opened = await scene.catalog?.read(conversation.head, conversation.id);
    const onPath = new Set(opened?.readable.messages.map(({ id }) => id));
    const aside = [...(opened?.conversation.nodes.values() ?? [])].find(
      ({ message }) => message && !onPath.has(message.id),
    );
    assert.ok(aside?.message);
    const { text } = await get(conversationAddress(conversation, { at: aside.message.id }));
    assert.match(text, new RegExp(`id="m-${aside.message.id}"`));
  });

  it('gives the whole text of a message as plain text that can do nothing', async () => {
    const { text } = await get(conversationAddress(ofTheme('plain')));
    const [, address] = /data-text="([^"]+)"/.exec(text) ?? [];
    const answer = await fetch(new URL(String(address).replaceAll('&amp;', '&'), scene.origin));
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('content-type'), 'text/plain; charset=utf-8');
    assert.match(answer.headers.get('content-security-policy') ?? '', /^sandbox;/);
    assert.ok((await answer.text()).length > 10);
  });
});
