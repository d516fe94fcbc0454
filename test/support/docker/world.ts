import { chmod, chown, copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Dovecot, startDovecot } from '../dovecot.ts';
import { eventually } from '../eventually.ts';
import type { Cable } from '../network.ts';
import type { OpenAiServerOptions } from '../openai/server.ts';
import type { CliResult, Environment } from '../service.ts';
import { tempDir } from '../temp-dir.ts';
import { ACCESS_TOKEN, visibleSnapshots } from '../world.ts';
import { Container } from './container.ts';
import { BASE_IMAGE, DOVECOT_IMAGE, docker, dockerResult, IMAGE, LABEL, REPOSITORY } from './engine.ts';
import { type ExportOrder, Simulator } from './simulator.ts';

/** Who owns the folders, unless told. */
export const UID = 1000;

/** As compose.yaml has it. */
export const HARDENED = [
  '--read-only',
  '--tmpfs=/tmp',
  '--cap-drop=ALL',
  '--security-opt=no-new-privileges:true',
  '--memory=512m',
  '--memory-swap=512m',
];

export interface RunOptions {
  readonly env?: Environment;
  /** Of `docker run`, beside those of {@link HARDENED}; a later one wins. */
  readonly options?: readonly string[];
  readonly command?: readonly string[];
  /** That of the service unless told. */
  readonly image?: string;
}

/** Folders of the machine as a user sets them up for `compose.yaml`. */
export interface Folders extends AsyncDisposable {
  readonly base: string;
  readonly backups: string;
  readonly state: string;
  readonly secrets: string;
  /** `docker run` options that mount them. */
  readonly mounts: readonly string[];
}

export async function makeFolders(uid = UID): Promise<Folders> {
  const temporary = await tempDir();
  const base = temporary.path;
  // Docker's engine, and users of containers, come this way.
  await chmod(base, 0o755);
  const [backups, state, secrets] = ['backups', 'state', 'secrets'].map((name) => join(base, name)) as [
    string,
    string,
    string,
  ];
  for (const folder of [backups, state, secrets]) {
    await mkdir(folder, { mode: 0o700 });
    await chown(folder, uid, uid);
  }
  return {
    base,
    backups,
    state,
    secrets,
    mounts: [`--volume=${backups}:/backups`, `--volume=${state}:/state`, `--volume=${secrets}:/run/secrets:ro`],
    [Symbol.asyncDispose]: () => temporary[Symbol.asyncDispose](),
  };
}

/** Writes a secret for the container's user alone. */
export async function writeSecret(folders: Folders, name: string, content: string, uid = UID): Promise<void> {
  const path = join(folders.secrets, name);
  await writeFile(path, content, { mode: 0o400 });
  await chown(path, uid, uid);
}

let containers = 0;

function nextName(): string {
  containers += 1;
  return `chatkeep-test-${process.pid}-${containers}`;
}

/** Starts Chatkeep's image with the hardened settings, in the background. */
export async function startContainer(mounts: readonly string[], options: RunOptions): Promise<Container> {
  const name = nextName();
  await docker('run', '--detach', `--name=${name}`, ...runArguments(mounts, options));
  return new Container(name);
}

/** The same to its end. */
export function runContainer(mounts: readonly string[], options: RunOptions): Promise<CliResult> {
  return dockerResult('run', '--rm', `--name=${nextName()}`, ...runArguments(mounts, options));
}

function runArguments(mounts: readonly string[], run: RunOptions): string[] {
  const { env = {}, options = [], command = [], image = IMAGE } = run;
  const variables = Object.entries(env).map(([name, value]) => `--env=${name}=${value}`);
  const network = options.some((option) => option.startsWith('--network')) ? [] : ['--network=none'];
  return [`--label=${LABEL}`, ...HARDENED, ...network, ...mounts, ...variables, ...options, image, ...command];
}

/** Dovecot and the simulator, each in a container, on one network without a way out. */
export interface DockerWorld extends Folders {
  readonly network: string;
  readonly dovecot: Dovecot;
  readonly simulator: Simulator;
  /** What Chatkeep has to know of them, by environment variables; files are in `secrets`. */
  readonly settings: Environment;
  /** Cuts the mail server off: packets to it are dropped without a word. */
  cutMail(): Promise<void>;
  /** Starts Chatkeep beside them. */
  start(options?: RunOptions): Promise<Container>;
  /** Has an export made, and its mail delivered. */
  deliver(order: ExportOrder): Promise<{ readonly bytes: number; readonly link: string }>;
  /** Resolves with the snapshots when there are so many. */
  snapshots(count: number, patienceMs?: number): Promise<string[]>;
}

export interface DockerWorldOptions extends Pick<OpenAiServerOptions, 'bytesPerSecond'> {
  readonly uid?: number;
}

export async function startDockerWorld({ uid = UID, ...server }: DockerWorldOptions = {}): Promise<DockerWorld> {
  await using stack = new AsyncDisposableStack();
  const folders = stack.use(await makeFolders(uid));
  const network = nextName();
  const subnet = await createNetwork(network);
  stack.defer(async () => {
    await docker('network', 'rm', network);
  });
  const mail = stack.use(containerAsCable(network, `${subnet}.10`));
  const dovecot = stack.use(await startDovecot({ cable: mail }));

  const exports = join(folders.base, 'exports');
  await mkdir(exports);
  const host = `${subnet}.20`;
  const simulator = stack.use(
    await Simulator.start(
      [
        ...['docker', 'run', '--rm', '--interactive', '--init', `--label=${LABEL}`, `--name=${network}-openai`],
        ...[
          `--network=${network}`,
          `--ip=${host}`,
          `--volume=${REPOSITORY}:${REPOSITORY}:ro`,
          `--volume=${exports}:${exports}`,
        ],
        BASE_IMAGE,
      ],
      { directory: exports, server: { bearerTokens: [ACCESS_TOKEN], host, hostname: host, ...server } },
    ),
  );

  await writeSecret(folders, 'imap_password', dovecot.password, uid);
  await writeSecret(folders, 'chatgpt_token', ACCESS_TOKEN, uid);
  await copyFile(dovecot.caFile, join(folders.secrets, 'imap_ca.pem'));
  await copyFile(join(exports, 'openai-ca.pem'), join(folders.secrets, 'openai_ca.pem'));
  for (const name of ['imap_ca.pem', 'openai_ca.pem']) await chmod(join(folders.secrets, name), 0o444);
  const settings: Environment = {
    ...simulator.settings,
    CHATKEEP_DOWNLOAD_CA_FILE: '/run/secrets/openai_ca.pem',
    CHATKEEP_IMAP_HOST: dovecot.host,
    CHATKEEP_IMAP_PORT: String(dovecot.port),
    CHATKEEP_IMAP_USER: dovecot.user,
    CHATKEEP_IMAP_PASSWORD_FILE: '/run/secrets/imap_password',
    CHATKEEP_IMAP_CA_FILE: '/run/secrets/imap_ca.pem',
    CHATKEEP_IMAP_SEARCH_EVERY_MINUTES: '0.02',
    CHATKEEP_DOWNLOAD_BEARER_TOKEN_FILE: '/run/secrets/chatgpt_token',
    CHATKEEP_DOWNLOAD_CHECK_LOGINS_HOURS: '0',
    CHATKEEP_LOG_FORMAT: 'json',
    CHATKEEP_LOG_LEVEL: 'debug',
  };
  const started: Container[] = [];
  stack.defer(async () => {
    for (const { name } of started) await docker('rm', '--force', '--volumes', name);
  });
  const parts = stack.move();
  return {
    ...folders,
    network,
    dovecot,
    simulator,
    settings,
    cutMail: async () => {
      await docker('network', 'disconnect', network, mail.name);
    },
    async start({ env = {}, options = [], ...rest } = {}) {
      const container = await startContainer(folders.mounts, {
        env: { ...settings, ...env },
        options: [`--network=${network}`, `--user=${uid}:${uid}`, ...options],
        ...rest,
      });
      started.push(container);
      return container;
    },
    async deliver(order) {
      const { mail: message, bytes, link } = await simulator.order(order);
      await dovecot.deliver(Buffer.from(message, 'base64'));
      return { bytes, link };
    },
    async snapshots(count, patienceMs = 300_000) {
      const found = () => visibleSnapshots(folders.backups).catch(() => []);
      await eventually(async () => (await found()).length >= count, patienceMs).catch(async (error: unknown) => {
        const logs = await Promise.all(started.map((container) => container.logs()));
        throw new Error(`There are not ${count} snapshots:\n${logs.join('\n')}`, { cause: error });
      });
      return found();
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

/** Makes a network that leads nowhere else, and gives the first three numbers of its addresses. */
async function createNetwork(name: string): Promise<string> {
  for (let attempt = 1; ; attempt += 1) {
    const subnet = `10.214.${Math.floor(Math.random() * 256)}`;
    try {
      await docker('network', 'create', '--internal', `--label=${LABEL}`, `--subnet=${subnet}.0/24`, name);
      return subnet;
    } catch (error) {
      // Another one has these addresses.
      if (attempt === 5) throw error;
    }
  }
}

/** The far end of a cable is a container with Dovecot in it, which sees the temporary files of this machine. */
function containerAsCable(network: string, address: string): Cable & { readonly name: string } {
  const name = `${network}-mail`;
  const temporary = process.env.TMPDIR ?? '/tmp';
  return {
    name,
    address,
    command: [
      ...[
        'docker',
        'run',
        '--rm',
        '--init',
        `--label=${LABEL}`,
        `--name=${name}`,
        `--network=${network}`,
        `--ip=${address}`,
      ],
      ...[`--volume=${temporary}:${temporary}`, DOVECOT_IMAGE],
    ],
    cut: async () => {
      await docker('network', 'disconnect', network, name);
    },
    mend: async () => {
      await docker('network', 'connect', `--ip=${address}`, network, name);
    },
    async [Symbol.asyncDispose]() {
      await docker('rm', '--force', name).catch(() => {});
    },
  };
}
