/**
 * Takes the pictures of the documentation anew, into docs/screenshots: `npm run screenshots`. They show the letters that
 * this machine has; Debian's packages fonts-noto-core, fonts-droid-fallback and fonts-noto-color-emoji have all.
 */
import { mkdir, readdir, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { PICTURES, takePictures } from '../test/web/screenshots.ts';

const directory = fileURLToPath(new URL('../docs/screenshots/', import.meta.url));

await mkdir(directory, { recursive: true });
for (const name of await readdir(directory)) await rm(`${directory}${name}`);
await takePictures(PICTURES, directory);
process.stdout.write(`${PICTURES.length} pictures are in ${directory}\n`);
