import { createRequire } from "node:module";
import type { LogFields, Logger } from "@inode-gateway/contract";
import { type DestinationStream, destination, type Logger as PinoLogger, pino } from "pino";
import { LogSampler, type LogSampling } from "./log-sampler.js";
import { systemClock } from "./system-clock.js";

type PinoPretty = typeof import("pino-pretty");

/** The four levels of {@link Logger}, least severe first. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** One line of the log, for whoever sends it on. */
export interface LoggedRecord {
  readonly level: LogLevel;
  readonly message: string;
  /** Those of the logger and its parents, and those of the call. */
  readonly fields: LogFields;
  readonly unixMs: number;
}

/** How the process's own log looks and where it goes. */
export interface LoggerOptions {
  readonly level: LogLevel;
  /**
   * `console` is for people, `json` for machines: one object a line. `auto` takes `console` on a
   * terminal and `json` everywhere else, so that a pod's log can be parsed without a setting.
   */
  readonly encoding: "console" | "json" | "auto";
  /** Where lines go; default is the process's standard error, written synchronously. */
  readonly destination?: DestinationStream | undefined;
  /** Whether the destination is a terminal; decides `auto` and colours. Default false. */
  readonly isTerminal?: boolean | undefined;
  /** Fields of every line. */
  readonly initialFields?: LogFields | undefined;
  /** Thins out repeated messages; undefined writes everything. */
  readonly sampling?: LogSampling | undefined;
  /** Told of every line that is written, after sampling. Must not throw. Default: nobody. */
  readonly onLogged?: ((record: LoggedRecord) => void) | undefined;
  /** Monotonic milliseconds, for the sampling tick. Default `performance.now`. */
  readonly nowMs?: (() => number) | undefined;
}

/**
 * Makes the process's logger on pino.
 *
 * Lines carry `level` as text, `time` in ISO 8601 and `msg`; neither the process ID nor the host
 * name, which a container platform adds by itself. An `Error` under `error` is written with its
 * type, message, stack and cause.
 */
export function createLogger(options: LoggerOptions): Logger {
  const isConsole =
    options.encoding === "console" || (options.encoding === "auto" && options.isTerminal === true);
  const lines = options.destination ?? destination({ fd: 2, sync: true });
  const stream = isConsole ? consoleStream(lines, options.isTerminal === true) : lines;
  const root = pino(
    {
      level: options.level,
      base: options.initialFields ? { ...options.initialFields } : null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: pino.stdSerializers.errWithCause },
    },
    stream,
  );
  const sampler = options.sampling
    ? new LogSampler(options.sampling, options.nowMs ?? (() => performance.now()))
    : undefined;
  const { initialFields = {}, onLogged } = options;
  return new SampledLogger(root, { sampler, onLogged, fields: initialFields });
}

function consoleStream(lines: DestinationStream, colorize: boolean): DestinationStream {
  // Loaded only where a person looks: in a pod it would cost memory for nothing.
  const { prettyFactory } = createRequire(import.meta.url)("pino-pretty") as PinoPretty;
  const format = prettyFactory({
    colorize,
    singleLine: true,
    errorLikeObjectKeys: ["error"],
    translateTime: "SYS:yyyy-mm-dd'T'HH:MM:ss.l",
  });
  return { write: (line) => lines.write(format(line)) };
}

interface LoggerParts {
  readonly sampler: LogSampler | undefined;
  readonly onLogged: LoggerOptions["onLogged"];
  /** All that this logger adds to a line. */
  readonly fields: LogFields;
}

/** pino behind the contract's interface; a message that the sampler holds back costs one map look-up. */
class SampledLogger implements Logger {
  readonly #pino: PinoLogger;
  readonly #parts: LoggerParts;

  constructor(target: PinoLogger, parts: LoggerParts) {
    this.#pino = target;
    this.#parts = parts;
  }

  debug(message: string, fields?: LogFields): void {
    this.#write("debug", message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#write("info", message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#write("warn", message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#write("error", message, fields);
  }

  child(fields: LogFields): Logger {
    const all = { ...this.#parts.fields, ...fields };
    return new SampledLogger(this.#pino.child({ ...fields }), { ...this.#parts, fields: all });
  }

  #write(level: LogLevel, message: string, fields: LogFields = {}): void {
    const { fields: own, onLogged, sampler } = this.#parts;
    if (!this.#pino.isLevelEnabled(level)) return;
    if (sampler !== undefined && !sampler.admits(level, message)) return;
    this.#pino[level](fields, message);
    onLogged?.({ level, message, fields: { ...own, ...fields }, unixMs: systemClock.unixMs() });
  }
}
