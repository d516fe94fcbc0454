import assert from 'node:assert/strict';
import { chmod, chown, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import {
  type Folders,
  makeFolders,
  type RunOptions,
  runContainer,
  startContainer,
  UID,
  writeSecret,
} from '../support/docker/world.ts';
import type { Environment } from '../support/service.ts';

interface WrongStart {
  readonly what: string;
  /** Makes it wrong. */
  readonly prepare?: (folders: Folders) => Promise<void>;
  /** Variables beside those that would do, or instead of them. */
  readonly env?: Environment;
  readonly options?: (folders: Folders) => readonly string[];
  readonly command?: readonly string[];
  readonly code: number;
  readonly says: RegExp;
  /** Of the lines on standard error; the fix is always one of them. */
  readonly mostLines?: number;
}

const ENOUGH: Environment = {
  CHATKEEP_IMAP_HOST: 'imap.example.com',
  CHATKEEP_IMAP_USER: 'you@example.com',
  CHATKEEP_IMAP_PASSWORD_FILE: '/run/secrets/imap_password',
};

const inYaml = (text: string) => (folders: Folders) =>
  writeFile(join(folders.secrets, 'chatkeep.yaml'), text, { mode: 0o444 });
const YAML: Environment = { CHATKEEP_CONFIG: '/run/secrets/chatkeep.yaml' };

const WRONG_STARTS: readonly WrongStart[] = [
  {
    what: 'without any configuration: it tells in ten lines what to set',
    env: { CHATKEEP_IMAP_HOST: '', CHATKEEP_IMAP_USER: '', CHATKEEP_IMAP_PASSWORD_FILE: '' },
    code: 2,
    says: /nothing is set yet.*CHATKEEP_IMAP_HOST .*CHATKEEP_IMAP_USER .*CHATKEEP_IMAP_PASSWORD_FILE .*compose\.yaml/s,
    mostLines: 10,
  },
  { what: 'without a variable', env: { CHATKEEP_IMAP_USER: '' }, code: 2, says: /CHATKEEP_IMAP_USER: is missing/ },
  {
    what: 'with a misspelt variable',
    env: { CHATKEEP_IMAP_PASWORD_FILE: 'x' },
    code: 2,
    says: /unknown variable CHATKEEP_IMAP_PASWORD_FILE: did you mean CHATKEEP_IMAP_PASSWORD_FILE\?/,
  },
  {
    what: 'with a port that is none',
    env: { CHATKEEP_IMAP_PORT: '99999' },
    code: 2,
    says: /CHATKEEP_IMAP_PORT: must be at most 65535/,
  },
  {
    what: 'with a secret whose file is missing',
    env: { CHATKEEP_IMAP_PASSWORD_FILE: '/run/secrets/nowhere' },
    code: 2,
    says: /CHATKEEP_IMAP_PASSWORD_FILE: \/run\/secrets\/nowhere cannot be read: there is no such file/,
  },
  {
    what: 'with a directory that Docker made where the secret was missing',
    env: { CHATKEEP_IMAP_PASSWORD_FILE: '/secret' },
    options: ({ base }) => [`--volume=${base}/forgotten:/secret`],
    code: 2,
    says: /\/secret cannot be used: it is a directory, not a file \(Docker makes a directory/,
  },
  {
    what: 'with a secret that its user may not read',
    prepare: ({ secrets }) => chown(join(secrets, 'imap_password'), 0, 0),
    code: 2,
    says: /imap_password cannot be read: permission is denied: .*: sudo chown 1000:1000 \.\/secrets\/imap_password$/m,
  },
  {
    what: 'with a secret that is empty',
    prepare: (folders) => writeSecret(folders, 'imap_password', '\n'),
    code: 2,
    says: /imap_password is empty/,
  },
  {
    what: 'with a file that is no YAML',
    env: YAML,
    prepare: inYaml('log:\n\tlevel: info\n'),
    code: 2,
    says: /chatkeep\.yaml: line 2, column 1: a tab is used to indent: use spaces/,
  },
  {
    what: 'with a key that there is not',
    env: YAML,
    prepare: inYaml('backup_dri: /backups\n'),
    code: 2,
    says: /backup_dri.*did you mean `backup_dir`/,
  },
  {
    what: 'with a notification address that is none',
    env: { CHATKEEP_NOTIFY: 'smoke://signals' },
    code: 2,
    says: /CHATKEEP_NOTIFY, address 1: /,
  },
  {
    what: 'with a backup folder of another user',
    prepare: ({ backups }) => chown(backups, 0, 0),
    code: 5,
    says: /backup directory \/backups: permission is denied\.\n.*where \.\/backups is: sudo chown 1000:1000 \.\/backups$/m,
  },
  {
    what: 'with a state folder of another user',
    prepare: ({ state }) => chown(state, 0, 0),
    code: 5,
    says: /state directory \/state: permission is denied\.\n.*: sudo chown 1000:1000 \.\/state$/m,
  },
  {
    what: 'with a backup folder that its user has closed',
    prepare: ({ backups }) => chmod(backups, 0o500),
    code: 5,
    says: /permission is denied\.\n.*: sudo chmod u\+rwx \.\/backups$/m,
  },
  {
    what: 'with a journal that another user has written',
    prepare: ({ state }) => writeFile(join(state, 'journal.sqlite'), '', { mode: 0o600 }),
    code: 5,
    says: /open the journal \/state\/journal\.sqlite: permission is denied\.\n.*: sudo chown 1000:1000 \.\/state\/journal\.sqlite$/m,
  },
  {
    what: 'with a volume that is read-only',
    options: ({ base }) => [`--volume=${base}:/elsewhere:ro`],
    env: { CHATKEEP_BACKUP_DIR: '/elsewhere/backups' },
    code: 5,
    says: /backup directory \/elsewhere\/backups: the file system is read-only/,
  },
  {
    what: 'with the journal of a newer Chatkeep',
    prepare: async ({ state }) => {
      const path = join(state, 'journal.sqlite');
      using journal = new DatabaseSync(path);
      journal.exec('PRAGMA user_version = 999');
      await chown(path, UID, UID);
    },
    code: 5,
    says: /was written by a newer Chatkeep \(version 999; .*\nUse the newer Chatkeep/,
  },
  {
    what: 'with a PUID that is no user',
    env: { PUID: 'ann' },
    options: () => ['--user=0:0'],
    code: 2,
    says: /PUID is not the number of a user: ann\n.*`id -u`/,
  },
  {
    what: 'as root without the right to become another user',
    env: { PUID: '1026' },
    options: () => ['--user=0:0'],
    code: 2,
    says: /may not become user 1026:1000\.\n.*cap_add: \[SETUID, SETGID\]/,
  },
  { what: 'with a command that there is not', command: ['start'], code: 2, says: /unknown command 'start'/ },
];

// Most of the time of each is Docker's own.
describe('A container that is started wrongly', { concurrency: 3 }, () => {
  for (const { what, prepare, code, says, mostLines = 12, ...start } of WRONG_STARTS) {
    it(`${what}, with exit code ${code}`, async () => {
      await using folders = await makeFolders();
      await writeSecret(folders, 'imap_password', 'of-the-mailbox');
      await prepare?.(folders);
      const options: RunOptions = {
        env: { ...ENOUGH, ...start.env },
        options: start.options?.(folders) ?? [],
        ...(start.command === undefined ? {} : { command: start.command }),
      };
      const result = await runContainer(folders.mounts, options);
      assert.match(result.stderr, says);
      assert.equal(result.code, code, result.stderr);
      assert.ok(result.stderr.trimEnd().split('\n').length <= mostLines, result.stderr);
      assert.doesNotMatch(result.stderr, /of-the-mailbox|\n {4}at /);
    });
  }

  it('beside another one on the same folders, with exit code 4 and the other one named', async () => {
    await using folders = await makeFolders();
    await writeSecret(folders, 'imap_password', 'of-the-mailbox');
    const first = await startContainer(folders.mounts, { env: ENOUGH });
    await first.printed('watching');
    const { code, stderr } = await runContainer(folders.mounts, { env: ENOUGH });
    assert.equal(code, 4);
    assert.match(stderr, /state directory \/state is in use by another Chatkeep \(process \d+ on [0-9a-f]{12}, since /);
    assert.match(stderr, /Stop the other Chatkeep/);
    await first.stop();
  });

  it('with a port for health checks and metrics that is taken, with the address named', async () => {
    const env = { ...ENOUGH, CHATKEEP_LISTEN: '127.0.0.1:8080' };
    await using folders = await makeFolders();
    await using others = await makeFolders();
    for (const each of [folders, others]) await writeSecret(each, 'imap_password', 'of-the-mailbox');
    const first = await startContainer(folders.mounts, { env });
    await first.printed('listening');
    const { code, stderr } = await runContainer(others.mounts, { env, options: [`--network=container:${first.name}`] });
    assert.match(stderr, /127\.0\.0\.1:8080/);
    assert.equal(code, 2, stderr);
    await first.stop();
  });
});
