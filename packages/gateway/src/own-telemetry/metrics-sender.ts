import type { Clock, Timer } from "@inode-gateway/contract";
import type { PrometheusMeter } from "@inode-gateway/telemetry";
import type { Destination } from "./destination.js";
import type { PeriodicConfig } from "./export-config.js";
import { metricsRequest, type ResourceAttributes } from "./otlp-json.js";

/** Sends all metrics at an interval, and once more at the end. */
export class MetricsSender {
  readonly #destination: Destination;
  readonly #config: PeriodicConfig;
  readonly #clock: Clock;
  readonly #meter: PrometheusMeter;
  readonly #resource: ResourceAttributes;
  readonly #startUnixMs: number;
  #timer: Timer | undefined;
  #sending: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(
    destination: Destination,
    config: PeriodicConfig,
    parts: {
      readonly clock: Clock;
      readonly meter: PrometheusMeter;
      readonly resource: ResourceAttributes;
    },
  ) {
    this.#destination = destination;
    this.#config = config;
    this.#clock = parts.clock;
    this.#meter = parts.meter;
    this.#resource = parts.resource;
    this.#startUnixMs = parts.clock.unixMs();
  }

  async start(): Promise<void> {
    await this.#destination.start();
    this.#schedule();
  }

  /** Sends the last values, as far as there is time until `deadlineMs`, then closes. Safe twice. */
  async shutdown(deadlineMs: number): Promise<void> {
    this.#timer?.cancel();
    if (!this.#isStopped) {
      this.#isStopped = true;
      this.#sending = this.#sending.then(() => this.#send());
    }
    const isOver = new Promise<void>((resolve) => {
      this.#timer = this.#clock.setTimer(deadlineMs - this.#clock.nowMs(), resolve);
    });
    await Promise.race([this.#sending, isOver]);
    this.#timer?.cancel();
    await this.#destination.shutdown(deadlineMs);
  }

  #schedule(): void {
    this.#timer = this.#clock.setTimer(this.#config.interval, () => {
      this.#sending = this.#send().then(() => {
        if (!this.#isStopped) this.#schedule();
      });
    });
  }

  async #send(): Promise<void> {
    const metrics = await this.#meter.snapshot();
    const points = metrics.reduce((sum, metric) => sum + metric.points.length, 0);
    const times = { startUnixMs: this.#startUnixMs, unixMs: this.#clock.unixMs() };
    await this.#destination.send(metricsRequest(this.#resource, metrics, times), points);
  }
}
