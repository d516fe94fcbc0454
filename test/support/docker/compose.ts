import { execFile } from 'node:child_process';
import { chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { Container } from './container.ts';
import { IMAGE, LABEL } from './engine.ts';
import { type DockerWorld, UID } from './world.ts';

const run = promisify(execFile);

/** A compose file that is run in a world, as a user runs it beside their folders. */
export interface ComposeProject extends AsyncDisposable {
  /** `docker compose up -d` */
  up(): Promise<void>;
  /** The one container of a service. */
  container(service: string): Promise<Container>;
  /** Containers and networks are gone after it. */
  down(): Promise<void>;
}

/**
 * @param file changed by nothing but what a user has to set (the mailbox, the login), the world's network and image, and a
 *   health check every second
 */
export async function composeProject(world: DockerWorld, file: string): Promise<ComposeProject> {
  for (const name of ['drop', 'logins']) {
    await mkdir(join(world.base, name), { mode: 0o700 });
    await chown(join(world.base, name), UID, UID);
  }
  // Where compose.yaml builds the browser from; it is not started.
  await mkdir(join(world.base, 'browser'));
  const override = join(world.base, 'compose.override.yaml');
  await writeFile(override, overrideFor(world));
  const project = [
    '--project-directory',
    world.base,
    '--project-name',
    world.network,
    '--file',
    file,
    '--file',
    override,
  ];
  const compose = async (...args: string[]) => (await run('docker-compose', [...project, ...args])).stdout;
  const down = async () => {
    await compose('down', '--volumes');
  };
  return {
    up: async () => {
      await compose('up', '--detach', '--no-build');
    },
    container: async (service) => new Container((await compose('ps', '--quiet', service)).trim()),
    down,
    [Symbol.asyncDispose]: down,
  };
}

function overrideFor({ network, settings }: DockerWorld): string {
  const secrets = ['imap_ca.pem', 'openai_ca.pem', 'chatgpt_token'];
  const labels = { [LABEL]: '' };
  return stringify({
    services: {
      chatkeep: {
        image: IMAGE,
        labels,
        environment: settings,
        secrets,
        healthcheck: { interval: '1s', start_period: '0s' },
      },
    },
    secrets: Object.fromEntries(secrets.map((name) => [name, { file: `./secrets/${name}` }])),
    networks: { default: { external: true, name: network }, browser: { labels }, observability: { labels } },
  });
}
