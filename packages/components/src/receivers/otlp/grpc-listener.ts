import type { ComponentSettings, Signal } from "@inode-gateway/contract";
import {
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
import type { GrpcConfig } from "./config.js";
import type { Intake } from "./intake.js";

const MIB = 1_048_576;
const noMetadata: ReadonlyMap<string, readonly string[]> = new Map();

/** OTLP/gRPC: one unary method per signal that has a pipeline; all others are UNIMPLEMENTED. */
export class GrpcListener {
  readonly #settings: ComponentSettings;
  readonly #config: GrpcConfig;
  readonly #intake: Intake;
  #server: UnaryServer | undefined;
  #isStopping = false;

  constructor(settings: ComponentSettings, config: GrpcConfig, intake: Intake) {
    this.#settings = settings;
    this.#config = config;
    this.#intake = intake;
  }

  /** `host:port` as bound, or `unix:` and the path; undefined before `listen`. */
  get address(): string | undefined {
    return this.#server?.address;
  }

  /** @throws Error naming the key, the endpoint and the way out when it cannot be taken */
  async listen(tls: ServerTls | undefined): Promise<void> {
    const { endpoint, transport, max_concurrent_streams: maxConcurrentStreams } = this.#config;
    const handlers = new Map<string, UnaryHandler>();
    for (const signal of this.#intake.signals) {
      handlers.set(otlpNames[signal].grpcPath, (call) => this.#export(signal, call));
    }
    const server = createUnaryServer(
      {
        endpoint,
        transport,
        tls,
        maxReceiveMessageBytes: this.#config.max_recv_msg_size_mib * MIB,
        maxConcurrentStreams,
        keepalive: keepaliveOptions(this.#config),
        onHandlerBug: (error, path) => {
          this.#intake.reportBug(path, error);
        },
        onConnectionError: (error, peer) => this.#intake.noteConnectionError(error, peer),
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

  async #export(signal: Signal, call: UnaryCall): Promise<Uint8Array> {
    const intake = this.#intake;
    if (this.#isStopping) throw statusError(intake.rejectShuttingDown());
    const bytes = call.message.byteLength;
    if (!intake.inFlight.tryTake(bytes)) throw statusError(intake.rejectInFlight(bytes));
    try {
      const origin = {
        peer: call.peer,
        receivedAtMs: this.#settings.clock.nowMs(),
        deadlineMs: call.deadlineMs,
        metadata: this.#config.include_metadata ? call.metadata : noMetadata,
      };
      const failure = await intake.accept(signal, call.message, origin, false);
      if (failure !== undefined) throw statusError(failure);
      return encodeResponse(signal);
    } finally {
      intake.inFlight.giveBack(bytes);
    }
  }
}

function statusError(failure: FailureAnswer): GrpcStatusError {
  return new GrpcStatusError(failure.status);
}

function keepaliveOptions(config: GrpcConfig): ServerKeepalive | undefined {
  const parameters = config.keepalive?.server_parameters;
  if (parameters === undefined) return undefined;
  return {
    maxConnectionIdleMs: parameters.max_connection_idle,
    maxConnectionAgeMs: parameters.max_connection_age,
    maxConnectionAgeGraceMs: parameters.max_connection_age_grace,
    timeMs: parameters.time,
    timeoutMs: parameters.timeout,
  };
}
