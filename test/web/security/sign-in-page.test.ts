import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import { startBrowser, WebScene } from '../scene.ts';

const PASSWORD = 'open sesame';

let browser: Browser;
let scene: WebScene;
before(async () => {
  browser = await startBrowser();
  scene = await WebScene.open({ password: PASSWORD });
});
after(async () => {
  await scene[Symbol.asyncDispose]();
  await browser.close();
});

describe('A person who signs in', () => {
  for (const javaScriptEnabled of [true, false]) {
    it(`comes to the page they wanted, and out again, ${javaScriptEnabled ? 'with' : 'without'} JavaScript`, async () => {
      const page = await browser.newPage({ javaScriptEnabled });
      const complaints: string[] = [];
      // That a wrong password is refused is a line of the browser's own.
      page.on('console', (message) => complaints.push(message.text()));
      await page.goto(`${scene.origin}/conversations`);
      if (javaScriptEnabled) assert.equal(await page.evaluate('document.activeElement.id'), 'password');
      await page.getByLabel('Password').fill('not it');
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByRole('alert').getByText('This is not the password.').waitFor();
      await page.getByLabel('Password').fill(PASSWORD);
      await page.keyboard.press('Enter');
      await page.waitForURL(`${scene.origin}/conversations`);
      await page.goto(`${scene.origin}/sign-in`);
      assert.equal(page.url(), `${scene.origin}/`);
      const cookies = await page.context().cookies();
      assert.deepEqual(
        cookies.map(({ name, httpOnly, sameSite, secure }) => ({ name, httpOnly, sameSite, secure })),
        [{ name: 'chatkeep', httpOnly: true, sameSite: 'Lax', secure: false }],
      );
      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.waitForURL(`${scene.origin}/sign-in`);
      await page.goto(`${scene.origin}/conversations`);
      assert.equal(page.url(), `${scene.origin}/sign-in?to=%2Fconversations`);
      assert.deepEqual(
        complaints.filter((line) => !line.includes('401 (Unauthorized)')),
        [],
      );
      await page.context().clearCookies();
      await page.close();
    });
  }

  it('is not signed in by a page of another site', async () => {
    const page = await browser.newPage();
    // The same machine by another name is another site.
    await page.route('http://evil.localhost/**', (route) =>
      route.fulfill({
        contentType: 'text/html',
        body: `<form method="post" action="${scene.origin}/sign-in"><input name="password" value="${PASSWORD}"><button>Win</button></form>`,
      }),
    );
    await page.goto('http://evil.localhost/');
    await page.getByRole('button', { name: 'Win' }).click();
    await page.getByText('This was not sent by a page of Chatkeep').waitFor();
    assert.deepEqual(await page.context().cookies(scene.origin), []);
    await page.close();
  });
});
