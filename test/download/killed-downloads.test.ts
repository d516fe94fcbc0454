import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { formatBytes } from '../../src/lib/text.ts';
import { downloadCommand } from '../support/download-process.ts';
import { openIsland } from '../support/network.ts';
import { generatedBytes } from '../support/openai/generated.ts';
import { ServerProcess } from '../support/openai/server-process.ts';
import { tempDir } from '../support/temp-dir.ts';
import { TOKEN } from './scene.ts';

/** What comes between two kills, on average. */
const BYTES_A_KILL = 20_000_000;
/** Of all bytes that the server has sent, in the size of the export. */
const MOST_SENT = 1.05;
/** A network whose line sets the pace, not this machine: what a killed process had not yet read is lost, and little. */
const LINE = { bytesPerSecond: 60_000_000, socketBytes: 64 * 1024 };

const FILES = ['ca.pem', 'token', 'target', 'cache'] as const;
type FourPaths = [string, string, string, string];

/** Spread evenly, never twice the same, and together a little less than all, so that it is not over before the last. */
function bytesBefore(kill: number): number {
  return 1.7 * BYTES_A_KILL * ((kill * 0.618) % 1);
}

/** Runs a process until it has brought `bytes` more than its first word says, then kills it; tells whether it had ended. */
async function runUntil(command: readonly string[], compileCache: string, bytes: number): Promise<'ended' | 'killed'> {
  const [program = '', ...args] = command;
  // A hundred starts take half as long when each finds the code compiled.
  const env = { ...process.env, NODE_COMPILE_CACHE: compileCache };
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'], env });
  const exited = once(child, 'exit');
  let first: number | undefined;
  for await (const line of createInterface(child.stdout)) {
    const received = Number(/^received (\d+)$/.exec(line)?.[1]);
    if (Number.isNaN(received)) continue;
    first ??= received;
    if (received - first >= bytes) child.kill('SIGKILL');
  }
  const [code, signal] = await exited;
  if (signal === 'SIGKILL') return 'killed';
  assert.equal(code, 0);
  return 'ended';
}

async function assertGenerated(path: string, bytes: number): Promise<void> {
  await using file = await open(path);
  assert.equal((await file.stat()).size, bytes);
  const buffer = Buffer.alloc(1024 * 1024);
  let position = 0;
  for (const piece of generatedBytes(0, bytes - 1, bytes)) {
    for (let at = 0; at < piece.length; ) {
      const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, piece.length - at), position);
      assert.ok(
        buffer.subarray(0, bytesRead).equals(piece.subarray(at, at + bytesRead)),
        `the bytes from ${position} on are those of the export`,
      );
      at += bytesRead;
      position += bytesRead;
    }
  }
}

describe('a download that is killed again and again', () => {
  for (const { connections, kills } of [
    { connections: 1, kills: 20 },
    { connections: 4, kills: 100 },
  ]) {
    const bytes = kills * BYTES_A_KILL;
    it(`fetches next to nothing twice: ${kills} kills in ${formatBytes(bytes)}, ${connections} at once`, async () => {
      await using directory = await tempDir();
      await using island = await openIsland(LINE);
      const options = { bytes, server: { bearerTokens: [TOKEN], bytesPerSecond: LINE.bytesPerSecond } };
      await using server = await ServerProcess.start(options, island.command);
      const { link, certPem } = server.facts;
      const [caFile, tokenFile, target, cache] = FILES.map((name) => join(directory.path, name)) as FourPaths;
      await Promise.all([writeFile(caFile, certPem), writeFile(tokenFile, TOKEN), mkdir(target)]);
      const download = downloadCommand({ link, caFile, tokenFile, directory: target, connections });
      const command = [...island.command, ...download];
      for (let kill = 0; kill < kills; kill += 1) {
        assert.equal(await runUntil(command, cache, bytesBefore(kill)), 'killed', `${kill} kills`);
      }
      assert.equal(await runUntil(command, cache, Number.POSITIVE_INFINITY), 'ended');
      assert.deepEqual(await readdir(target), ['export.zip']);
      await assertGenerated(join(target, 'export.zip'), bytes);
      const sent = (await server.requests()).reduce((sum, { bytesSent }) => sum + bytesSent, 0);
      assert.ok(sent <= MOST_SENT * bytes, `${(sent / bytes).toFixed(3)} of its size was sent`);
    });
  }
});
