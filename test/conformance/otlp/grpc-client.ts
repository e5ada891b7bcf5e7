import type { TestContext } from "node:test";
import {
  type ChannelCredentials,
  Client,
  type ClientOptions,
  credentials,
  Metadata,
  type ServiceError,
} from "@grpc/grpc-js";
import type { Signal } from "@inode-gateway/contract";
import { readStatusBytes } from "./http-client.js";

/** How a unary call ended. */
export interface CallResult {
  /** 0 for OK. */
  readonly code: number;
  readonly message: string;
  /** Undefined unless OK. */
  readonly response: Buffer | undefined;
  /** Seconds of RetryInfo in `grpc-status-details-bin`. */
  readonly retrySeconds: number | undefined;
}

/** What differs from a plaintext call that waits 10 s. */
export interface CallOptions {
  readonly metadata?: Readonly<Record<string, string>>;
  readonly deadlineMs?: number;
}

export const exportPaths: Readonly<Record<Signal, string>> = {
  traces: "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
  metrics: "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
  logs: "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
  profiles: "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export",
};

/** A client of @grpc/grpc-js as an SDK has one, without any code of ours. */
export class PlainGrpcClient {
  readonly #client: Client;

  constructor(
    t: Pick<TestContext, "after">,
    address: string,
    options: ClientOptions = {},
    creds: ChannelCredentials = credentials.createInsecure(),
  ) {
    this.#client = new Client(address, creds, options);
    t.after(() => this.#client.close());
  }

  call(path: string, message: Uint8Array, options: CallOptions = {}): Promise<CallResult> {
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(options.metadata ?? {})) metadata.set(name, value);
    return new Promise((resolve) => {
      this.#client.makeUnaryRequest(
        path,
        (bytes: Uint8Array) => Buffer.from(bytes),
        (bytes: Buffer) => bytes,
        message,
        metadata,
        { deadline: Date.now() + (options.deadlineMs ?? 10_000) },
        (error: ServiceError | null, response?: Buffer) => {
          const details = error?.metadata.get("grpc-status-details-bin")[0];
          resolve({
            code: error?.code ?? 0,
            message: error?.details ?? "",
            response,
            retrySeconds: Buffer.isBuffer(details)
              ? readStatusBytes(details).retrySeconds
              : undefined,
          });
        },
      );
    });
  }
}
