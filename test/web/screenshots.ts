import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { Gallery, NOW } from './gallery.ts';

/** A picture of the documentation. */
export interface Picture {
  /** Without the directory. */
  readonly file: string;
  /** In the gallery. */
  readonly exhibit: string | RegExp;
  readonly colorScheme?: 'dark';
  readonly phone?: true;
  /** What is to be seen in the middle, instead of the page's beginning. */
  readonly around?: string;
}

export const SCREEN = { width: 1200, height: 800 };
export const PHONE = { width: 390, height: 844 };

/** All pictures there are. */
export const PICTURES: readonly Picture[] = [
  { file: 'status.png', exhibit: 'status' },
  { file: 'conversations.png', exhibit: 'conversations' },
  { file: 'search.png', exhibit: 'search' },
  { file: 'conversation.png', exhibit: /both in one answer/, around: '.message:has(math) .code' },
  { file: 'deleted-conversation.png', exhibit: 'deleted conversation' },
  { file: 'snapshots.png', exhibit: 'snapshots' },
  { file: 'comparison.png', exhibit: 'comparison' },
  { file: 'activity-dark.png', exhibit: 'activity', colorScheme: 'dark' },
  { file: 'conversation-phone.png', exhibit: 'deleted conversation', phone: true },
];

/** Takes these pictures from the simulator's accounts, at an hour that is always the same, into the directory. */
export async function takePictures(pictures: readonly Picture[], directory: string): Promise<void> {
  await using gallery = await Gallery.open();
  for (const { file, exhibit, colorScheme = 'light', phone, around } of pictures) {
    const found = gallery.exhibit(exhibit);
    const page = await gallery.visit(found, {
      colorScheme,
      viewport: phone === true ? PHONE : SCREEN,
      reducedMotion: 'reduce',
    });
    await page.clock.setFixedTime(NOW);
    await found.open(page);
    if (around !== undefined) await scrollTo(page, around);
    await page.screenshot({ path: join(directory, file), animations: 'disabled', caret: 'hide' });
    await page.context().close();
  }
}

async function scrollTo(page: Page, selector: string): Promise<void> {
  await page
    .locator(selector)
    .first()
    .evaluate((element: { scrollIntoView(to: { block: 'center' }): void }) =>
      element.scrollIntoView({ block: 'center' }),
    );
}
