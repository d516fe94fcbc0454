import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readConversation } from '../../../src/chatgpt/conversation/conversation.ts';
import { branchesOf, mainPath, messagesOf } from '../../../src/chatgpt/index.ts';
import { isObject } from '../../../src/chatgpt/json/values.ts';

type Nodes = Readonly<Record<string, unknown>>;

function node(id: string, parent: string | null, time = 1): unknown {
  const message = { id, author: { role: 'user' }, create_time: time, content: { content_type: 'text', parts: [id] } };
  return { id, parent, message, children: [] };
}

function read(mapping: Nodes, more: Nodes = {}) {
  const noticed: string[] = [];
  const notice = (reason: string, detail: string) => void noticed.push(`${reason} ${detail}`);
  const conversation = readConversation({ id: 'c', mapping, ...more }, notice);
  return { conversation, noticed, path: () => mainPath(conversation, notice).map(({ id }) => id) };
}

describe('The main path', () => {
  const tree = {
    root: { id: 'root', parent: null, message: null },
    a: node('a', 'root'),
    b: node('b', 'a', 2),
    b2: node('b2', 'a', 3),
  };

  it('leads from the root to the current node, and leaves the other branches aside', () => {
    const { conversation, path, noticed } = read(tree, { current_node: 'b' });
    assert.deepEqual([path(), noticed], [['a', 'b'], []]);
    assert.deepEqual(
      messagesOf(conversation).map(({ id }) => id),
      ['a', 'b', 'b2'],
    );
    assert.equal(branchesOf(conversation), 1);
  });

  it('leads to the newest leaf where no current node is known', () => {
    for (const current of [undefined, null, 3, 'gone']) {
      const { path, noticed } = read(tree, { current_node: current });
      assert.deepEqual([path(), noticed], [['a', 'b2'], ['current-node-missing c']]);
    }
  });

  it('ends where a parent is not there, and in a circle', () => {
    const dangling = read({ a: node('a', 'gone'), b: node('b', 'a') }, { current_node: 'b' });
    assert.deepEqual([dangling.path(), dangling.noticed], [['a', 'b'], ['path-dangling gone']]);
    const circular = read({ a: node('a', 'c'), b: node('b', 'a'), c: node('c', 'b') }, { current_node: 'c' });
    assert.deepEqual([circular.path(), circular.noticed], [['a', 'b', 'c'], ['path-circular c']]);
    const nowhere = read({ a: node('a', 'a') });
    assert.deepEqual(nowhere.path(), ['a']);
  });

  it('may be 100,000 messages long', () => {
    const long = Object.fromEntries(
      Array.from({ length: 100_000 }, (_, index) => [
        `n${index}`,
        node(`n${index}`, index === 0 ? null : `n${index - 1}`, index),
      ]),
    );
    assert.equal(read(long, { current_node: 'n99999' }).path().length, 100_000);
    assert.equal(read(long).path().length, 100_000);
  });

  it('knows nodes by their own ids alone, whatever these are', () => {
    const hostile = JSON.parse(
      '{"__proto__":{"parent":"constructor","message":null},"toString":{"parent":"__proto__"}}',
    );
    assert.ok(isObject(hostile));
    const { path, conversation } = read(hostile, { current_node: 'toString' });
    assert.deepEqual([path(), conversation.nodes.size], [[], 2]);
  });
});

describe('A conversation of a schema that is not known', () => {
  it('is read as far as it goes, and never throws', () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.constantFrom('a', 'b', 'c', '__proto__'),
          fc.oneof(
            fc.jsonValue(),
            fc.record({
              parent: fc.oneof(fc.constantFrom('a', 'b', 'c'), fc.jsonValue()),
              message: fc.oneof(
                fc.jsonValue(),
                fc.record({
                  id: fc.oneof(fc.string(), fc.jsonValue()),
                  author: fc.oneof(
                    fc.record({ role: fc.oneof(fc.constantFrom('user', 'robot'), fc.jsonValue()) }),
                    fc.jsonValue(),
                  ),
                  create_time: fc.jsonValue(),
                  metadata: fc.oneof(
                    fc.jsonValue(),
                    fc.record({ attachments: fc.jsonValue(), content_references: fc.jsonValue() }),
                  ),
                  content: fc.oneof(
                    fc.jsonValue(),
                    fc.record({
                      content_type: fc.oneof(fc.constantFrom('text', 'code', 'thoughts', 'toString'), fc.jsonValue()),
                      parts: fc.jsonValue(),
                      text: fc.jsonValue(),
                    }),
                  ),
                }),
              ),
            }),
          ),
        ),
        fc.dictionary(
          fc.constantFrom('id', 'title', 'create_time', 'current_node', 'is_archived', 'voice'),
          fc.jsonValue(),
        ),
        (mapping, rest) => {
          const { conversation, path, noticed } = read(mapping, rest);
          assert.ok(path().length <= messagesOf(conversation).length);
          const expected = Object.values(mapping).filter(
            (value) => !isObject(value) || (value.message !== null && value.message !== undefined),
          );
          const unread = noticed.filter((one) => one.startsWith('message-not-understood')).length;
          assert.equal(messagesOf(conversation).length + unread, expected.length, 'each message is read or reported');
        },
      ),
      { numRuns: 500 },
    );
  });

  it('tells which roles and contents are not known, and shows what is readable in them', () => {
    const message = {
      author: { role: 'robot' },
      content: { content_type: 'hologram', scene: { caption: 'A cat', asset_pointer: 'x://y' }, frames: ['first', 2] },
    };
    const { conversation, noticed } = read({ a: { parent: null, message } });
    assert.deepEqual(noticed, ['role-not-understood robot', 'content-not-understood hologram']);
    const [one] = messagesOf(conversation);
    assert.deepEqual([one?.id, one?.role, one?.authorName], ['a', 'other', 'robot']);
    assert.deepEqual(one?.parts, [{ kind: 'unknown', type: 'hologram', text: 'A cat\nfirst' }]);
  });

  it('takes a content type for multimodal text if it has parts', () => {
    const content = {
      content_type: 'text_v2',
      parts: ['Hello', { content_type: 'image_asset_pointer', asset_pointer: 'sediment://file_1' }],
    };
    const { conversation, noticed } = read({ a: { parent: null, message: { author: { role: 'user' }, content } } });
    assert.deepEqual(
      messagesOf(conversation)[0]?.parts.map(({ kind }) => kind),
      ['text', 'image'],
    );
    assert.deepEqual(noticed, []);
  });

  it('has a flag undefined where the schema does not say', () => {
    assert.equal(read({}).conversation.archived, undefined);
    assert.equal(read({}, { is_archived: true }).conversation.archived, true);
    assert.equal(read({}, { is_starred: null }).conversation.starred, false);
  });
});
