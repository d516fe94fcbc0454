import type { z } from 'zod';
import { Secret } from '../lib/secret.ts';
import { type Draft, formatKey, type KeyPath } from './draft.ts';
import type { Findings } from './findings.ts';
import type { Glimpse } from './glimpse.ts';
import { readSecretLine } from './secret-file.ts';

/** The secrets of a configuration, in the order of its lists; undefined where `findings` tells what is wrong. */
export interface Secrets {
  readonly passwords: readonly (Secret | undefined)[];
  readonly clientSecrets: readonly (Secret | undefined)[];
  readonly addresses: readonly (Secret | undefined)[];
  readonly webPassword: Secret | undefined;
  readonly heartbeat: {
    readonly service: readonly (Secret | undefined)[];
    readonly captures: readonly (Secret | undefined)[];
  };
}

/**
 * Gathers every secret, from its key X or from the file that X_file names: one of the two must be set and not both. A
 * mailbox may have `password_command` or `oauth2` instead of a password, and a client may do without a secret.
 *
 * @param issues what the schema found: where it has spoken, nothing is called missing
 */
export async function gatherSecrets(
  glimpse: Glimpse,
  draft: Draft,
  issues: readonly z.core.$ZodIssue[],
  findings: Findings,
): Promise<Secrets> {
  const gather = async ({ at, key, text, path, isOptional }: SecretSetting): Promise<Secret | undefined> => {
    const name = draft.nameOf([...at, key]);
    const fileName = draft.nameOf([...at, `${key}_file`]);
    if (text !== undefined && path !== undefined) findings.problem(`both ${name} and ${fileName} are set: set one`);
    else if (path !== undefined) return asSecret(await readSecretLine(fileName, path, findings));
    else if (text !== undefined) return new Secret(text);
    else if (!isOptional && !isBlamed(issues, at, key))
      findings.problem(`${name}: is missing: set it, or better ${fileName}`);
    return undefined;
  };
  const passwords = glimpse.mailboxes.map((mailbox, index) =>
    gather({
      at: ['mailboxes', index],
      key: 'password',
      text: mailbox.password,
      path: mailbox.password_file,
      isOptional: (mailbox.password_command ?? mailbox.oauth2) !== undefined,
    }),
  );
  const clientSecrets = glimpse.mailboxes.map(({ oauth2 }, index) =>
    gather({
      at: ['mailboxes', index, 'oauth2'],
      key: 'client_secret',
      text: oauth2?.client_secret,
      path: oauth2?.client_secret_file,
      isOptional: true,
    }),
  );
  const addresses = glimpse.notify.map(({ url, url_file }, index) =>
    gather({ at: ['notify', index], key: 'url', text: url, path: url_file, isOptional: false }),
  );
  const beatsTo = (about: 'service' | 'captures') =>
    glimpse.heartbeat[about].map(({ url, url_file }, index) =>
      gather({ at: ['heartbeat', about, index], key: 'url', text: url, path: url_file, isOptional: false }),
    );
  const [service, captures] = [beatsTo('service'), beatsTo('captures')];
  const webPassword = gather({
    at: ['web'],
    key: 'password',
    text: glimpse.web?.password,
    path: glimpse.web?.password_file,
    isOptional: true,
  });
  return {
    passwords: await Promise.all(passwords),
    clientSecrets: await Promise.all(clientSecrets),
    addresses: await Promise.all(addresses),
    webPassword: await webPassword,
    heartbeat: { service: await Promise.all(service), captures: await Promise.all(captures) },
  };
}

interface SecretSetting {
  readonly at: KeyPath;
  readonly key: string;
  readonly text: string | undefined;
  readonly path: string | undefined;
  /** Nothing is wrong when it is not set. */
  readonly isOptional: boolean;
}

/** Whether the schema objects to the entry as a whole (an unknown key, most likely a slip), or to one of the two keys. */
function isBlamed(issues: readonly z.core.$ZodIssue[], at: KeyPath, key: string): boolean {
  const places = [at, [...at, key], [...at, `${key}_file`]].map(formatKey);
  return issues.some(({ path }) => places.includes(formatKey(path)));
}

function asSecret(text: string | undefined): Secret | undefined {
  return text === undefined ? undefined : new Secret(text);
}
