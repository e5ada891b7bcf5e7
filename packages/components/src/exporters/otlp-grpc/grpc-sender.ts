import { readClientTls } from "@inode-gateway/config";
import { type Batch, type ComponentSettings, PermanentError } from "@inode-gateway/contract";
import {
  createUnaryChannel,
  GrpcStatusError,
  type Metadata,
  type UnaryChannel,
} from "@inode-gateway/grpc";
import { decodeResponse, type PartialSuccess } from "@inode-gateway/otlp";
import type { Sender } from "../../delivery/delivery-step.js";
import { otlpNames } from "../../transport/otlp-names.js";
import type { OtlpGrpcConfig } from "./config.js";
import { failureOfStatus } from "./grpc-failure.js";
import { parseGrpcTarget } from "./grpc-target.js";

/** Sends batches as OTLP/gRPC requests over one channel that connects at once. */
export class GrpcSender implements Sender {
  readonly #settings: ComponentSettings;
  readonly #config: OtlpGrpcConfig;
  readonly #metadata: Metadata;
  #channel: UnaryChannel | undefined;
  #isTls = false;

  constructor(settings: ComponentSettings, config: OtlpGrpcConfig) {
    this.#settings = settings;
    this.#config = config;
    this.#metadata = new Map(
      Object.entries(config.headers).map(([name, value]) => [name.toLowerCase(), [value]]),
    );
  }

  async start(): Promise<void> {
    const { authority, balancer_name, keepalive, tls, user_agent } = this.#config;
    const target = parseGrpcTarget(this.#config.endpoint);
    if ("problem" in target) throw new Error(`\`endpoint\` ${target.problem}`);
    const { command, version } = this.#settings.build;
    const insecure = target.isInsecure ?? tls.insecure;
    this.#isTls = !insecure;
    this.#channel = createUnaryChannel({
      endpoint: target.endpoint,
      tls: insecure ? undefined : await readClientTls({ ...tls, insecure }),
      authority,
      userAgent: user_agent ?? `${command}/${version}`,
      loadBalancing: balancer_name,
      compression: this.#config.compression === "gzip" ? "gzip" : "none",
      keepalive: keepalive && {
        timeMs: keepalive.time,
        timeoutMs: keepalive.timeout,
        permitWithoutStream: keepalive.permit_without_stream,
      },
    });
    this.#channel.connect();
  }

  async send(batch: Batch, deadlineMs: number): Promise<PartialSuccess | undefined> {
    const channel = this.#channel;
    if (channel === undefined) throw new Error("send before start");
    const remainingMs = deadlineMs - this.#settings.clock.nowMs();
    let response: Uint8Array;
    try {
      response = await channel.call(otlpNames[batch.signal].grpcPath, batch.chunks, {
        // The channel's clock, which is the process's even where the component's is another one.
        deadlineMs: performance.now() + remainingMs,
        metadata: this.#metadata,
        waitForReady: this.#config.wait_for_ready,
      });
    } catch (error) {
      if (!(error instanceof GrpcStatusError)) throw error;
      throw failureOfStatus(this.#config.endpoint, error, this.#isTls);
    }
    return this.#readResponse(batch, response);
  }

  async close(deadlineMs: number): Promise<void> {
    const remainingMs = deadlineMs - this.#settings.clock.nowMs();
    await this.#channel?.close(performance.now() + remainingMs);
  }

  #readResponse(batch: Batch, response: Uint8Array): PartialSuccess | undefined {
    try {
      return decodeResponse(batch.signal, response);
    } catch (cause) {
      const message = `${this.#config.endpoint} answered OK with ${response.byteLength} bytes that are no OTLP response`;
      throw new PermanentError("BACKEND_REJECTED", message, { cause });
    }
  }
}
