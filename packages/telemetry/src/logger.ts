import { createRequire } from "node:module";
import type { LogFields, Logger } from "@inode-gateway/contract";
import { type DestinationStream, destination, type Logger as PinoLogger, pino } from "pino";
import { LogSampler, type LogSampling } from "./log-sampler.js";

type PinoPretty = typeof import("pino-pretty");

/** The four levels of {@link Logger}, least severe first. */
export type LogLevel = "debug" | "info" | "warn" | "error";

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
  return new SampledLogger(root, sampler);
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

/** pino behind the contract's interface; a message that the sampler holds back costs one map look-up. */
class SampledLogger implements Logger {
  readonly #pino: PinoLogger;
  readonly #sampler: LogSampler | undefined;

  constructor(target: PinoLogger, sampler: LogSampler | undefined) {
    this.#pino = target;
    this.#sampler = sampler;
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
    return new SampledLogger(this.#pino.child({ ...fields }), this.#sampler);
  }

  #write(level: LogLevel, message: string, fields: LogFields | undefined): void {
    if (!this.#pino.isLevelEnabled(level)) return;
    if (this.#sampler !== undefined && !this.#sampler.admits(level, message)) return;
    this.#pino[level](fields ?? {}, message);
  }
}
