import type { LogFields, Logger } from "@inode-gateway/contract";
import type { LogLevel } from "@inode-gateway/telemetry";

const SEVERITY: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

/** A logger and all its children, whose level can be changed while they are in use. */
export class AdjustableLogger implements Logger {
  readonly #target: Logger;
  readonly #threshold: { level: LogLevel };

  /**
   * @param target writes everything that it is given: its own level is `debug`
   * @param threshold shared with the children
   */
  constructor(target: Logger, threshold: { level: LogLevel }) {
    this.#target = target;
    this.#threshold = threshold;
  }

  /** The least severe level that is written, by the children too. */
  get level(): LogLevel {
    return this.#threshold.level;
  }

  set level(level: LogLevel) {
    this.#threshold.level = level;
  }

  debug(message: string, fields?: LogFields): void {
    if (this.#writes("debug")) this.#target.debug(message, fields);
  }

  info(message: string, fields?: LogFields): void {
    if (this.#writes("info")) this.#target.info(message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    if (this.#writes("warn")) this.#target.warn(message, fields);
  }

  error(message: string, fields?: LogFields): void {
    if (this.#writes("error")) this.#target.error(message, fields);
  }

  child(fields: LogFields): Logger {
    return new AdjustableLogger(this.#target.child(fields), this.#threshold);
  }

  #writes(level: LogLevel): boolean {
    return SEVERITY[level] >= SEVERITY[this.#threshold.level];
  }
}
