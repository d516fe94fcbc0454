import { stdout } from 'node:process';
import { SingleBar } from 'cli-progress';
import { formatBytes } from '../lib/text.ts';

/** Logs are kept: a line now and then tells that it goes on. */
const LINE_EVERY_MS = 5_000;

/** Prints a line for people. */
export function printLine(line = ''): void {
  stdout.write(`${line}\n`);
}

/** Prints data for machines: one JSON document. */
export function printJson(data: unknown): void {
  stdout.write(`${JSON.stringify(data, null, 2)}\n`);
}

/** Rows with columns of equal width, two spaces apart; the columns named in `right` are aligned to the right. */
export function table(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly number[] = [],
): string {
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all
    .map((row) =>
      row
        .map((cell, column) =>
          right.includes(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Shows how far long work is. */
export interface ProgressDisplay {
  /** `done` and `total` in bytes. */
  update(what: string, done: number, total: number | undefined): void;
  stop(): void;
}

/** A bar on a terminal; elsewhere a plain line now and then. */
export function progressDisplay(): ProgressDisplay {
  return stdout.isTTY ? barDisplay() : lineDisplay();
}

function barDisplay(): ProgressDisplay {
  const bar = new SingleBar({
    format: '{what} [{bar}] {percentage} %  {doneText} of {totalText}  {eta_formatted} left',
    hideCursor: true,
    clearOnComplete: true,
    barsize: 30,
  });
  let running = false;
  return {
    update(what, done, total) {
      const payload = { what, doneText: formatBytes(done), totalText: total === undefined ? '?' : formatBytes(total) };
      if (!running) bar.start(total ?? done, done, payload);
      running = true;
      bar.setTotal(Math.max(1, total ?? done));
      bar.update(done, payload);
    },
    stop() {
      if (running) bar.stop();
      running = false;
    },
  };
}

function lineDisplay(): ProgressDisplay {
  let toldAt = performance.now();
  return {
    update(what, done, total) {
      if (total === undefined || total === 0 || performance.now() - toldAt < LINE_EVERY_MS) return;
      toldAt = performance.now();
      printLine(`${what}: ${Math.floor((done / total) * 100)} % of ${formatBytes(total)}`);
    },
    stop() {},
  };
}
