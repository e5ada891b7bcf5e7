import type { Tracer } from "@inode-gateway/contract";
import type { LoggedRecord, PrometheusMeter } from "@inode-gateway/telemetry";
import { periodicReaders, type TelemetryConfig } from "../telemetry-config.js";
import { Destination, type ExportServices } from "./destination.js";
import type { BatchConfig } from "./export-config.js";
import { MetricsSender } from "./metrics-sender.js";
import { logsRequest, type ResourceAttributes, tracesRequest } from "./otlp-json.js";
import { RecordBatcher } from "./record-batcher.js";
import { type RecordedSpan, SpanRecorder } from "./span-recorder.js";

/** What own telemetry is sent with. */
export interface OwnTelemetryOptions extends ExportServices {
  readonly meter: PrometheusMeter;
  /** Of the process. */
  readonly resource: ResourceAttributes;
}

/**
 * Sends the process's own logs, metrics and traces to where `service::telemetry` says; nowhere unless told.
 *
 * No pipeline waits for it, and what it cannot send is dropped and counted.
 */
export class OwnTelemetry {
  readonly #logs: readonly RecordBatcher<LoggedRecord>[];
  readonly #metrics: readonly MetricsSender[];
  readonly #traces: readonly RecordBatcher<RecordedSpan>[];
  /** Follows requests; undefined when no traces are sent. */
  readonly tracer: Tracer | undefined;

  /** @throws Error when an exporter cannot take what the configuration says */
  constructor(config: TelemetryConfig, options: OwnTelemetryOptions) {
    const { clock, meter, resource } = options;
    const batcher = <Item>(
      signal: "logs" | "traces",
      batch: BatchConfig,
      requestOf: RequestOf<Item>,
    ) => {
      const sending = { services: options, timeoutMs: batch.export_timeout };
      const destination = new Destination(signal, batch.exporter.otlp, sending);
      return new RecordBatcher<Item>(destination, batch, { clock, requestOf });
    };
    this.#logs = config.logs.processors.map(({ batch }) =>
      batcher<LoggedRecord>("logs", batch, (records) => logsRequest(resource, records)),
    );
    const spanProcessors = config.traces.level === "none" ? [] : config.traces.processors;
    this.#traces = spanProcessors.map(({ batch }) =>
      batcher<RecordedSpan>("traces", batch, (spans) => tracesRequest(resource, spans)),
    );
    this.tracer = this.#traces.length === 0 ? undefined : this.#createTracer(config, options);
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
    for (const sender of this.#senders) await sender.start();
  }

  /** Sends what waits, as far as there is time until `deadlineMs`. Safe twice and without `start`. */
  async shutdown(deadlineMs: number): Promise<void> {
    await Promise.all(this.#senders.map((sender) => sender.shutdown(deadlineMs)));
  }

  get #senders() {
    return [...this.#logs, ...this.#traces, ...this.#metrics];
  }

  #createTracer(config: TelemetryConfig, { clock, random }: ExportServices): Tracer {
    const { propagators, sampler } = config.traces;
    const isParentBased = sampler.isParentBased && propagators.length > 0;
    return new SpanRecorder(
      { ...sampler, isParentBased },
      {
        clock,
        random,
        onSpan: (span) => {
          for (const batcher of this.#traces) batcher.add(span);
        },
      },
    );
  }
}

/** Makes a request in the JSON form of OTLP. */
type RequestOf<Item> = (records: readonly Item[]) => object;
