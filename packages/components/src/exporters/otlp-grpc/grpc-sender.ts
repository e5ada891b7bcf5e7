import { type ClientTlsMaterial, readClientTls } from "@inode-gateway/config";
import {
  type Batch,
  type ComponentSettings,
  type Host,
  PermanentError,
} from "@inode-gateway/contract";
import {
  createUnaryChannel,
  GrpcStatusError,
  type Metadata,
  type UnaryChannel,
} from "@inode-gateway/grpc";
import { decodeResponse, type PartialSuccess } from "@inode-gateway/otlp";
import {
  type ClientAuthenticator,
  clientAuthenticatorOf,
} from "../../capabilities/authenticator.js";
import type { Sender } from "../../delivery/delivery-step.js";
import { warnOfPlainCredentials } from "../../transport/exporter-auth.js";
import { otlpNames } from "../../transport/otlp-names.js";
import { TlsReload } from "../../transport/tls-reload.js";
import type { OtlpGrpcConfig } from "./config.js";
import { failureOfStatus } from "./grpc-failure.js";
import { parseGrpcTarget } from "./grpc-target.js";

/** Sends batches as OTLP/gRPC requests over one channel that connects at once. */
export class GrpcSender implements Sender {
  readonly #settings: ComponentSettings;
  readonly #config: OtlpGrpcConfig;
  readonly #metadata: Metadata;
  #channel: UnaryChannel | undefined;
  #authenticator: ClientAuthenticator | undefined;
  #tlsReload: TlsReload<ClientTlsMaterial> | undefined;
  #isTls = false;

  constructor(settings: ComponentSettings, config: OtlpGrpcConfig) {
    this.#settings = settings;
    this.#config = config;
    this.#metadata = new Map(
      Object.entries(config.headers).map(([name, value]) => [name.toLowerCase(), [value]]),
    );
  }

  async start(host: Host): Promise<void> {
    const { auth, authority, balancer_name, compression, keepalive, tls, user_agent } =
      this.#config;
    const target = parseGrpcTarget(this.#config.endpoint);
    if ("problem" in target) throw new Error(`\`endpoint\` ${target.problem}`);
    const { command, version } = this.#settings.build;
    const insecure = target.isInsecure ?? tls.insecure;
    this.#isTls = !insecure;
    if (auth !== undefined) {
      this.#authenticator = clientAuthenticatorOf(host, auth.authenticator);
      if (insecure) warnOfPlainCredentials(this.#settings.logger, target.endpoint);
    }
    this.#channel = createUnaryChannel({
      endpoint: target.endpoint,
      tls: insecure ? undefined : await this.#readTls(),
      authority,
      userAgent: user_agent ?? `${command}/${version}`,
      loadBalancing: balancer_name,
      compression: compression === "" ? "none" : compression,
      keepalive: keepalive && {
        timeMs: keepalive.time,
        timeoutMs: keepalive.timeout,
        permitWithoutStream: keepalive.permit_without_stream,
      },
    });
    this.#channel.connect();
    this.#tlsReload?.follow();
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
        metadata: withCredentials(this.#metadata, this.#authenticator),
        waitForReady: this.#config.wait_for_ready,
      });
    } catch (error) {
      if (!(error instanceof GrpcStatusError)) throw error;
      throw failureOfStatus(this.#config.endpoint, error, this.#isTls);
    }
    return this.#readResponse(batch, response);
  }

  async close(deadlineMs: number): Promise<void> {
    this.#tlsReload?.stop();
    const remainingMs = deadlineMs - this.#settings.clock.nowMs();
    await this.#channel?.close(performance.now() + remainingMs);
  }

  async #readTls(): Promise<ClientTlsMaterial> {
    const config = { ...this.#config.tls, insecure: false };
    this.#tlsReload = new TlsReload(this.#settings, {
      config,
      section: "tls",
      read: async () => (await readClientTls(config)) ?? {},
      apply: (material) => this.#channel?.replaceTls(material),
    });
    return this.#tlsReload.read();
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

/** Asked anew for every request: a token in a file may have changed. */
function withCredentials(
  metadata: Metadata,
  authenticator: ClientAuthenticator | undefined,
): Metadata {
  if (authenticator === undefined) return metadata;
  const whole = new Map(metadata);
  for (const [name, value] of authenticator.authorizationHeaders()) whole.set(name, [value]);
  return whole;
}
