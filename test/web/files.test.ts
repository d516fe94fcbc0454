import assert from 'node:assert/strict';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileAddress } from '../../src/web/addresses.ts';
import { contentDisposition } from '../../src/web/disposition.ts';
import { rangeOf } from '../../src/web/range.ts';
import { WebScene } from './scene.ts';

const STAMP = '2026-06-21T19:05:33Z';
const SNAPSHOT = '2026-06-21T190533Z';
const PNG = Buffer.from('\x89PNG\r\n\x1a\n and some more', 'latin1');
const [picture, drawing, odd] = [
  'file-AAAAAAAAAAAAAAAAAAAAAA.dat',
  'file-BBBBBBBBBBBBBBBBBBBBBB-a.svg',
  'file-CC-a #%3F b.txt',
];

describe('The files of a snapshot', () => {
  let scene: WebScene;
  const account = 'files@example.com';

  before(async () => {
    scene = await WebScene.open();
    await scene.takeFiles(
      {
        'conversations.json': '[]',
        'user.json': JSON.stringify({ id: 'user-x', email: account }),
        'chat.html': '<script>document.title = "ran"</script>',
        [picture]: PNG,
        [drawing]: '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
        [odd]: 'text',
      },
      STAMP,
    );
  });
  after(() => scene?.[Symbol.asyncDispose]());

  const get = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    fetch(`${scene.origin}${path}`, { headers, method, redirect: 'manual' });
  const of = (path: string, query = {}) => fileAddress(account, SNAPSHOT, path, query);

  it('are served as what their bytes are, to be shown and nothing else', async () => {
    const answer = await get(of(picture));
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('content-type'), 'image/png');
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
    assert.match(answer.headers.get('content-security-policy') ?? '', /^sandbox; default-src 'none'/);
    assert.deepEqual(Buffer.from(await answer.arrayBuffer()), PNG);
  });

  it('are only to be saved where a browser could run them', async () => {
    for (const path of [drawing, odd, 'user.json']) {
      const answer = await get(of(path));
      assert.equal(answer.headers.get('content-type'), 'application/octet-stream', path);
      assert.match(answer.headers.get('content-disposition') ?? '', /^attachment; /, path);
    }
  });

  it('are found where the account is called like the place of files in addresses', async () => {
    await using other = await WebScene.open();
    await other.takeFiles({ 'conversations.json': '[]', 'user.json': JSON.stringify({ email: 'files' }) }, STAMP);
    const answer = await fetch(`${other.origin}${fileAddress('files', SNAPSHOT, 'user.json')}`);
    assert.equal(await answer.text(), '{"email":"files"}');
  });

  it('are found by names with characters that mean something in addresses', async () => {
    assert.equal(await (await get(of(odd))).text(), 'text');
  });

  it('are served in ranges, and not at all to those who have them', async () => {
    const part = await get(of(picture), { range: 'bytes=1-3' });
    assert.equal(part.status, 206);
    assert.equal(part.headers.get('content-range'), `bytes 1-3/${PNG.length}`);
    assert.equal(await part.text(), 'PNG');
    assert.equal((await get(of(picture), { range: 'bytes=999-' })).status, 416);
    const etag = part.headers.get('etag') ?? '';
    assert.match(etag, /^"[0-9a-f]{64}"$/);
    assert.equal((await get(of(picture), { 'if-none-match': etag })).status, 304);
    assert.equal((await get(of(picture), { range: 'bytes=1-3', 'if-range': '"other"' })).status, 200);
    assert.equal((await get(of(picture), {}, 'HEAD')).headers.get('content-length'), String(PNG.length));
  });

  it('are those that SHA256SUMS lists, and no others', async () => {
    const directory = join(scene.config.backupDir, account, SNAPSHOT);
    await symlink('/etc/passwd', join(directory, 'file-DD.txt'));
    const strange = [
      ...['file-DD.txt', '.chatkeep/snapshot.json', '.chatkeep/SHA256SUMS', '../user.json', '..%2f..%2fREADME.txt'],
      ...['%2e%2e/%2e%2e/README.txt', '/etc/passwd', '%00', '', 'nothing', '..%5c..%5cREADME.txt'],
    ];
    const root = `/snapshots/${encodeURIComponent(account)}`;
    for (const path of strange) assert.equal((await get(`${root}/${SNAPSHOT}/files/${path}`)).status, 404, path);
    for (const place of [
      `${root}/latest`,
      `${root}/..%2f..`,
      '/snapshots/%2e%2e%2f/x',
      `/snapshots/.chatkeep/${SNAPSHOT}`,
    ])
      assert.notEqual((await get(`${place}/files/user.json`)).status, 200, place);
  });

  it('have the page of the export among them, which is shown in its frame and nowhere else', async () => {
    assert.equal(
      (await get(of('chat.html'))).headers.get('location'),
      `/snapshots/${encodeURIComponent(account)}/${SNAPSHOT}/chat`,
    );
    const framed = await get(of('chat.html'), { 'sec-fetch-dest': 'iframe', 'sec-fetch-site': 'same-origin' });
    assert.match(framed.headers.get('content-security-policy') ?? '', /^sandbox allow-scripts; default-src 'none'/);
    assert.match(
      await (await get(`/snapshots/${account}/${SNAPSHOT}/chat`)).text(),
      /<iframe class="chat" sandbox="allow-scripts"/,
    );
  });
});

describe('A range that is asked for', () => {
  it('is one stretch of the file, or the whole, or not there', () => {
    assert.deepEqual(rangeOf('bytes=0-', 10), { first: 0, last: 9 });
    assert.deepEqual(rangeOf('bytes=2-5', 10), { first: 2, last: 5 });
    assert.deepEqual(rangeOf('bytes=2-500', 10), { first: 2, last: 9 });
    assert.deepEqual(rangeOf('bytes=-3', 10), { first: 7, last: 9 });
    assert.deepEqual(rangeOf('bytes=-30', 10), { first: 0, last: 9 });
    for (const header of [
      undefined,
      '',
      'bytes=-',
      'bytes=5-2',
      'bytes=0-1,3-4',
      'items=0-1',
      'bytes=a-b',
      'bytes=1e3-',
    ])
      assert.equal(rangeOf(header, 10), undefined, header);
    for (const header of ['bytes=10-', 'bytes=-0', 'bytes=99-100'])
      assert.equal(rangeOf(header, 10), 'not-there', header);
    assert.equal(rangeOf('bytes=0-', 0), 'not-there');
  });
});

describe('The name that a file is saved under', () => {
  it('is one line whatever it holds, and leads nowhere', () => {
    for (const name of [
      'a"b.txt',
      'a\r\nSet-Cookie: x',
      '../../etc/passwd',
      'a\u202egpj.exe',
      '\ud800',
      '',
      '...',
      'x'.repeat(9_999),
      'Überblick 微信.png',
    ])
      assert.match(
        contentDisposition('attachment', name),
        /^attachment; filename="[^"\\/\r\n]+"; filename\*=UTF-8''[\w.~!$&+^`|%-]+$/,
        name,
      );
    assert.equal(
      contentDisposition('inline', 'Köln 1.png'),
      `inline; filename="K_ln 1.png"; filename*=UTF-8''K%C3%B6ln%201.png`,
    );
  });
});
