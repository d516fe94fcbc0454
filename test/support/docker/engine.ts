import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ChatkeepError } from '../../../src/lib/errors.ts';
import { lockDirectory } from '../../../src/lib/lock.ts';
import { eventually } from '../eventually.ts';
import type { CliResult } from '../service.ts';

const run = promisify(execFile);

export const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '');
export const BASE_IMAGE = 'node:24-bookworm-slim';
export const IMAGE = 'chatkeep-test:image';
/** With restic and rclone. */
export const FULL_IMAGE = 'chatkeep-test:full';
/** Dovecot on the base image. */
export const DOVECOT_IMAGE = 'chatkeep-test:dovecot';
/** What a multi-stage build leaves behind, under a name by which it can be removed. */
const BUILD_STAGE = 'chatkeep-test:build';
/** What every container and network of the tests carries. */
export const LABEL = 'chatkeep-test';

/** Where no registry is within reach: starts an engine, with a stand-in for the base image. */
const ENGINE_STARTER = join(REPOSITORY, '../shared/bin/docker-engine');
const MOST_OUTPUT_BYTES = 64 * 1024 * 1024;
/** A build on a busy machine takes minutes, and whoever waits for the engine waits for several. */
const PATIENCE_MS = 40 * 60_000;

/** Runs one docker command and gives what it printed on standard output. */
export async function docker(...args: string[]): Promise<string> {
  return (await run('docker', args, { maxBuffer: MOST_OUTPUT_BYTES })).stdout;
}

/** Runs one docker command to its end, however it ends. */
export async function dockerResult(...args: string[]): Promise<CliResult> {
  const child = spawn('docker', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  return { code, stdout, stderr };
}

/**
 * Takes the engine for one process at a time, with the images built; what is in the engine's cache is not built again.
 * Containers and networks are gone when it is disposed of; {@link removeImages} removes the images.
 */
export async function takeEngine(): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  stack.use(await takeTurn());
  await startEngine();
  await removeRemains();
  stack.defer(removeRemains);
  await Promise.all([buildImages(), buildDovecot()]);
  const taken = stack.move();
  return { [Symbol.asyncDispose]: () => taken.disposeAsync() };
}

export const VERSION = '1.2.3-test';
const BUILD_ARGUMENTS = ['--build-arg', `VERSION=${VERSION}`, '--build-arg', 'REVISION=0123abcd'];

/** Builds a target of the Dockerfile under that name, from this checkout or a copy of it. */
export async function buildImage(target: string, image: string, checkout = REPOSITORY): Promise<void> {
  await docker('build', '--quiet', '--target', target, '--tag', image, ...BUILD_ARGUMENTS, checkout);
}

async function buildImages(): Promise<void> {
  await buildImage('build', BUILD_STAGE);
  await buildImage('chatkeep', IMAGE);
  await buildImage('full', FULL_IMAGE);
}

async function buildDovecot(): Promise<void> {
  await docker('build', '--quiet', '--tag', DOVECOT_IMAGE, join(REPOSITORY, 'test/support/docker/dovecot'));
}

/** Removes the images of the tests; the base image stays. */
export async function removeImages(): Promise<void> {
  for (const image of [FULL_IMAGE, IMAGE, BUILD_STAGE, DOVECOT_IMAGE])
    await docker('image', 'rm', '--force', image).catch(() => {});
}

async function takeTurn(): Promise<Disposable> {
  const directory = join(tmpdir(), 'chatkeep-docker-tests');
  mkdirSync(directory, { recursive: true });
  let turn: Disposable | undefined;
  await eventually(async () => {
    try {
      turn = await lockDirectory(directory, 'engine');
      return true;
    } catch (error) {
      if (error instanceof ChatkeepError && error.class === 'in-use') return false;
      throw error;
    }
  }, PATIENCE_MS);
  if (turn === undefined) throw new Error('The engine could not be taken.');
  return turn;
}

async function startEngine(): Promise<void> {
  if (await succeeds('image', 'inspect', BASE_IMAGE)) return;
  if (existsSync(ENGINE_STARTER)) {
    // Its output is not read: the engine that it leaves running would keep the pipe open.
    const starter = spawn(ENGINE_STARTER, [BASE_IMAGE], { stdio: ['ignore', 'ignore', 'inherit'] });
    const [code] = (await once(starter, 'exit')) as [number | null];
    if (code === 0) return;
  } else if (await succeeds('info')) {
    await docker('pull', '--quiet', BASE_IMAGE);
    return;
  }
  throw new Error('These tests need a running Docker engine that can have the image node:24-bookworm-slim.');
}

async function succeeds(...args: string[]): Promise<boolean> {
  return docker(...args).then(
    () => true,
    () => false,
  );
}

async function removeRemains(): Promise<void> {
  const containers = (await docker('ps', '--all', '--quiet', '--filter', `label=${LABEL}`)).split('\n').filter(Boolean);
  if (containers.length > 0) await docker('rm', '--force', '--volumes', ...containers);
  const networks = (await docker('network', 'ls', '--quiet', '--filter', `label=${LABEL}`)).split('\n').filter(Boolean);
  if (networks.length > 0) await docker('network', 'rm', ...networks);
}
