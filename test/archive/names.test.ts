import assert from 'node:assert/strict';
import { isAbsolute, join, relative, win32 } from 'node:path';
import { describe, it } from 'node:test';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { decodeName, NameRegistry, nameProblem } from '../../src/archive/names.ts';

describe('a name in an archive', () => {
  const refused: readonly (readonly [name: string, problem: ReturnType<typeof nameProblem>])[] = [
    ['', 'empty-segment'],
    ['a//b', 'empty-segment'],
    ['a/', 'empty-segment'],
    ['.', 'dot-segment'],
    ['a/./b', 'dot-segment'],
    ['..', 'parent-segment'],
    ['../a', 'parent-segment'],
    ['a/../../b', 'parent-segment'],
    ['/etc/passwd', 'absolute-path'],
    ['//server/share', 'absolute-path'],
    ['\\\\server\\share', 'absolute-path'],
    ['C:\\Windows', 'absolute-path'],
    ['c:a', 'absolute-path'],
    ['a\\b', 'backslash'],
    ['a\0b', 'control-character'],
    ['a\nb', 'control-character'],
    ['a\u0085b', 'control-character'],
    ['a\u007f', 'control-character'],
    ['gpj.\u202etxt', 'bidi-control'],
    ['\u2066a\u2069', 'bidi-control'],
    ['a.txt:stream', 'colon'],
    ['x'.repeat(256), 'segment-too-long'],
    ['é'.repeat(128), 'segment-too-long'],
    [`${'abc/'.repeat(1024)}d`, 'path-too-long'],
    ['a.', 'trailing-dot-or-space'],
    ['a /b', 'trailing-dot-or-space'],
    ['...', 'trailing-dot-or-space'],
    ['CON', 'device-name'],
    ['a/nul.json', 'device-name'],
    ['Com1 .txt', 'device-name'],
    ['LPT¹', 'device-name'],
    ['CONIN$', 'device-name'],
    ['.chatkeep/snapshot.json', 'reserved-name'],
    ['.ChatKeep', 'reserved-name'],
    ['.chat\u200ckeep/SHA256SUMS', 'reserved-name'],
    ['.chatKeep/x', 'reserved-name'],
    ['a\ud800', 'invalid-utf8'],
  ];
  for (const [name, problem] of refused) {
    it(`is refused as ${problem}: ${JSON.stringify(name.length > 40 ? `${name.slice(0, 20)}…` : name)}`, () => {
      assert.equal(nameProblem(name), problem);
    });
  }

  const kept = [
    'chat.html',
    'conversations-000.json',
    'file-abc-My Screenshot 2026-01-02 at 3.04.05\u202fPM.png',
    'a#b?.png',
    '😀/日本語.txt',
    '.hidden',
    'a..b',
    'x'.repeat(255),
    'sub/.chatkeep/x',
    'console.log',
    'com10',
    'WhatsApp\u200e.jpg',
  ];
  for (const name of kept) {
    it(`is kept as it is: ${JSON.stringify(name.slice(0, 60))}`, () => {
      assert.equal(nameProblem(name), undefined);
    });
  }

  it('without a problem never leads out of the directory, on POSIX and on Windows', () => {
    const part = fc.oneof(
      fc.constantFrom('..', '.', '', '/', '\\', 'C:', 'a', ' ', 'CON', '.chatkeep', '\u202e', '~', 'é'),
      fc.string({ unit: 'binary', maxLength: 4 }),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), fc.constantFrom('', '/'), (parts, glue) => {
        const name = parts.join(glue);
        if (nameProblem(name) !== undefined) return;
        assert.equal(join('/target', name), `/target/${name}`);
        assert.equal(isAbsolute(relative('/target', join('/target', name))), false);
        assert.equal(win32.relative('D:\\target', win32.resolve('D:\\target', name)), name.replaceAll('/', '\\'));
        assert.notEqual(name.split('/')[0]?.toLowerCase(), '.chatkeep');
      }),
      { numRuns: 2000 },
    );
  });
});

describe('the names of one archive', () => {
  const collide = (...names: [path: string, kind: 'file' | 'directory'][]) => {
    const registry = new NameRegistry();
    return names.map(([path, kind]) => registry.add(path, kind)?.problem).find((problem) => problem !== undefined);
  };

  it('collide when they are the same', () => {
    assert.equal(collide(['a', 'file'], ['a', 'file']), 'duplicate-name');
  });

  it('collide when they differ in case only, also in a directory above', () => {
    assert.equal(collide(['a/B.txt', 'file'], ['a/b.TXT', 'file']), 'case-collision');
    assert.equal(collide(['Dir/a', 'file'], ['dir/b', 'file']), 'case-collision');
    assert.equal(collide(['straße', 'file'], ['STRASSE', 'file']), 'case-collision');
    assert.equal(collide(['ς', 'file'], ['σ', 'file']), 'case-collision');
    // The long s and the sign for kelvin are no ASCII, and yet the same as letters that are.
    assert.equal(collide(['Glas', 'file'], ['glaſ', 'file']), 'case-collision');
    assert.equal(collide(['\u212a', 'file'], ['k', 'file']), 'case-collision');
  });

  it('collide when they differ in Unicode form only', () => {
    assert.equal(collide(['caf\u00e9', 'file'], ['cafe\u0301', 'file']), 'unicode-collision');
  });

  it('collide when one is a file and the other a directory', () => {
    assert.equal(collide(['a', 'file'], ['a/b', 'file']), 'file-against-directory');
    assert.equal(collide(['a/b/c', 'file'], ['a/b', 'file']), 'file-against-directory');
    assert.equal(collide(['a', 'directory'], ['A', 'file']), 'file-against-directory');
  });

  it('do not collide when a directory is named again, or implied before it is named', () => {
    assert.equal(collide(['a/b', 'file'], ['a', 'directory'], ['a', 'directory'], ['a/c', 'file']), undefined);
  });

  it('give all directories, those above first', () => {
    const registry = new NameRegistry();
    for (const path of ['z/y/x.json', 'z/a.json', 'b-c/d', 'b/c/d']) registry.add(path, 'file');
    registry.add('empty/inside', 'directory');
    assert.deepEqual(registry.directories(), ['b', 'b-c', 'b/c', 'empty', 'empty/inside', 'z', 'z/y']);
  });

  it('collide if and only if a file system without case would mix them up, whatever the order', () => {
    const segment = fc.constantFrom('a', 'A', 'b', '\u00e9', 'e\u0301');
    const path = fc.array(segment, { minLength: 1, maxLength: 3 }).map((segments) => segments.join('/'));
    fc.assert(
      fc.property(fc.array(path, { maxLength: 6 }), (paths) => {
        const found = collide(...paths.map((each): [string, 'file'] => [each, 'file'])) !== undefined;
        const files = paths.map((each) => each.normalize('NFC').toLowerCase());
        const spellings = new Map<string, string>();
        let expected = new Set(files).size < files.length;
        for (const each of paths) {
          const segments = each.split('/');
          for (let depth = 1; depth < segments.length; depth += 1) {
            const directory = segments.slice(0, depth).join('/');
            const key = directory.normalize('NFC').toLowerCase();
            expected ||= files.includes(key) || (spellings.get(key) ?? directory) !== directory;
            spellings.set(key, directory);
          }
        }
        assert.equal(found, expected);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('the bytes of a name', () => {
  const UTF8 = 0x0800;

  it('are UTF-8 where the entry says so', () => {
    assert.equal(decodeName(Buffer.from('é\u202f😀.png'), UTF8, []), 'é\u202f😀.png');
  });

  it('are no name where the entry says UTF-8, and they are not', () => {
    assert.equal(decodeName(Buffer.from([0x61, 0xff]), UTF8, []), undefined);
    assert.equal(decodeName(Buffer.from([0xc0, 0xae, 0xc0, 0xae]), UTF8, []), undefined);
  });

  it('are UTF-8 without being said so where they are valid, else CP437', () => {
    assert.equal(decodeName(Buffer.from('é.png'), 0, []), 'é.png');
    assert.equal(decodeName(Buffer.from([0x82, 0x2e, 0x70]), 0, []), 'é.p');
  });

  it('keep a byte order mark, so that two names stay two', () => {
    assert.equal(decodeName(Buffer.from('\ufeffa'), UTF8, []), '\ufeffa');
  });

  it('are replaced by the Unicode path field only if its checksum is that of the name', () => {
    const raw = Buffer.from('caf?.txt');
    const field = (crc: number) => {
      const head = Buffer.from([1, 0, 0, 0, 0]);
      head.writeUInt32LE(crc, 1);
      return [{ id: 0x7075, data: Buffer.concat([head, Buffer.from('café.txt')]) }];
    };
    assert.equal(decodeName(raw, 0, field(crc32(raw))), 'café.txt');
    assert.equal(decodeName(raw, 0, field(crc32(raw) ^ 1)), 'caf?.txt');
  });
});
