import { type Clock, DAY_MS } from './clock.ts';
import type { Logger } from './logger.ts';

/** Trouble that shows again and again: logged when it begins, then at most once a day, and when it is over. */
export class LastingTrouble {
  readonly #clock: Clock;
  readonly #logger: Logger;
  /** ms UTC; undefined while all is well. */
  #loggedAt: number | undefined;

  constructor({ clock, logger }: { readonly clock: Clock; readonly logger: Logger }) {
    this.#clock = clock;
    this.#logger = logger;
  }

  /** It has shown: logged as an error, with `fields`, unless it was within the last day. */
  tell(error: unknown, message: string, fields: Readonly<Record<string, unknown>> = {}): void {
    if (this.#isTime()) this.#logger.error({ ...fields, err: error }, message);
  }

  /** The same for what needs no error to be understood: a warning. */
  warn(message: string, fields: Readonly<Record<string, unknown>> = {}): void {
    if (this.#isTime()) this.#logger.warn(fields, message);
  }

  /** All is well: logged, if it was not before. */
  end(message: string, fields: Readonly<Record<string, unknown>> = {}): void {
    if (this.#loggedAt === undefined) return;
    this.#loggedAt = undefined;
    this.#logger.info(fields, message);
  }

  #isTime(): boolean {
    const now = this.#clock.now();
    if (this.#loggedAt !== undefined && now - this.#loggedAt < DAY_MS) return false;
    this.#loggedAt = now;
    return true;
  }
}
