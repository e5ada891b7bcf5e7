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
  type Signal,
} from "@inode-gateway/contract";
import { jsonToProtobuf } from "@inode-gateway/otlp";
import type { OwnOtlpConfig } from "./export-config.js";
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

/** A signal the process sends of itself. */
export type OwnSignal = Exclude<Signal, "profiles">;

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
    this.#exporter =
      config.protocol === "grpc"
        ? otlpGrpcExporter.create(settings, otlpGrpcExporter.config.parse(grpc(config, timeoutMs)))
        : otlpHttpExporter.create(
            settings,
            otlpHttpExporter.config.parse(http(signal, config, timeoutMs)),
          );
  }

  /** @throws Error when a certificate cannot be read; a destination that is away is no error */
  start(): Promise<void> {
    return this.#exporter.start({ extension: () => undefined, componentStatuses: () => [] });
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

function shared(config: OwnOtlpConfig, timeoutMs: number) {
  const { certificate, client_certificate: cert, client_key: key } = config;
  return {
    compression: config.compression,
    headers: config.headers,
    timeout: `${Math.min(config.timeout, timeoutMs)}ms`,
    // The SDK tries again while the time of the request lasts; so does this.
    retry_on_failure: {
      initial_interval: "1s",
      max_interval: "5s",
      max_elapsed_time: `${timeoutMs}ms`,
    },
    sending_queue: { enabled: false },
    tls: {
      ...(certificate !== undefined && { ca_file: certificate }),
      ...(cert !== undefined && { cert_file: cert, key_file: key }),
    },
  };
}

function grpc(config: OwnOtlpConfig, timeoutMs: number) {
  const common = shared(config, timeoutMs);
  // The path of a URL means nothing to gRPC, but people write one.
  const endpoint = (config.endpoint ?? "localhost:4317").replace(/^(https?:\/\/[^/]+)\/.*$/, "$1");
  return { ...common, endpoint, tls: { ...common.tls, insecure: config.insecure } };
}

function http(signal: OwnSignal, config: OwnOtlpConfig, timeoutMs: number) {
  const { endpoint = "localhost:4318", insecure } = config;
  const hasScheme = /^https?:\/\//i.test(endpoint);
  const url = hasScheme ? endpoint : `${insecure ? "http" : "https"}://${endpoint}`;
  const hasPath = /^https?:\/\/[^/]+\/./i.test(url);
  const target = hasPath ? { [`${signal}_endpoint`]: url } : { endpoint: url.replace(/\/$/, "") };
  return { ...shared(config, timeoutMs), ...target };
}
