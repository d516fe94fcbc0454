/**
 * Runs all tests with coverage: `npm test`, or `npm test -- test/notice/**` for a part of them. On a Debian machine, as
 * root, it installs the packages that the tests need and that are missing.
 */
import { type SpawnSyncOptions, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';

/** A program that tests run, and the Debian package that brings it. */
const NEEDED = [
  { path: '/usr/sbin/dovecot', debianPackage: 'dovecot-imapd' },
  { path: '/usr/bin/sha256sum', debianPackage: 'coreutils' },
  { path: '/usr/sbin/cyrmaster', debianPackage: 'cyrus-common' },
  { path: '/usr/bin/chromium', debianPackage: 'chromium' },
  { path: '/usr/bin/mount', debianPackage: 'mount' },
  { path: '/usr/bin/unshare', debianPackage: 'util-linux' },
  { path: '/usr/sbin/ip', debianPackage: 'iproute2' },
  { path: '/usr/sbin/iptables', debianPackage: 'iptables' },
] as const;

/** Debian lets one IMAP server be installed only, and that is Dovecot: Cyrus is unpacked into a directory beside it. */
const CYRUS = { package: 'cyrus-imapd', directory: '/usr/local/lib/chatkeep-test/cyrus-imapd' } as const;

/** Below this share of lines the run fails. */
const LEAST_LINE_COVERAGE_PERCENT = 95;

installMissing();
unpackCyrus();
const patterns = process.argv.slice(2);
const { status } = spawnSync(
  process.execPath,
  [
    '--test',
    '--experimental-test-coverage',
    '--test-coverage-include=src/**',
    ...(patterns.length === 0 ? [`--test-coverage-lines=${LEAST_LINE_COVERAGE_PERCENT}`] : []),
    `--test-concurrency=${availableParallelism()}`,
    ...(patterns.length === 0 ? ['test/**/*.test.ts'] : patterns),
  ],
  { stdio: 'inherit' },
);
process.exitCode = status ?? 1;

function installMissing(): void {
  const packages = NEEDED.filter(({ path }) => !existsSync(path)).map(({ debianPackage }) => debianPackage);
  if (packages.length === 0) return;
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) {
    say(`Missing: ${packages.join(', ')} (names of Debian packages). The tests that need them will fail.`);
    return;
  }
  say(`Installing ${packages.join(', ')} from Debian, which the tests need.`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (...args: string[]) =>
    spawnSync('apt-get', ['-qq', ...args], { stdio: ['ignore', 'ignore', 'inherit'], env });
  apt('update');
  const { status: installed } = apt('install', '-y', '--no-install-recommends', ...packages);
  if (installed !== 0) say('That failed; the tests that need them will fail.');
}

function unpackCyrus(): void {
  if (
    existsSync(join(CYRUS.directory, 'usr/lib/cyrus/bin/imapd')) ||
    process.getuid?.() !== 0 ||
    !existsSync('/usr/bin/apt-get')
  )
    return;
  say(`Unpacking ${CYRUS.package} from Debian into ${CYRUS.directory}, which the tests need.`);
  const temporary = mkdtempSync(join(tmpdir(), 'chatkeep-cyrus-'));
  const options: SpawnSyncOptions = { cwd: temporary, stdio: ['ignore', 'ignore', 'inherit'] };
  mkdirSync(CYRUS.directory, { recursive: true });
  spawnSync('apt-get', ['-qq', '-o', 'APT::Sandbox::User=root', 'download', CYRUS.package], options);
  const [file = ''] = readdirSync(temporary);
  const { status: unpacked } = spawnSync('dpkg-deb', ['-x', file, CYRUS.directory], options);
  rmSync(temporary, { recursive: true });
  if (unpacked !== 0) say('That failed; the tests that need it will fail.');
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
