/**
 * Runs all tests with coverage: `npm test`, or `npm test -- test/notice/**` for a part of them. What fails in a whole
 * run is run once more by itself, and is named if it passes then. On a Debian machine, as root, it installs the packages
 * that the tests need and that are missing.
 */
import { type SpawnSyncOptions, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { removeImages } from './support/docker/engine.ts';
import { type Ledger, readLedger } from './support/ledger.ts';

/** A program that tests run, and the Debian package that brings it. */
const NEEDED = [
  { path: '/usr/sbin/dovecot', debianPackage: 'dovecot-imapd' },
  { path: '/usr/sbin/exim4', debianPackage: 'exim4-daemon-light' },
  { path: '/usr/bin/sha256sum', debianPackage: 'coreutils' },
  { path: '/usr/sbin/cyrmaster', debianPackage: 'cyrus-common' },
  { path: '/usr/bin/chromium', debianPackage: 'chromium' },
  { path: '/usr/bin/mount', debianPackage: 'mount' },
  { path: '/usr/bin/unshare', debianPackage: 'util-linux' },
  { path: '/usr/sbin/filefrag', debianPackage: 'e2fsprogs' },
  { path: '/usr/sbin/mkfs.btrfs', debianPackage: 'btrfs-progs' },
  { path: '/usr/sbin/mkfs.exfat', debianPackage: 'exfatprogs' },
  { path: '/usr/sbin/mount.exfat-fuse', debianPackage: 'exfat-fuse' },
  { path: '/usr/bin/restic', debianPackage: 'restic' },
  { path: '/usr/bin/rclone', debianPackage: 'rclone' },
  { path: '/usr/bin/strace', debianPackage: 'strace' },
  { path: '/usr/sbin/ip', debianPackage: 'iproute2' },
  { path: '/usr/sbin/iptables', debianPackage: 'iptables' },
  { path: '/usr/bin/apprise', debianPackage: 'apprise' },
  { path: '/usr/bin/python3', debianPackage: 'python3' },
  { path: '/usr/bin/bsdtar', debianPackage: 'libarchive-tools' },
  { path: '/usr/bin/docker', debianPackage: 'docker.io' },
  { path: '/usr/bin/docker-compose', debianPackage: 'docker-compose' },
  { path: '/usr/bin/systemd-analyze', debianPackage: 'systemd' },
  { path: '/usr/bin/promtool', debianPackage: 'prometheus' },
] as const;

/** Debian lets one IMAP server be installed only, and that is Dovecot: Cyrus is unpacked into a directory beside it. */
const CYRUS = { package: 'cyrus-imapd', directory: '/usr/local/lib/chatkeep-test/cyrus-imapd' } as const;

/** Below this share of lines the run fails. */
const LEAST_LINE_COVERAGE_PERCENT = 95;

/** More files than these fail for a reason of their own. */
const MOST_SECOND_RUNS = 8;

installMissing();
unpackCyrus();
const patterns = process.argv.slice(2);
process.exitCode = run(patterns);
await removeImages();

/** Gives the exit code. */
function run(patterns: readonly string[]): number {
  const whole = patterns.length === 0;
  const first = runTests(whole ? ['test/**/*.test.ts'] : patterns, availableParallelism(), [
    '--experimental-test-coverage',
    '--test-coverage-include=src/**',
  ]);
  const { failedFiles, lineCoverage = 100 } = first.ledger;
  if (whole && lineCoverage < LEAST_LINE_COVERAGE_PERCENT) {
    say(`The tests reach ${lineCoverage.toFixed(1)} % of lines; at least ${LEAST_LINE_COVERAGE_PERCENT} % are wanted.`);
    return 1;
  }
  if (first.status === 0 || !whole || failedFiles.length === 0 || failedFiles.length > MOST_SECOND_RUNS)
    return first.status;
  return runAgain(failedFiles);
}

/**
 * Whoever waits for a whole run should know whether a failure is one of the code, or of a machine that was too busy for a
 * limit of time: what failed is run once more, one file at a time.
 */
function runAgain(files: readonly string[]): number {
  const names = files.map((file) => relative(process.cwd(), file));
  say(`\nFailed: ${names.join(', ')}. Once more, with nothing beside:`);
  const { status } = runTests(names, 1, []);
  if (status === 0) say(`\nUNSTEADY, to be mended: these failed at first and passed alone: ${names.join(', ')}`);
  return status;
}

function runTests(
  files: readonly string[],
  concurrency: number,
  options: readonly string[],
): { status: number; ledger: Ledger } {
  const directory = mkdtempSync(join(tmpdir(), 'chatkeep-tests-'));
  const ledgerFile = join(directory, 'ledger.jsonl');
  const reporters = [
    ['spec', 'stdout'],
    ['./test/support/ledger.ts', ledgerFile],
  ].flatMap(([reporter, to]) => [`--test-reporter=${reporter}`, `--test-reporter-destination=${to}`]);
  try {
    const { status } = spawnSync(
      process.execPath,
      ['--test', ...options, ...reporters, `--test-concurrency=${concurrency}`, ...files],
      { stdio: 'inherit' },
    );
    return { status: status ?? 1, ledger: readLedger(readFileSync(ledgerFile, 'utf8')) };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

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
