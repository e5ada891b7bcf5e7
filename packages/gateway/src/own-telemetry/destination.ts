import { otlpGrpcExporter, otlpHttpExporter } from "@inode-gateway/components";
import {
  Batch,
  type BuildInfo,
  type Clock,
  type ComponentSettings,
  type Counter,
  type Exporter,
  type Logger,
  type Meter,
} from "@inode-gateway/contract";
import { jsonToProtobuf } from "@inode-gateway/otlp";
import type { OwnOtlpConfig } from "./export-config.js";
import { exporterSection, type OwnSignal, withOwnKeys } from "./exporter-section.js";
import { ownTelemetryDropped, ownTelemetrySent } from "./metrics.js";

/** What the export of own telemetry is made with. */
export interface ExportServices {
  /** Must not be exported itself: what an export logs would be the next thing to export. */
  readonly logger: Logger;
  readonly meter: Meter;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly build: BuildInfo;
}

/**
 * Sends own telemetry of one signal to one place, by an exporter as pipelines have it, without a queue.
 *
 * A request that fails is tried again until its time is over, then it is dropped and counted.
 */
export class Destination {
  readonly signal: OwnSignal;
  readonly #services: ExportServices;
  readonly #timeoutMs: number;
  readonly #exporter: Exporter;
  readonly #sent: Counter;

  /**
   * @param timeoutMs of one request, all its tries together
   * @throws Error when the exporter cannot take what the configuration says
   */
  constructor(
    signal: OwnSignal,
    config: OwnOtlpConfig,
    { services, timeoutMs }: { readonly services: ExportServices; readonly timeoutMs: number },
  ) {
    this.signal = signal;
    this.#services = services;
    this.#timeoutMs = timeoutMs;
    this.#sent = services.meter.counter(ownTelemetrySent, { signal });
    const settings = settingsFor(signal, services);
    const section = exporterSection(config, { signal, timeoutMs });
    this.#exporter =
      config.protocol === "grpc"
        ? otlpGrpcExporter.create(settings, otlpGrpcExporter.config.parse(section))
        : otlpHttpExporter.create(settings, otlpHttpExporter.config.parse(section));
  }

  /** @throws Error when a certificate cannot be read; a destination that is away is no error */
  async start(): Promise<void> {
    try {
      await this.#exporter.start({ extension: () => undefined, componentStatuses: () => [] });
    } catch (cause) {
      const reason = withOwnKeys(cause);
      throw new Error(`cannot send the process's own ${this.signal}: ${reason}`, { cause });
    }
  }

  /** Sends one request in the JSON form of OTLP; resolves when it was taken or dropped. Never rejects. */
  async send(request: object, itemCount: number): Promise<void> {
    const { clock } = this.#services;
    const nowMs = clock.nowMs();
    try {
      const bytes = jsonToProtobuf(this.signal, Buffer.from(JSON.stringify(request)));
      const origin = {
        peer: "inode-gateway",
        receivedAtMs: nowMs,
        deadlineMs: nowMs + this.#timeoutMs,
        metadata: new Map<string, readonly string[]>(),
      };
      const batch = new Batch({ signal: this.signal, chunks: [bytes], origin, itemCount });
      await this.#exporter.consume(batch);
      this.#sent.add(itemCount);
    } catch {
      // Why is in the log of the exporter; here it only must not reach anybody else.
      this.drop(itemCount, "export_failed");
    }
  }

  /** Counts items that will not be sent. */
  drop(itemCount: number, reason: "queue_full" | "export_failed"): void {
    const labels = { signal: this.signal, reason };
    this.#services.meter.counter(ownTelemetryDropped, labels).add(itemCount);
  }

  /** Safe twice and without `start`. */
  shutdown(deadlineMs: number): Promise<void> {
    return this.#exporter.shutdown(deadlineMs);
  }
}

function settingsFor(signal: OwnSignal, services: ExportServices): ComponentSettings {
  const { build, clock, logger, meter, random } = services;
  const id = `service::telemetry::${signal}`;
  const own = logger.child({ "otelcol.component.id": id, "otelcol.component.kind": "exporter" });
  return {
    ...{ id, kind: "exporter", signal, logger: own, meter, clock, random, build },
    ledger: noLedger,
    reportState: () => undefined,
    runInBackground: (name, promise) => {
      promise.catch((error: unknown) =>
        own.error("a bug in the export of own telemetry", { name, error }),
      );
    },
  };
}

/** Own telemetry is no part of the pipelines' accounting: it has counts of its own. */
const noLedger = {
  held: () => undefined,
  released: () => undefined,
  dropped: () => undefined,
  recovered: () => undefined,
  persisted: () => undefined,
};
