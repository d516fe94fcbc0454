import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { ZipFile } from 'yazl';
import { Catalog, updateCatalog } from '../../src/catalog/index.ts';
import { catalogDirectory, catalogSources } from '../../src/cataloging.ts';
import { compareSnapshots } from '../../src/comparing.ts';
import { type Config, loadConfig } from '../../src/config/index.ts';
import { importFiles } from '../../src/importer.ts';
import { type Clock, systemClock } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { Secret } from '../../src/lib/secret.ts';
import { listenAt } from '../../src/listener.ts';
import { gatherStatus, overviewOf } from '../../src/overview/index.ts';
import { webApp } from '../../src/web/app.ts';
import { Access, type WebSources } from '../../src/web/index.ts';
import { type AccountModel, type ExportKind, writeExport } from '../support/openai/exports/index.ts';
import { tempDir } from '../support/temp-dir.ts';

const signal = new AbortController().signal;

interface SceneOptions extends Partial<WebSources> {
  readonly password?: string;
}

/** A backup directory that is filled by the real import, with its catalog, behind the real page on a loopback port. */
export class WebScene implements AsyncDisposable {
  readonly config: Config;
  readonly origin: string;
  /** The paths that something is to be had from, as the web page has them. */
  readonly paths: readonly string[];
  readonly #directory: string;
  readonly #clock: Clock;
  readonly #stack: AsyncDisposableStack;
  #catalog: Catalog | undefined;

  private constructor(
    config: Config,
    at: {
      readonly origin: string;
      readonly paths: readonly string[];
      readonly directory: string;
      readonly clock: Clock;
    },
    stack: AsyncDisposableStack,
  ) {
    this.config = config;
    this.origin = at.origin;
    this.paths = at.paths;
    this.#directory = at.directory;
    this.#clock = at.clock;
    this.#stack = stack;
  }

  /** Open to everybody, or with a password; with sources of the test's own in the place of some. */
  static async open({ password, clock = systemClock, ...replaced }: SceneOptions = {}): Promise<WebScene> {
    await using stack = new AsyncDisposableStack();
    const { path } = stack.use(await tempDir());
    const { config } = await loadConfig({
      env: { CHATKEEP_BACKUP_DIR: join(path, 'backups'), CHATKEEP_STATE_DIR: join(path, 'state') },
    });
    await mkdir(config.backupDir);
    let scene: WebScene | undefined;
    const sources: WebSources = {
      backupDir: config.backupDir,
      catalogDirectory: catalogDirectory(config),
      catalog: () => scene?.catalog,
      clock,
      logger: silentLogger,
      compare: (older, newer, stop) =>
        compareSnapshots(older, newer, { stateDir: config.stateDir, logger: silentLogger, signal: stop }),
      status: async () => {
        const now = clock.now();
        return overviewOf(await gatherStatus(config, { heartbeat: undefined, journal: undefined }, now), now);
      },
      captures: async () => [],
      uploads: { freeBytes: async () => 1e12, take: () => Promise.reject(new Error('nothing is taken in here')) },
      signal,
      ...replaced,
    };
    const access = await Access.open({
      ...sources,
      proxies: [],
      password: password === undefined ? undefined : new Secret(password),
      sessionsPath: join(path, 'web-sessions.json'),
    });
    const app = webApp({ sources, access, names: { hosts: [] } });
    const listener = stack.use(await listenAt({ host: '127.0.0.1', port: 0 }, app));
    const origin = `http://127.0.0.1:${listener.port}`;
    const paths = app.routes.filter(({ method }) => method === 'GET').map((route) => route.path);
    scene = new WebScene(config, { origin, paths, directory: path, clock }, stack.move());
    return scene;
  }

  get catalog(): Catalog | undefined {
    this.#catalog ??= Catalog.open(catalogDirectory(this.config));
    return this.#catalog;
  }

  /** As the service does when it starts. */
  async makeDirectories(): Promise<void> {
    await mkdir(this.config.backupDir, { recursive: true });
  }

  /** Takes an export of the account in, as `chatkeep import` does, and brings the catalog up to date. */
  async take(model: AccountModel, generation: ExportKind, stamp: string): Promise<void> {
    const path = join(this.#directory, `${stamp.replace(/\D/g, '')}.zip`);
    await writeExport(model, { generation, stamp: new Date(stamp), to: path });
    await this.#import(path);
  }

  /** {@link take} of an export of these files. */
  async takeFiles(files: Readonly<Record<string, string | Buffer>>, stamp: string): Promise<void> {
    const path = join(this.#directory, `${stamp.replace(/\D/g, '')}.zip`);
    const zip = new ZipFile();
    for (const [name, content] of Object.entries(files))
      zip.addBuffer(Buffer.from(content), name, { mtime: new Date(stamp) });
    zip.end();
    await writeFile(path, zip.outputStream);
    await this.#import(path);
  }

  async #import(path: string): Promise<void> {
    const { config } = this;
    await importFiles([{ path, name: 'export.zip', afterwards: 'delete', account: undefined }], {
      config,
      logger: silentLogger,
      clock: this.#clock,
      signal,
      onProgress: () => {},
    });
    await updateCatalog(catalogDirectory(config), await catalogSources(config.backupDir), { signal });
    this.#catalog?.[Symbol.dispose]();
    this.#catalog = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#catalog?.[Symbol.dispose]();
    await this.#stack.disposeAsync();
  }
}

/** Debian's real Chromium. */
export function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: '/usr/bin/chromium',
    // Chromium makes no sandbox for root.
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  });
}
