import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { configJsonSchema, configJsonSchemaText, describeConfig, VARIABLES } from '../../src/config/index.ts';
import { createAuthority } from '../support/openai/certificates.ts';
import { Workspace } from './support.ts';

const repository = new URL('../../', import.meta.url);
const example = await readFile(new URL('config/chatkeep.example.yaml', repository), 'utf8');

/**
 * The example with every setting that is commented out (`#key:`, no space) put in force, but for those that say the same
 * as another one in another way.
 */
const ALTERNATIVES = ['password', 'password_command', 'oauth2', 'fingerprint_sha256'];
const everything = example.replace(new RegExp(`^( *)#(?=[a-z]\\w*: )(?!(${ALTERNATIVES.join('|')}): )`, 'gm'), '$1');

/** The example's secret files, put in a directory of the test. */
async function withFiles(workspace: Workspace, yaml: string): Promise<string> {
  const { certPem } = await createAuthority();
  const contents = {
    imap_password: 'geheim',
    notify: 'ntfy://a',
    web_password: 'geheim',
    heartbeat: 'https://hc-ping.com/6731de76-14a6-49ae-97bc-6eba6914391e',
    token: 't',
    'cookies.txt': '',
    'imap_ca.pem': certPem,
    restic_password: 'geheim',
    restic_repository: '/srv/restic',
    s3_keys: 'AWS_ACCESS_KEY_ID=a',
    'rclone.conf': '',
    rclone_env: '',
  };
  for (const [name, content] of Object.entries(contents)) await workspace.write(name, content);
  await workspace.write('proxy_ca.pem', certPem);
  return yaml.replaceAll('/run/secrets', workspace.directory);
}

/** `mailboxes[].port` → the schema of that key, for every key there is. */
function leavesOf(schema: unknown, name = ''): [string, Record<string, unknown>][] {
  if (typeof schema !== 'object' || schema === null) return [];
  const { properties, items, oneOf, anyOf } = schema as Record<string, unknown>;
  const choices = [oneOf, anyOf].flatMap((list) => (Array.isArray(list) ? list : []));
  const below = Object.entries(properties ?? {}).flatMap(([key, value]) =>
    leavesOf(value, name === '' ? key : `${name}.${key}`),
  );
  const own: [string, Record<string, unknown>][] = name === '' ? [] : [[name, { ...schema }]];
  return [...own, ...below, ...leavesOf(items, `${name}[]`), ...choices.flatMap((choice) => leavesOf(choice, name))];
}

describe('config/chatkeep.example.yaml', () => {
  it('tells editors where the schema is, in its first line', () => {
    assert.equal(example.split('\n')[0], '# yaml-language-server: $schema=./chatkeep.schema.json');
  });

  it('loads as it is, once its secrets are there', async () => {
    await using workspace = await Workspace.create();
    const { config, warnings } = await workspace.load(await withFiles(workspace, example));
    assert.deepEqual(warnings, []);
    assert.deepEqual(describeConfig(config), {
      backup_dir: '/backups',
      state_dir: '/state',
      mailboxes: [
        {
          host: 'imap.example.org',
          user: 'ada@example.org',
          security: 'tls',
          search_every_minutes: 5,
          look_back_days: 7,
          name: 'ada@example.org',
          port: 993,
          password: '[redacted]',
        },
      ],
      notices: { authenticity: 'require', dns_servers: [], started_reminder_days: [3, 7] },
      download: {
        logins: [],
        check_logins_hours: 24,
        extra_origins: [],
        stall_seconds: 60,
        connections: 4,
        remind_hours_left: [12, 6, 1],
      },
      archive: { max_entries: 2_000_000, max_unpacked_gb: 500, max_ratio: 200 },
      offsite: [],
      verify: { every_days: 7, sample_percent: 25 },
      keep: {},
      prune: 'by_hand',
      reminder: { after_days: 30, again_days: 7, except: [] },
      disk: { warn_free_percent: 0 },
      notify: [],
      heartbeat: { service: [], captures: [], every_minutes: 5 },
      log: { level: 'info', format: 'auto' },
    });
  });

  it('loads with every setting put in force', async () => {
    await using workspace = await Workspace.create();
    const { config } = await workspace.load(await withFiles(workspace, everything));
    assert.equal(config.download.logins.length, 4);
    assert.equal(config.notify.length, 3);
    assert.deepEqual(
      config.offsite.map(({ name }) => name),
      ['cloud', 'vault', 'rclone'],
    );
    assert.equal(config.mailboxes[0]?.authservId, 'mx.example.org');
  });

  for (const key of ALTERNATIVES.filter((alternative) => alternative !== 'fingerprint_sha256')) {
    it(`loads with ${key} in the place of password_file`, async () => {
      await using workspace = await Workspace.create();
      const yaml = example
        .replace(new RegExp(`^( *)#(?=${key}: )`, 'm'), '$1')
        .replace('    password_file: ', '    #password_file: ')
        .replace('client_secret: a secret, ', '');
      await workspace.write('client_secret', 'geheim');
      const { config } = await workspace.load(await withFiles(workspace, yaml));
      assert.notEqual(Object.entries(config.mailboxes[0] ?? {}).length, 0);
    });
  }

  it('loads with a fingerprint', async () => {
    await using workspace = await Workspace.create();
    const yaml = example.replace('#fingerprint_sha256: ', 'fingerprint_sha256: ');
    const { config } = await workspace.load(await withFiles(workspace, yaml));
    assert.match(config.mailboxes[0]?.fingerprintSha256 ?? '', /^3A:/);
  });

  it('holds every key of the schema', () => {
    const keys = leavesOf(configJsonSchema()).map(([name]) => name.split('.').at(-1)?.replace('[]', '') ?? '');
    const absent = keys.filter((key) => !new RegExp(`^ *(- )?#?${key}: ?|[{,] ?${key}: `, 'm').test(example));
    assert.deepEqual(absent, []);
    assert(keys.length > 30);
  });

  it('shows the defaults that are in force', () => {
    const shown: unknown = parse(everything);
    const at = (name: string): unknown =>
      name.split('.').reduce<unknown>((value, part) => {
        const [key = '', list] = part.split('[');
        const inner: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
        return list === undefined ? inner : Array.isArray(inner) ? inner[0] : undefined;
      }, shown);
    const defaults = leavesOf(configJsonSchema()).flatMap(([name, schema]) =>
      schema.default === undefined || typeof schema.default === 'object' ? [] : [{ name, value: schema.default }],
    );
    for (const { name, value } of defaults) assert.equal(at(name), value, name);
    assert(defaults.length > 8);
  });

  it('names every environment variable', () => {
    const absent = VARIABLES.map(({ name }) => name).filter((name) => !new RegExp(`\\b${name}\\b`).test(example));
    assert.deepEqual(absent, []);
    assert(example.includes('CHATKEEP_CONFIG'));
  });
});

describe('config/chatkeep.schema.json', () => {
  it('is what the schema of the program says', async () => {
    const kept = await readFile(new URL('config/chatkeep.schema.json', repository), 'utf8');
    assert.equal(kept, configJsonSchemaText(), 'run `node scripts/config-schema.ts`');
  });

  it('is found current by scripts/config-schema.ts --check', () => {
    const script = fileURLToPath(new URL('scripts/config-schema.ts', repository));
    const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
    assert.equal(stderr, '');
    assert.equal(status, 0);
  });
});
