import { X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { isLoopback } from '../lib/loopback.ts';
import { checkDirectories } from './directories.ts';
import type { Draft, KeyPath } from './draft.ts';
import { whyUnreadable } from './file.ts';
import type { Findings } from './findings.ts';
import type { Glimpse } from './glimpse.ts';
import { checkOffsite } from './offsite.ts';
import { listenAddressOf } from './schema.ts';
import { warnIfOthersCanRead } from './secret-file.ts';
import { checkWeb } from './web.ts';

/** The rules that reach over several keys, or out to the disk. What they find goes into `findings`. */
export async function checkWhole(glimpse: Glimpse, draft: Draft, findings: Findings): Promise<void> {
  await checkDirectories(glimpse, draft, findings);
  checkMailboxNames(glimpse, findings);
  checkSignIns(glimpse, draft, findings);
  checkEncryption(glimpse, draft, findings);
  warnOfLoweredGuards(glimpse, draft, findings);
  warnOfPruningNothing(glimpse, draft, findings);
  warnOfOpenListener(glimpse, draft, findings);
  checkWeb(glimpse, draft, findings);
  await checkAuthorities(glimpse, draft, findings);
  await checkLogins(glimpse, draft, findings);
  await checkOffsite(glimpse, draft, findings);
}

function checkMailboxNames({ mailboxes }: Glimpse, findings: Findings): void {
  const first = new Map<string, number>();
  for (const [index, { name, user }] of mailboxes.entries()) {
    const called = name ?? user;
    if (called === undefined) continue;
    const earlier = first.get(called);
    if (earlier === undefined) first.set(called, index);
    else {
      findings.problem(
        `mailboxes[${index}]: is called the same as mailboxes[${earlier}] (the name is the user unless set): give one of them a \`name\` of its own`,
      );
    }
  }
}

/** That a password is not set twice is seen where it is read. */
function checkSignIns({ mailboxes }: Glimpse, draft: Draft, findings: Findings): void {
  for (const [index, mailbox] of mailboxes.entries()) {
    const password = mailbox.password === undefined ? 'password_file' : 'password';
    const ways = [
      ...(mailbox[password] === undefined ? [] : [password]),
      ...(mailbox.password_command === undefined ? [] : ['password_command']),
      ...(mailbox.oauth2 === undefined ? [] : ['oauth2']),
    ].map((key) => draft.nameOf(['mailboxes', index, key]));
    if (ways.length > 1) findings.problem(`${ways.join(' and ')} are both ways to sign in: set one`);
  }
}

function checkEncryption({ mailboxes }: Glimpse, draft: Draft, findings: Findings): void {
  for (const [index, mailbox] of mailboxes.entries()) {
    if (mailbox.fingerprint_sha256 === undefined) continue;
    const name = draft.nameOf(['mailboxes', index, 'fingerprint_sha256']);
    if (mailbox.ca_file !== undefined) {
      findings.problem(
        `${name} and ${draft.nameOf(['mailboxes', index, 'ca_file'])} are both set, and the fingerprint alone would count: set one`,
      );
    }
    if (mailbox.security === 'none') {
      findings.problem(`${name}: there is no certificate where security is none: use starttls, or take it out`);
    }
  }
  for (const [index, { host, security }] of mailboxes.entries()) {
    if (security !== 'none' || host === undefined || isLoopback(host)) continue;
    findings.problem(
      `${draft.nameOf(['mailboxes', index, 'security'])}: none would send the password in clear text, and the host is not this machine: use tls or starttls`,
    );
  }
}

function warnOfLoweredGuards({ notices, download }: Glimpse, draft: Draft, findings: Findings): void {
  const { authenticity } = notices;
  if (authenticity === 'warn' || authenticity === 'off') {
    findings.warning(
      `${draft.nameOf(['notices', 'authenticity'])}: with ${authenticity}, links in forged emails are followed too: use require unless you are testing`,
    );
  }
  if (download.extra_origins.length > 0) {
    findings.warning(
      `${draft.nameOf(['download', 'extra_origins'])}: links may lead to ${download.extra_origins.join(', ')} too, inside your network as well, and logins are sent there: meant for tests and proxies`,
    );
  }
}

function warnOfPruningNothing({ keep, prune }: Glimpse, draft: Draft, findings: Findings): void {
  if (prune !== 'after_commit' || Object.values(keep).some((rule) => rule !== null)) return;
  findings.warning(
    `${draft.nameOf(['prune'])}: nothing is pruned, since \`keep\` has no rule and every snapshot is kept: set keep, or take this out`,
  );
}

/** Whoever reaches it learns which mailboxes and accounts there are, and how they are. */
function warnOfOpenListener({ listen }: Glimpse, draft: Draft, findings: Findings): void {
  const address = listen === undefined ? undefined : listenAddressOf(listen);
  if (address === undefined || isLoopback(address.host)) return;
  findings.warning(
    `${draft.nameOf(['listen'])}: ${listen} can be reached from other machines, and there is no password: whoever reaches it sees the names and the state of mailboxes and accounts. Use 127.0.0.1, or see to it that only your monitoring gets there`,
  );
}

async function checkAuthorities({ mailboxes, download }: Glimpse, draft: Draft, findings: Findings): Promise<void> {
  const settings: { key: KeyPath; path: string | undefined }[] = [
    ...mailboxes.map(({ ca_file: path }, index) => ({ key: ['mailboxes', index, 'ca_file'], path })),
    { key: ['download', 'ca_file'], path: download.ca_file },
  ];
  for (const { key, path } of settings) {
    const fault = path === undefined ? undefined : await faultOfAuthority(path);
    if (fault !== undefined) findings.problem(`${draft.nameOf(key)}: ${path} ${fault}`);
  }
}

async function faultOfAuthority(path: string): Promise<string | undefined> {
  let content: Buffer;
  try {
    content = await readFile(path);
  } catch (error) {
    return `cannot be read: ${whyUnreadable(error)}`;
  }
  if (!content.includes('-----BEGIN CERTIFICATE-----')) {
    return 'is not a certificate in PEM form (-----BEGIN CERTIFICATE-----): convert it';
  }
  try {
    new X509Certificate(content);
    return undefined;
  } catch {
    return 'holds a broken certificate: export it anew';
  }
}

/** Login files are read anew at each use and may come later: a missing one is only worth a warning. */
async function checkLogins({ download }: Glimpse, draft: Draft, findings: Findings): Promise<void> {
  for (const [index, { token_file: tokenFile, file }] of download.logins.entries()) {
    const path = tokenFile ?? file;
    if (path === undefined) continue;
    const name = draft.nameOf(['download', 'logins', index, tokenFile === undefined ? 'file' : 'token_file']);
    try {
      const stats = await stat(path);
      if (stats.isDirectory())
        findings.problem(`${name}: ${path} cannot be used: ${whyUnreadable({ code: 'EISDIR' })}`);
      else warnIfOthersCanRead(name, path, stats.mode, findings);
    } catch (error) {
      findings.warning(`${name}: ${path} cannot be read at present: ${whyUnreadable(error)}`);
    }
  }
}
