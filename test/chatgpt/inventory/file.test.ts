import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { compareInventories, readInventory, takeInventory, writeInventory } from '../../../src/chatgpt/index.ts';
import { createAccount } from '../../support/openai/exports/index.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { unpackedExport } from '../unpacked.ts';

const account = createAccount({ seed: 'filed', conversations: 60 });

describe('The file of an inventory', () => {
  it('holds all of it', async () => {
    await using directory = await tempDir();
    const path = join(directory.path, 'inventory.jsonl');
    for (const kind of ['G2', 'G4', 'G5', 'portal'] as const) {
      await using unpacked = await unpackedExport(account, kind);
      const inventory = await takeInventory(unpacked.path);
      await writeInventory(path, inventory);
      const again = await readInventory(path);
      assert.deepEqual(again, inventory);
      assert.ok(again !== undefined);
      assert.equal(compareInventories(inventory, again).conversations.unchanged, 60);
    }
    assert.equal((await stat(path)).mode & 0o777, 0o600);
  });

  it('is compact: some 24 bytes a message, and holds none of what was said', async () => {
    await using directory = await tempDir();
    await using unpacked = await unpackedExport(account, 'G4', { conversationsBytes: 3_000_000 });
    const path = join(directory.path, 'inventory.jsonl');
    const inventory = await takeInventory(unpacked.path);
    await writeInventory(path, inventory);
    const perMessage = (await stat(path)).size / inventory.counts.messages;
    assert.ok(perMessage < 60, `${perMessage} bytes a message`);
    assert.ok(!(await readFile(path, 'utf8')).includes('Can you explain this'));
  });

  it('that is missing, cut short, broken or of another form is taken for none', async () => {
    await using directory = await tempDir();
    await using unpacked = await unpackedExport(createAccount({ seed: 'short', conversations: 3 }), 'G5');
    const path = join(directory.path, 'inventory.jsonl');
    assert.equal(await readInventory(path), undefined);
    await writeInventory(path, await takeInventory(unpacked.path));
    const text = await readFile(path, 'utf8');
    const lines = text.trimEnd().split('\n');
    const others = [
      '',
      lines.slice(0, -1).join('\n'),
      [...lines.slice(0, 2), ...lines.slice(3)].join('\n'),
      text.slice(0, text.length / 2),
      text.replace('"inventory":1', '"inventory":2'),
      text.replace('"messages":"', '"messages":"AAAA'),
      'null',
    ];
    for (const other of others) {
      await writeFile(path, other);
      assert.equal(await readInventory(path), undefined, other.slice(0, 80));
    }
  });
});
