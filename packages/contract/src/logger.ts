/** Values beside a log's sentence; never payloads or secrets. */
export type LogFields = Readonly<Record<string, unknown>>;

/**
 * The process's own log. A message is one sentence without values; values are fields.
 *
 * `warn`: unexpected, nothing lost. `error`: data lost or someone must act. What happens per batch
 * is a metric, not a log. An `Error` goes under the field `error`.
 */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds `fields` to everything. */
  child(fields: LogFields): Logger;
}
