import type { Channel, InterceptingListener, StatusObject } from "@grpc/grpc-js";
import { GrpcCode, GrpcStatusError } from "../status.js";
import { decodeStatus } from "../status-bytes.js";
import { connectFailureText } from "./connect-failure-text.js";

/** Collects the answer to one call: exactly one message with status OK, or the status. */
export class ResponseListener implements InterceptingListener {
  readonly #call: ReturnType<Channel["createCall"]>;
  readonly #resolve: (message: Uint8Array) => void;
  readonly #reject: (error: GrpcStatusError) => void;
  #message: Uint8Array | undefined;

  constructor(
    call: ReturnType<Channel["createCall"]>,
    resolve: (message: Uint8Array) => void,
    reject: (error: GrpcStatusError) => void,
  ) {
    this.#call = call;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  onReceiveMetadata(): void {
    // Response headers say nothing that a caller of a unary method is given.
  }

  onReceiveMessage(message: Buffer): void {
    if (this.#message !== undefined) {
      this.#call.cancelWithStatus(GrpcCode.INTERNAL, "the response has more than one message");
      return;
    }
    this.#message = message;
    this.#call.startRead();
  }

  onReceiveStatus(status: StatusObject): void {
    if (status.code === GrpcCode.OK && this.#message !== undefined) {
      this.#resolve(this.#message);
      return;
    }
    this.#reject(new GrpcStatusError(this.#failure(status)));
  }

  #failure(status: StatusObject) {
    if (status.code === GrpcCode.OK) {
      return { code: GrpcCode.INTERNAL, message: "the response ended without a message" };
    }
    // grpc-js leaves both out when its decompression fails for want of an encoding it knows.
    const code: number = Number.isInteger(status.code) ? status.code : GrpcCode.INTERNAL;
    const message = connectFailureText(status.details ?? "the response message cannot be read");
    const retryDelayMs = retryDelayOf(status);
    return retryDelayMs === undefined ? { code, message } : { code, message, retryDelayMs };
  }
}

function retryDelayOf(status: StatusObject): number | undefined {
  const [details] = status.metadata?.get("grpc-status-details-bin") ?? [];
  if (!Buffer.isBuffer(details)) return undefined;
  try {
    return decodeStatus(details).retryDelayMs;
  } catch (error) {
    // The status itself is in the trailers; details that cannot be read take nothing from it.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
