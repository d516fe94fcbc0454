/**
 * Writes config/chatkeep.schema.json from the schema of src/config/. With `--check`, writes nothing and ends with exit
 * code 1 if the file is not current.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { argv, stderr } from 'node:process';
import { configJsonSchemaText } from '../src/config/index.ts';

const path = new URL('../config/chatkeep.schema.json', import.meta.url);

if (!argv.includes('--check')) {
  await writeFile(path, configJsonSchemaText());
} else if ((await readFile(path, 'utf8').catch(() => '')) !== configJsonSchemaText()) {
  stderr.write('config/chatkeep.schema.json is not current: run `node scripts/config-schema.ts` and commit it.\n');
  process.exitCode = 1;
}
