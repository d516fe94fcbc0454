import assert from 'node:assert/strict';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { commandThatLetsUse } from '../../src/lib/access.ts';
import { tempDir } from '../support/temp-dir.ts';

/** Of the user that runs the tests. */
const SELF = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
const STRANGER = { uid: 4321, gid: 100, mountinfo: undefined };

describe('The command that lets the service use a path', () => {
  it('gives the file or directory itself to its user, and nothing below it', async () => {
    await using directory = await tempDir();
    assert.equal(commandThatLetsUse(directory.path, STRANGER), `sudo chown 4321:100 ${directory.path}`);
  });

  it('names the nearest directory where the path is not there, or cannot be seen', async () => {
    await using directory = await tempDir();
    const path = join(directory.path, 'not', 'there');
    assert.equal(commandThatLetsUse(path, STRANGER), `sudo chown 4321:100 ${directory.path}`);
  });

  it('opens what the user owns already', async () => {
    await using directory = await tempDir();
    const file = join(directory.path, 'secret');
    await writeFile(file, '', { mode: 0o200 });
    const self = { ...SELF, mountinfo: undefined };
    assert.equal(commandThatLetsUse(file, self), `sudo chmod u+rw ${file}`);
    await chmod(directory.path, 0o500);
    assert.equal(commandThatLetsUse(directory.path, self), `sudo chmod u+rwx ${directory.path}`);
    await chmod(directory.path, 0o700);
  });

  it('is not given where neither owner nor mode explains it', async () => {
    await using directory = await tempDir();
    assert.equal(commandThatLetsUse(directory.path, { ...SELF, mountinfo: undefined }), undefined);
  });

  it('in a container is for the machine around it, where the mounted folder is', async () => {
    await using directory = await tempDir();
    await mkdir(join(directory.path, 'below'));
    const mountinfo = [
      '500 400 0:50 / / rw - overlay overlay rw',
      `501 500 8:1 /srv/my\\040backups ${directory.path} rw - ext4 /dev/sda1 rw`,
    ].join('\n');
    const container = { ...STRANGER, mountinfo };
    const where = 'on the machine around this container, where ./my backups is: ';
    assert.equal(commandThatLetsUse(directory.path, container), `${where}sudo chown 4321:100 './my backups'`);
    assert.equal(
      commandThatLetsUse(join(directory.path, 'below'), container),
      `${where}sudo chown 4321:100 './my backups/below'`,
    );
  });

  it('names a volume of Docker by its own place', async () => {
    await using directory = await tempDir();
    const mountinfo = `501 500 8:1 /lib/docker/volumes/keep/_data ${directory.path} rw - ext4 /dev/sda1 rw`;
    assert.equal(
      commandThatLetsUse(directory.path, { ...STRANGER, mountinfo }),
      'on the machine around this container, where Docker keeps its volumes: sudo chown 4321:100 ./keep/_data',
    );
  });
});
