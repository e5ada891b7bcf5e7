import { readServerTls, type ServerTlsConfig, type ServerTlsMaterial } from "@inode-gateway/config";
import type { Component, ComponentSettings, Host, ReceiverOutputs } from "@inode-gateway/contract";
import { TlsReload } from "../../transport/tls-reload.js";
import { Admission, type AdmissionConfig } from "./admission.js";
import type { OtlpReceiverConfig } from "./config.js";
import { GrpcListener } from "./grpc-listener.js";
import { HttpListener } from "./http-listener.js";
import { InFlightBytes } from "./in-flight-bytes.js";
import { Intake } from "./intake.js";
import {
  connectionsMetric,
  IntakeCounters,
  inFlightBytesMetric,
  type Transport,
} from "./metrics.js";

/** Receives OTLP over gRPC and HTTP and gives it to the pipelines of its signals. */
export class OtlpReceiver implements Component {
  readonly #settings: ComponentSettings;
  readonly #config: OtlpReceiverConfig;
  readonly #inFlight: InFlightBytes;
  readonly #intakes: readonly Intake[];
  readonly #grpc: GrpcListener | undefined;
  readonly #http: HttpListener | undefined;
  readonly #tlsReloads: TlsReload<ServerTlsMaterial>[] = [];
  readonly #endObserving: (() => void)[] = [];

  constructor(settings: ComponentSettings, config: OtlpReceiverConfig, outputs: ReceiverOutputs) {
    const { grpc, http } = config.protocols;
    const inFlight = new InFlightBytes(config.max_in_flight_bytes);
    const intakes: Intake[] = [];
    const intakeOf = (transport: Transport, protocol: AdmissionConfig) => {
      const counters = new IntakeCounters(settings.meter, settings.id, transport);
      const admission = new Admission(settings, protocol, outputs, counters);
      const intake = new Intake(settings, { outputs, inFlight, counters, admission });
      intakes.push(intake);
      return intake;
    };
    this.#settings = settings;
    this.#config = config;
    this.#inFlight = inFlight;
    this.#intakes = intakes;
    this.#grpc = grpc && new GrpcListener(settings, grpc, intakeOf("grpc", grpc));
    this.#http = http && new HttpListener(settings, http, intakeOf("http", http));
  }

  /** Where gRPC and HTTP are received, as bound; what is off or not started yet is undefined. */
  get addresses(): { readonly grpc: string | undefined; readonly http: string | undefined } {
    return { grpc: this.#grpc?.address, http: this.#http?.address };
  }

  async start(host: Host): Promise<void> {
    const { grpc, http } = this.#config.protocols;
    const { clock } = this.#settings;
    for (const intake of this.#intakes) intake.admission.start(host);
    // Both certificates are read before any port is taken, so that a wrong path costs nothing.
    const grpcTls = await this.#readTls("grpc", grpc?.tls);
    const httpTls = await this.#readTls("http", http?.tls);
    try {
      await this.#grpc?.listen(grpcTls);
      await this.#http?.listen(httpTls);
    } catch (error) {
      // The other protocol's port must not stay taken by a receiver that does not run.
      await this.shutdown(clock.nowMs());
      throw error;
    }
    for (const reload of this.#tlsReloads) reload.follow();
    this.#observe();
  }

  async shutdown(deadlineMs: number): Promise<void> {
    for (const reload of this.#tlsReloads) reload.stop();
    await Promise.all([this.#grpc?.shutdown(deadlineMs), this.#http?.shutdown(deadlineMs)]);
    for (const intake of this.#intakes) intake.close();
    for (const end of this.#endObserving.splice(0)) end();
  }

  #observe(): void {
    const { id: receiver, meter } = this.#settings;
    const bytes = () => this.#inFlight.usedBytes;
    this.#endObserving.push(meter.observe(inFlightBytesMetric, { receiver }, bytes));
    for (const [transport, listener] of [
      ["grpc", this.#grpc],
      ["http", this.#http],
    ] as const) {
      if (listener === undefined) continue;
      const count = () => listener.connectionCount;
      this.#endObserving.push(meter.observe(connectionsMetric, { receiver, transport }, count));
    }
  }

  async #readTls(protocol: Transport, config: ServerTlsConfig | undefined) {
    if (config === undefined) return undefined;
    const section = `protocols::${protocol}::tls`;
    const reload = new TlsReload(this.#settings, {
      config,
      section,
      read: () => readServerTls(config),
      apply: (tls) => (protocol === "grpc" ? this.#grpc : this.#http)?.replaceTls(tls),
    });
    this.#tlsReloads.push(reload);
    try {
      return await reload.read();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`${section}: ${reason}`, { cause: error });
    }
  }
}
