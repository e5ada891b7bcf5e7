import type { LoggedRecord, PrometheusMeter } from "@inode-gateway/telemetry";
import { periodicReaders, type TelemetryConfig } from "../telemetry-config.js";
import { Destination, type ExportServices } from "./destination.js";
import { MetricsSender } from "./metrics-sender.js";
import { logsRequest, type ResourceAttributes } from "./otlp-json.js";
import { RecordBatcher } from "./record-batcher.js";

/** What own telemetry is sent with. */
export interface OwnTelemetryOptions extends ExportServices {
  readonly meter: PrometheusMeter;
  /** Of the process. */
  readonly resource: ResourceAttributes;
}

/**
 * Sends the process's own logs and metrics to where `service::telemetry` says; nowhere unless told.
 *
 * No pipeline waits for it, and what it cannot send is dropped and counted.
 */
export class OwnTelemetry {
  readonly #logs: readonly RecordBatcher<LoggedRecord>[];
  readonly #metrics: readonly MetricsSender[];

  /** @throws Error when an exporter cannot take what the configuration says */
  constructor(config: TelemetryConfig, options: OwnTelemetryOptions) {
    const { clock, meter, resource } = options;
    this.#logs = config.logs.processors.map(({ batch }) => {
      const sending = { services: options, timeoutMs: batch.export_timeout };
      return new RecordBatcher(new Destination("logs", batch.exporter.otlp, sending), batch, {
        clock,
        requestOf: (records) => logsRequest(resource, records),
      });
    });
    this.#metrics = periodicReaders(config).map((periodic) => {
      const sending = { services: options, timeoutMs: periodic.timeout };
      const destination = new Destination("metrics", periodic.exporter.otlp, sending);
      return new MetricsSender(destination, periodic, { clock, meter, resource });
    });
  }

  /** Takes what the logger writes; undefined when logs are not sent. */
  get onLogged(): ((record: LoggedRecord) => void) | undefined {
    if (this.#logs.length === 0) return undefined;
    return (record) => {
      for (const batcher of this.#logs) batcher.add(record);
    };
  }

  /** @throws Error when a certificate cannot be read; a destination that is away is no error */
  async start(): Promise<void> {
    for (const sender of [...this.#logs, ...this.#metrics]) await sender.start();
  }

  /** Sends what waits, as far as there is time until `deadlineMs`. Safe twice and without `start`. */
  async shutdown(deadlineMs: number): Promise<void> {
    const senders = [...this.#logs, ...this.#metrics];
    await Promise.all(senders.map((sender) => sender.shutdown(deadlineMs)));
  }
}
