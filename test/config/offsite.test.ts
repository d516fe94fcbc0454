import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { describeConfig } from '../../src/config/index.ts';
import { MINIMAL, Workspace } from './support.ts';

const RESTIC = 'restic: { repository: /srv/restic, password_file: pw }';
const RCLONE = "rclone: { remote: 'nas:chatgpt' }";

async function withPassword(): Promise<Workspace> {
  const workspace = await Workspace.create();
  await workspace.write('pw', 'geheim');
  return workspace;
}

describe('A place off-site', () => {
  it('is called as its program is, unless it has a name', async () => {
    await using workspace = await withPassword();
    const { config } = await workspace.load(
      `${MINIMAL}offsite: [{ ${RESTIC} }, { ${RCLONE} }, { name: cloud, ${RESTIC}, late_days: 1 }]`,
    );
    assert.deepEqual(
      config.offsite.map(({ name, lateDays }) => [name, lateDays]),
      [
        ['restic', 3],
        ['rclone', 3],
        ['cloud', 1],
      ],
    );
    assert.equal(config.offsite[0]?.restic?.passwordFile, workspace.path('pw'));
    assert.doesNotMatch(JSON.stringify(describeConfig(config)), /geheim/);
  });

  const problems: readonly (readonly [what: string, yaml: string, problem: RegExp])[] = [
    ['without a program', '{ name: a }', /^offsite\[0\]: set one of restic and rclone$/],
    ['with two programs', `{ ${RESTIC}, ${RCLONE} }`, /^offsite\[0\]: set one of restic and rclone, not both$/],
    [
      'that is called as another one',
      `{ ${RESTIC} }, { ${RESTIC} }`,
      /^offsite\[1\]: is called restic as offsite\[0\] is/,
    ],
    ['without a repository', '{ restic: { password_file: pw } }', /^offsite\[0\]\.restic\.repository: is missing/],
    [
      'with two repositories',
      '{ restic: { repository: /a, repository_file: pw, password_file: pw } }',
      /^both offsite\[0\]\.restic\.repository and offsite\[0\]\.restic\.repository_file are set: set one$/,
    ],
    [
      'with a password in its address',
      "{ restic: { repository: 'rest:https://me:geheim@host.example/', password_file: pw } }",
      /^offsite\[0\]\.restic\.repository: holds a user or a password: put it into a file, as repository_file$/,
    ],
    [
      'by a path that starts nowhere',
      '{ restic: { repository: restic, password_file: pw } }',
      /give a repository as restic/,
    ],
    [
      'inside the backup directory',
      '{ restic: { repository: /b/restic, password_file: pw } }',
      /^offsite\[0\]\.restic\.repository: lies in backup_dir, which would be copied into itself/,
    ],
    [
      'whose password cannot be read',
      '{ restic: { repository: /a, password_file: gone } }',
      /^offsite\[0\]\.restic\.password_file: .*gone cannot be read: there is no such file$/,
    ],
    ['without the path of a remote', '{ rclone: { remote: nas } }', /give a remote of the rclone configuration/],
    ['with a remote that is made up on the spot', "{ rclone: { remote: ':s3,secret=geheim:x' } }", /give a remote of/],
    ['that keeps nothing', '{ restic: { repository: /a, password_file: pw, keep: {} } }', /name at least one of last/],
  ];
  for (const [what, yaml, problem] of problems) {
    it(`${what} is refused with the fix`, async () => {
      await using workspace = await withPassword();
      const found = await workspace.problems(`${MINIMAL}offsite: [${yaml}]`);
      assert.equal(found.length, 1, found.join('\n'));
      assert.match(found[0]?.replace(/^ *- /, '') ?? '', problem);
      assert.doesNotMatch(found.join(), /geheim/);
    });
  }

  it('whose program is not installed is refused with the name of the package', async () => {
    await using workspace = await withPassword();
    const { PATH } = process.env;
    process.env.PATH = workspace.directory;
    const found = await workspace.problems(`${MINIMAL}offsite: [{ ${RESTIC} }]`).finally(() => {
      process.env.PATH = PATH;
    });
    assert.match(found.join(), /offsite\[0\]\.restic: the program restic is not installed: apt-get install restic/);
  });

  it('with a password that others can read is warned of', async () => {
    await using workspace = await Workspace.create();
    await workspace.write('pw', 'geheim', 0o644);
    const { warnings } = await workspace.load(`${MINIMAL}offsite: [{ ${RESTIC} }]`);
    assert.match(warnings.join(), /offsite\[0\]\.restic\.password_file: .* is open to other users/);
  });
});
