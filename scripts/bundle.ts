/**
 * Puts what the main process runs, packages included, into few files: dist/cli/program.js and the chunks beside it. Of a
 * thousand modules Node keeps each one's text and its own account of it in memory: 20 MB in the service. Threads and
 * processes of ours have few modules, and run as tsc has compiled them.
 */
import { readFile, rename, rm } from 'node:fs/promises';
import { createRequire, isBuiltin } from 'node:module';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';

const DIST = fileURLToPath(new URL('../dist/', import.meta.url));
const CLI = join(DIST, 'cli');
/** As deep as `cli/`, so that places are told alike from both. */
const BUNDLED = join(DIST, 'bundled');

/** What lies beside a module (threads, styles, package.json) is looked for where tsc has put that module. */
const placesOfModules: Plugin = {
  name: 'places-of-modules',
  setup({ onLoad }) {
    onLoad({ filter: /\/dist\/.*\.js$/ }, async ({ path }) => {
      if (!path.startsWith(DIST)) return undefined;
      const text = await readFile(path, 'utf8');
      const place = JSON.stringify(relative(CLI, path));
      return { contents: text.replaceAll('import.meta.url', `new URL(${place}, import.meta.url).href`) };
    });
  },
};

/**
 * A package that is imported when it is needed first has the names that Node gives it. Of one that is no ES module, esbuild
 * would export nothing but `default` to such an import.
 */
const packagesImportedLate: Plugin = {
  name: 'packages-imported-late',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^[^./]/ }, ({ kind, path, resolveDir }) =>
      kind === 'dynamic-import' && !isBuiltin(path) ? { path, namespace: 'late', pluginData: resolveDir } : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'late' }, async ({ path, pluginData }) => {
      const all = Object.keys(await import(path));
      const names = all.filter((name) => /^[A-Za-z_$][\w$]*$/.test(name) && name !== 'default');
      const contents = [
        `import * as all from ${JSON.stringify(path)};`,
        `export const { ${names.join(', ')} } = all;`,
        all.includes('default') ? 'export default all.default;' : '',
      ].join('\n');
      return { contents, resolveDir: String(pluginData) };
    });
  },
};

/** Tables of character sets that few mails and folders are written in. The two take 4 MB of memory once they are there. */
const SELDOM_NEEDED = ['iconv-lite', 'encoding-japanese'];

/** These packages, which others ask for as soon as they are loaded, are files of their own, read when something of them is used. */
const packagesNeededSeldom: Plugin = {
  name: 'packages-needed-seldom',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: new RegExp(`^(${SELDOM_NEEDED.join('|')})$`) }, ({ path, resolveDir }) => {
      const isTheOne = createRequire(join(resolveDir, 'importer')).resolve(path) === require.resolve(path);
      return isTheOne ? { path, namespace: 'seldom' } : undefined;
    });
    onLoad({ filter: /.*/, namespace: 'seldom' }, ({ path }) => ({
      contents: `
        const file = ${JSON.stringify(`./${path}.cjs`)};
        module.exports = new Proxy({}, { get: (_, name) => (name === '__esModule' ? undefined : require(file)[name]) });
      `,
    }));
  },
};

const require = createRequire(import.meta.url);
const COMMON = {
  outdir: BUNDLED,
  bundle: true,
  platform: 'node',
  target: 'node24',
  // Names stay, for whoever reads the trace of an error.
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'none',
  logLevel: 'warning',
} as const;

await build({ ...COMMON, entryPoints: SELDOM_NEEDED, format: 'cjs', outExtension: { '.js': '.cjs' } });
await build({
  ...COMMON,
  entryPoints: [join(CLI, 'program.js')],
  splitting: true,
  format: 'esm',
  plugins: [placesOfModules, packagesImportedLate, packagesNeededSeldom],
  // Packages that are no ES modules ask for Node's own by it.
  banner: { js: "import{createRequire as requireFrom}from'node:module';const require=requireFrom(import.meta.url);" },
});
// The first line of main.js has the flags that Node is started with.
await rename(join(CLI, 'main.js'), join(BUNDLED, 'main.js'));
await rm(CLI, { recursive: true });
await rename(BUNDLED, CLI);
