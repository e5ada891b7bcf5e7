import type { LogFields, Logger } from "@inode-gateway/contract";

/** One line that was logged. */
export interface LogRecord {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly message: string;
  /** Those of the logger and those of the call. */
  readonly fields: LogFields;
}

/** Keeps everything that is logged; children write into the same list. */
export class CapturingLogger implements Logger {
  readonly records: LogRecord[];
  readonly #fields: LogFields;

  constructor(fields: LogFields = {}, records: LogRecord[] = []) {
    this.#fields = fields;
    this.records = records;
  }

  debug(message: string, fields?: LogFields): void {
    this.#keep("debug", message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#keep("info", message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#keep("warn", message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#keep("error", message, fields);
  }

  child(fields: LogFields): CapturingLogger {
    return new CapturingLogger({ ...this.#fields, ...fields }, this.records);
  }

  /** The messages of one level, in order. */
  messages(level: LogRecord["level"]): string[] {
    return this.records.filter((record) => record.level === level).map(({ message }) => message);
  }

  #keep(level: LogRecord["level"], message: string, fields: LogFields = {}): void {
    this.records.push({ level, message, fields: { ...this.#fields, ...fields } });
  }
}
