import { ConfigurationError, formatProblem } from "@inode-gateway/config";
import type { Clock, Gauge, Logger, Meter } from "@inode-gateway/contract";
import type { PipelineRuntime, ReloadOutcome } from "@inode-gateway/pipeline";
import type { AdjustableLogger } from "../adjustable-logger.js";
import type { GatewayConfiguration } from "../configuration.js";
import type { TelemetryConfig } from "../telemetry-config.js";
import { changedForRestart } from "./changed-telemetry.js";
import { configurationReloads, configurationTimestamp } from "./metrics.js";

/**
 * How long what a reload replaced may drain: as long as at a stop, since it may hold as much.
 */
export const reloadDrainMs = 25_000;

/** What became of one reload. */
export interface ReloadReport {
  readonly outcome: ReloadOutcome["outcome"] | "invalid";
  /** For a person: what is in force now, or everything that is wrong. */
  readonly text: string;
}

/** What a {@link Reloader} works on. */
export interface ReloaderOptions {
  /** Reads and checks the whole configuration. @throws ConfigurationError when it is wrong */
  readonly load: () => Promise<GatewayConfiguration>;
  readonly runtime: PipelineRuntime;
  /** `service::telemetry` as the process started with it. */
  readonly telemetry: TelemetryConfig;
  readonly logger: AdjustableLogger;
  readonly meter: Meter;
  readonly clock: Clock;
}

/**
 * Loads the configuration again and puts it into force, or leaves everything as it is and says why.
 *
 * One at a time; all who ask meanwhile get the answer of one more, which begins after they asked.
 */
export class Reloader {
  readonly #options: ReloaderOptions;
  readonly #timestamp: Gauge;
  #running: Promise<ReloadReport> | undefined;
  #next: Promise<ReloadReport> | undefined;

  constructor(options: ReloaderOptions) {
    const { clock, meter } = options;
    this.#options = options;
    this.#timestamp = meter.gauge(configurationTimestamp);
    this.#timestamp.set(clock.unixMs() / 1_000);
  }

  /**
   * Never rejects.
   *
   * @param trigger who asks, for the log: `SIGHUP` or the peer's address
   */
  reload(trigger: string): Promise<ReloadReport> {
    if (this.#running === undefined) return this.#begin(trigger);
    this.#next ??= this.#running.then(() => {
      this.#next = undefined;
      return this.#begin(trigger);
    });
    return this.#next;
  }

  #begin(trigger: string): Promise<ReloadReport> {
    const running = this.#reload(trigger).finally(() => {
      if (this.#running === running) this.#running = undefined;
    });
    this.#running = running;
    return running;
  }

  async #reload(trigger: string): Promise<ReloadReport> {
    const { clock, logger, meter, runtime } = this.#options;
    logger.info("loading the configuration again", { trigger });
    const report = await this.#attempt(async () => {
      const checked = await this.#options.load();
      logDoubts(checked, logger);
      const outcome = await runtime.reload(checked, clock.nowMs() + reloadDrainMs);
      return this.#conclude(checked, outcome);
    });
    meter.counter(configurationReloads, { outcome: report.outcome }).add(1);
    if (isInForce(report)) this.#timestamp.set(clock.unixMs() / 1_000);
    return report;
  }

  async #attempt(work: () => Promise<ReloadReport>): Promise<ReloadReport> {
    try {
      return await work();
    } catch (error) {
      const problems =
        error instanceof ConfigurationError
          ? error.problems.map(formatProblem)
          : [error instanceof Error ? error.message : String(error)];
      this.#options.logger.error("the new configuration is wrong, the old one goes on", {
        problems,
      });
      return { outcome: "invalid", text: problems.join("\n") };
    }
  }

  #conclude(checked: GatewayConfiguration, outcome: ReloadOutcome): ReloadReport {
    const { logger } = this.#options;
    switch (outcome.outcome) {
      case "applied": {
        const { kept, started, stopped } = outcome;
        const telemetry = this.#applyTelemetry(checked.telemetry);
        logger.info("the new configuration is in force", { started, stopped, kept });
        return {
          outcome: "applied",
          text: ["the new configuration is in force", ...telemetry].join("\n"),
        };
      }
      case "unchanged": {
        const telemetry = this.#applyTelemetry(checked.telemetry);
        logger.info("the configuration is unchanged");
        return { outcome: "unchanged", text: ["nothing has changed", ...telemetry].join("\n") };
      }
      case "rolled_back":
      case "failed": {
        const { component, reason } = outcome;
        const message =
          outcome.outcome === "failed"
            ? "the new configuration failed and the old one cannot run again"
            : "the new configuration failed, the old one goes on";
        logger.error(message, { component, reason });
        return { outcome: outcome.outcome, text: reason };
      }
      case "superseded":
        return { outcome: "superseded", text: "a later request took the place of this one" };
      case "stopped":
        logger.info("the configuration is not loaded again, the gateway is not running");
        return { outcome: "stopped", text: "the gateway is starting or stopping" };
    }
  }

  /** @returns what a person has to know of it, a line each */
  #applyTelemetry(wanted: TelemetryConfig): readonly string[] {
    const { logger, telemetry } = this.#options;
    const lines: string[] = [];
    const { level } = wanted.logs;
    if (level !== logger.level) {
      logger.info("the log level changes", { from: logger.level, to: level });
      logger.level = level;
      lines.push(`the log level is ${level}`);
    }
    const keys = changedForRestart(telemetry, wanted).map((key) => `service::telemetry::${key}`);
    if (keys.length > 0) {
      logger.warn("part of the configuration takes effect after a restart", { keys });
      lines.push(...keys.map((key) => `${key}: takes effect after a restart`));
    }
    return lines;
  }
}

/** Logs what an accepted configuration makes one wonder. */
export function logDoubts({ notes, warnings }: GatewayConfiguration, logger: Logger): void {
  for (const warning of warnings) {
    logger.warn("the configuration is accepted with a doubt", { warning });
  }
  for (const note of notes) logger.info("part of the configuration is not used", { note });
}

function isInForce({ outcome }: ReloadReport): boolean {
  return outcome === "applied" || outcome === "unchanged";
}
