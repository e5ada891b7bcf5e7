import type { ComponentSettings, Signal } from "@inode-gateway/contract";
import {
  type CallerFacts,
  type CallStart,
  createUnaryServer,
  GrpcStatusError,
  type ServerKeepalive,
  type ServerTls,
  type UnaryCall,
  type UnaryHandler,
  type UnaryServer,
} from "@inode-gateway/grpc";
import { encodeResponse } from "@inode-gateway/otlp";
import { listenError } from "../../transport/endpoint.js";
import { otlpNames } from "../../transport/otlp-names.js";
import type { FailureAnswer } from "../../transport/status-mapping.js";
import type { GrpcConfig } from "./grpc-config.js";
import type { Intake } from "./intake.js";

const MIB = 1_048_576;
const noMetadata: ReadonlyMap<string, readonly string[]> = new Map();

/** OTLP/gRPC: one unary method per signal that has a pipeline; all others are UNIMPLEMENTED. */
export class GrpcListener {
  readonly #settings: ComponentSettings;
  readonly #config: GrpcConfig;
  readonly #intake: Intake;
  readonly #signalByPath: ReadonlyMap<string, Signal>;
  #server: UnaryServer | undefined;
  #isStopping = false;

  constructor(settings: ComponentSettings, config: GrpcConfig, intake: Intake) {
    this.#settings = settings;
    this.#config = config;
    this.#intake = intake;
    const paths = intake.signals.map((signal) => [otlpNames[signal].grpcPath, signal] as const);
    this.#signalByPath = new Map(paths);
  }

  /** `host:port` as bound, or `unix:` and the path; undefined before `listen`. */
  get address(): string | undefined {
    return this.#server?.address;
  }

  /** Connections that are open now. */
  get connectionCount(): number {
    return this.#server?.connectionCount ?? 0;
  }

  /** @throws Error naming the key, the endpoint and the way out when it cannot be taken */
  async listen(tls: ServerTls | undefined): Promise<void> {
    const { endpoint, transport } = this.#config;
    const handlers = new Map<string, UnaryHandler>();
    for (const [path, signal] of this.#signalByPath) {
      handlers.set(path, (call) => this.#export(signal, call));
    }
    const server = createUnaryServer(
      {
        endpoint,
        transport,
        tls,
        ...this.#limits(),
        onHandlerBug: (error, path) => {
          this.#intake.reportBug(path, error);
        },
        onConnectionError: (error, peer) => this.#intake.noteConnectionError(error, peer),
        onConnectionClosed: (reason, peer) => this.#intake.noteClosedConnection(reason, peer),
        onSlowMessage: () => this.#intake.counters.rejected("timeout"),
      },
      handlers,
    );
    try {
      await server.listen();
    } catch (error) {
      throw listenError("protocols::grpc::endpoint", endpoint, error);
    }
    this.#server = server;
    const fields = { endpoint: server.address, transport: "grpc" };
    this.#settings.logger.info("Receiving OTLP", fields);
  }

  /** Changes what the next handshakes see. @throws Error when OpenSSL cannot use it; nothing changes */
  replaceTls(tls: ServerTls): void {
    this.#server?.replaceTls(tls);
  }

  /** Refuses new calls, lets running ones end until `deadlineMs`. */
  async shutdown(deadlineMs: number): Promise<void> {
    this.#isStopping = true;
    await this.#server?.shutdown(deadlineMs);
  }

  #limits() {
    const config = this.#config;
    const intake = this.#intake;
    const { enforcement_policy: policy } = config.keepalive;
    return {
      maxReceiveMessageBytes: config.max_recv_msg_size_mib * MIB,
      maxConcurrentStreams: config.max_concurrent_streams,
      maxConnections: config.max_connections,
      messageTimeoutMs: config.read_timeout > 0 ? config.read_timeout : undefined,
      keepalive: keepaliveOptions(config),
      pings: { minTimeMs: policy.min_time, permitWithoutStream: policy.permit_without_stream },
      admit: (call: CallStart) => this.#admit(call),
      memory: {
        take: (bytes: number) =>
          intake.inFlight.tryTake(bytes) ? undefined : intake.rejectInFlight(bytes).status,
        giveBack: (bytes: number) => intake.inFlight.giveBack(bytes),
      },
    };
  }

  #admit(call: CallStart): CallerFacts | undefined | Promise<CallerFacts | undefined> {
    if (this.#isStopping) throw statusError(this.#intake.rejectShuttingDown());
    const { admission } = this.#intake;
    const signal = this.#signalByPath.get(call.path);
    const refusal = signal && admission.refusal(signal);
    if (refusal !== undefined) throw statusError(refusal);
    return admission.asksWho ? this.#authenticate(call) : undefined;
  }

  async #authenticate(call: CallStart): Promise<CallerFacts> {
    const answer = await this.#intake.admission.authenticate(call.metadata);
    if ("failure" in answer) throw statusError(answer.failure);
    return answer.auth;
  }

  async #export(signal: Signal, call: UnaryCall): Promise<Uint8Array> {
    const intake = this.#intake;
    if (this.#isStopping) throw statusError(intake.rejectShuttingDown());
    const origin = {
      peer: call.peer,
      receivedAtMs: this.#settings.clock.nowMs(),
      deadlineMs: call.deadlineMs,
      metadata: this.#config.include_metadata ? call.metadata : noMetadata,
      auth: call.auth,
    };
    const failure = await intake.accept(signal, call.message, origin, false);
    if (failure !== undefined) throw statusError(failure);
    return encodeResponse(signal);
  }
}

function statusError(failure: FailureAnswer): GrpcStatusError {
  return new GrpcStatusError(failure.status);
}

function keepaliveOptions(config: GrpcConfig): ServerKeepalive | undefined {
  const parameters = config.keepalive.server_parameters;
  if (parameters === undefined) return undefined;
  return {
    maxConnectionIdleMs: parameters.max_connection_idle,
    maxConnectionAgeMs: parameters.max_connection_age,
    maxConnectionAgeGraceMs: parameters.max_connection_age_grace,
    timeMs: parameters.time,
    timeoutMs: parameters.timeout,
  };
}
