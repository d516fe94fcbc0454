import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { foldersToWatch, type ListedFolder } from '../../src/mailbox/index.ts';

function folder(path: string, flags: string[] = [], use?: string): ListedFolder {
  return { path, name: path.split('/').at(-1) ?? '', flags: new Set(flags), use };
}

describe('The folders to watch', () => {
  it('are the inbox alone where there is nothing else, or the server tells nothing', () => {
    assert.deepEqual(foldersToWatch([]), ['INBOX']);
    assert.deepEqual(foldersToWatch([folder('INBOX'), folder('Notes')]), ['INBOX']);
  });

  it('are, at Gmail, the inbox, spam and all mail, in whatever language', () => {
    const listed = [
      folder('INBOX'),
      folder('[Gmail]', ['\\Noselect']),
      folder('[Gmail]/Alle Nachrichten', ['\\All', '\\HasNoChildren']),
      folder('[Gmail]/Papierkorb', ['\\Trash']),
      folder('[Gmail]/Spam', ['\\Junk']),
    ];
    assert.deepEqual(foldersToWatch(listed), ['INBOX', '[Gmail]/Spam', '[Gmail]/Alle Nachrichten']);
  });

  it('are known by what XLIST said, too', () => {
    const listed = [folder('Pošta', ['\\Spam']), folder('Všechny', ['\\AllMail'])];
    assert.deepEqual(foldersToWatch(listed), ['INBOX', 'Pošta', 'Všechny']);
  });

  it('are found by their usual names where no folder is marked', () => {
    for (const name of ['Spam', 'Junk', 'Junk E-mail', 'JUNK EMAIL', 'Bulk', 'INBOX/Bulk Mail']) {
      assert.deepEqual(foldersToWatch([folder('INBOX'), folder(name)]), ['INBOX', name]);
    }
    const localised = [folder('INBOX'), folder('Pourriel', [], '\\Junk')];
    assert.deepEqual(foldersToWatch(localised), ['INBOX', 'Pourriel']);
  });

  it('are not guessed by name where one is marked', () => {
    const listed = [folder('Spam'), folder('Unerwünscht', ['\\Junk'])];
    assert.deepEqual(foldersToWatch(listed), ['INBOX', 'Unerwünscht']);
  });

  it('never hold the trash, a folder that cannot be opened, or one of them twice', () => {
    const listed = [
      folder('Trash', ['\\Trash']),
      folder('Junk', ['\\Junk', '\\Noselect']),
      folder('Everything', ['\\All', '\\Junk']),
      folder('inbox', ['\\All']),
    ];
    assert.deepEqual(foldersToWatch(listed), ['INBOX', 'Everything']);
  });
});
