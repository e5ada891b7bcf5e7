import { Channel, connectivityState } from "@grpc/grpc-js";
import { type ChannelEndpoint, parseChannelEndpoint } from "../channel-endpoint.js";
import { RunningTasks } from "../running-tasks.js";
import { GrpcCode, GrpcStatusError } from "../status.js";
import type { ClientTls } from "../tls.js";
import { tlsMaterialError } from "../tls-material-error.js";
import type {
  MessageCompression,
  UnaryCallOptions,
  UnaryChannel,
  UnaryChannelOptions,
} from "../unary-channel.js";
import { waitUntil } from "../wait-until.js";
import { asBuffer } from "./as-buffer.js";
import { grpcJsChannelOptions, RESPONSE_BYTES_MAX_DEFAULT } from "./channel-options.js";
import { compressMessages } from "./message-compression.js";
import { requestMetadata } from "./request-metadata.js";
import { ResponseListener } from "./response-listener.js";
import { channelCredentials, replaceTls } from "./tls-credentials.js";

type GrpcJsCall = ReturnType<Channel["createCall"]>;

/** A unary channel on grpc-js, with one of its channels for each compression in use. */
export class GrpcJsChannel implements UnaryChannel {
  readonly #options: UnaryChannelOptions;
  readonly #endpoint: ChannelEndpoint;
  readonly #credentials: ReturnType<typeof channelCredentials>;
  readonly #channels = new Map<MessageCompression, Channel>();
  readonly #calls = new Set<GrpcJsCall>();
  readonly #running = new RunningTasks();
  #closing: Promise<void> | undefined;

  constructor(options: UnaryChannelOptions) {
    this.#options = options;
    this.#endpoint = parseChannelEndpoint(options.endpoint);
    try {
      this.#credentials = channelCredentials(options.tls, this.#endpoint.host);
    } catch (cause) {
      const reason = tlsMaterialError(cause).message;
      const message = `the TLS settings for \`${options.endpoint}\` cannot be used: ${reason}`;
      throw new Error(message, { cause });
    }
  }

  connect(): void {
    if (this.#closing !== undefined) return;
    this.#channelFor(this.#options.compression ?? "none").getConnectivityState(true);
  }

  async call(
    path: string,
    message: readonly Uint8Array[],
    options: UnaryCallOptions,
  ): Promise<Uint8Array> {
    if (this.#closing !== undefined) {
      const closed = `the channel to ${this.#options.endpoint} is closed`;
      throw new GrpcStatusError({ code: GrpcCode.UNAVAILABLE, message: closed });
    }
    if (options.deadlineMs <= performance.now()) {
      const late = "the deadline was over before the call began";
      throw new GrpcStatusError({ code: GrpcCode.DEADLINE_EXCEEDED, message: late });
    }
    const metadata = requestMetadata(options.metadata, options.waitForReady === true);
    const channel = this.#channelFor(options.compression ?? this.#options.compression ?? "none");
    const call = channel.createCall(path, epochDeadline(options.deadlineMs), null, null, null);
    this.#calls.add(call);
    this.#running.started();
    try {
      return await new Promise<Uint8Array>((resolve, reject) => {
        call.start(metadata, new ResponseListener(call, resolve, reject));
        call.startRead();
        call.sendMessageWithContext({}, joined(message));
        call.halfClose();
      });
    } finally {
      this.#calls.delete(call);
      this.#running.ended();
    }
  }

  replaceTls(tls: ClientTls): void {
    try {
      replaceTls(this.#credentials, tls);
    } catch (error) {
      throw tlsMaterialError(error);
    }
  }

  async close(deadlineMs: number): Promise<void> {
    this.#closing ??= this.#stop(deadlineMs);
    await this.#closing;
  }

  async #stop(deadlineMs: number): Promise<void> {
    if (!(await waitUntil(this.#running.whenIdle(), deadlineMs))) {
      for (const call of this.#calls) {
        call.cancelWithStatus(GrpcCode.CANCELLED, "the channel was closed before the call ended");
      }
      await this.#running.whenIdle();
    }
    for (const channel of this.#channels.values()) {
      if (channel.getConnectivityState(false) !== connectivityState.SHUTDOWN) channel.close();
    }
  }

  // grpc-js ties compression to the channel; the second one exists once a call asks for it.
  #channelFor(compression: MessageCompression): Channel {
    let channel = this.#channels.get(compression);
    if (channel === undefined) {
      const options = grpcJsChannelOptions(this.#options, this.#endpoint, compression);
      channel = new Channel(this.#endpoint.target, this.#credentials, options);
      const { maxReceiveMessageBytes = RESPONSE_BYTES_MAX_DEFAULT } = this.#options;
      compressMessages(channel, compression, maxReceiveMessageBytes);
      this.#channels.set(compression, channel);
    }
    return channel;
  }
}

// grpc-js wants the wall clock, and turns it back into a time span at once.
function epochDeadline(deadlineMs: number): number {
  return Date.now() + (deadlineMs - performance.now());
}

function joined(chunks: readonly Uint8Array[]): Buffer {
  const [first] = chunks;
  return chunks.length === 1 && first !== undefined ? asBuffer(first) : Buffer.concat(chunks);
}
