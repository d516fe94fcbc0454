import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';
import { VARIABLES } from '../src/config/index.ts';
import { objectsOf, wrongIn } from './support/kubernetes.ts';

const run = promisify(execFile);
const at = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** Of 10; what systemd calls OK. */
const MOST_EXPOSURE = 2;

describe('compose.yaml', () => {
  it('is one that Compose takes, with all its profiles', async () => {
    const profiles = ['browser', 'observability'].flatMap((name) => ['--profile', name]);
    await run('docker-compose', ['--file', at('compose.yaml'), ...profiles, 'config', '--quiet']);
  });
});

describe('packaging/systemd/chatkeep.service', () => {
  it('exposes little of the machine, by the judgement of systemd', async () => {
    const unit = at('packaging/systemd/chatkeep.service');
    const { stdout } = await run('systemd-analyze', ['security', '--offline=true', '--no-pager', unit]);
    const exposure = Number(/Overall exposure level for chatkeep\.service: ([\d.]+)/.exec(stdout)?.[1]);
    assert.ok(exposure <= MOST_EXPOSURE, `${exposure}`);
  });
});

const named = z.object({ name: z.string() });

/** What the parts of a Deployment say of each other. */
const deployment = z.object({
  kind: z.literal('Deployment'),
  spec: z.object({
    selector: z.object({ matchLabels: z.record(z.string(), z.string()) }),
    template: z.object({
      metadata: z.object({ labels: z.record(z.string(), z.string()) }),
      spec: z.object({
        containers: z.tuple([
          z.object({
            env: z.array(named.extend({ value: z.string() })),
            volumeMounts: z.array(named.extend({ mountPath: z.string() })),
          }),
        ]),
        volumes: z.array(named.extend({ persistentVolumeClaim: z.object({ claimName: z.string() }).optional() })),
      }),
    }),
  }),
});

describe('packaging/kubernetes/chatkeep.yaml', () => {
  const manifest = readFile(at('packaging/kubernetes/chatkeep.yaml'), 'utf8');

  it('has the fields that Kubernetes knows, of the right types, and all that it asks for', async () => {
    assert.deepEqual(wrongIn(await manifest), []);
  });

  for (const [what, right, wrong, says] of [
    ['a field that there is not', 'failureThreshold: 30', 'failureTreshold: 30', /'"failureTreshold"' does not exist/],
    [
      'a value of another type',
      'timeoutSeconds: 20',
      'timeoutSeconds: 20s',
      /'string' is not assignable to type 'number'/,
    ],
    ['a field that is missing', '- name: chatkeep\n          image', '- image', /'name' is missing/],
    ['a version that there is not', 'apps/v1', 'apps/v1beta1', /"apps\/v1beta1"/],
  ] as const) {
    it(`would be found wrong with ${what}`, async () => {
      assert.match(wrongIn((await manifest).replace(right, wrong)).join('\n'), says);
    });
  }

  it('holds together: its volumes, its claim, its labels, and variables that Chatkeep knows', async () => {
    const objects = objectsOf(await manifest);
    const { selector, template } =
      objects.map((object) => deployment.safeParse(object)).find(({ success }) => success)?.data?.spec ??
      assert.fail('There is no Deployment.');
    const { containers, volumes } = template.spec;
    const [{ env, volumeMounts }] = containers;
    assert.deepEqual(new Set(volumeMounts.map(({ name }) => name)), new Set(volumes.map(({ name }) => name)));
    const claims = objects.map((object) => z.object({ metadata: named }).parse(object).metadata.name);
    for (const { persistentVolumeClaim } of volumes)
      if (persistentVolumeClaim !== undefined) assert.ok(claims.includes(persistentVolumeClaim.claimName));
    assert.deepEqual(template.metadata.labels, selector.matchLabels);
    for (const { name, value } of env) {
      const known = VARIABLES.find((variable) => [variable.name, `${variable.name}_FILE`].includes(name));
      assert.ok(known, name);
      const below = volumeMounts.some(({ mountPath }) => value.startsWith(`${mountPath}/`));
      if (value.startsWith('/')) assert.ok(below, `${name} is below no mount: ${value}`);
    }
  });
});
