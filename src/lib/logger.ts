import { isatty } from 'node:tty';
import { type LevelWithSilent, type Logger, pino, stdSerializers } from 'pino';
import { redactText } from './secret.ts';

export type { Logger } from 'pino';
export type LogLevel = LevelWithSilent;
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const satisfies LogLevel[];

/** `auto`: pretty on a terminal, JSON elsewhere. */
export type LogFormat = 'auto' | 'json' | 'pretty';

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: LogFormat;
  /** The service logs to standard output (1); commands that print something else there log to standard error (2). */
  readonly fd: 1 | 2;
}

/**
 * The program's log: JSON lines for machines, or lines for people on a terminal. Errors are
 * logged with what looks like an address or a credential taken out; secrets proper are of type `Secret` and print as
 * `[redacted]`.
 */
export async function createLogger({ level, format, fd }: LogOptions): Promise<Logger> {
  const pretty = format === 'pretty' || (format === 'auto' && isatty(fd));
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: redactedError },
  };
  if (!pretty) return pino(options, pino.destination({ dest: fd, sync: true }));
  const { default: pinoPretty } = await import('pino-pretty');
  return pino(
    options,
    pinoPretty({
      colorize: isatty(fd) && process.env.NO_COLOR === undefined,
      // For people the message says it all; errors are shown all the same.
      hideObject: true,
      destination: fd,
      sync: true,
    }),
  );
}

/** A logger that says nothing, for parts used on their own. */
export const silentLogger: Logger = pino({ level: 'silent' });

function redactedError(error: Error): unknown {
  const { type, message, stack, code } = stdSerializers.err(error) as ReturnType<typeof stdSerializers.err> & {
    code?: unknown;
  };
  return {
    type,
    message: redactText(message),
    ...(code === undefined ? {} : { code }),
    stack: redactText(stack),
  };
}
