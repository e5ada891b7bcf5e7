import { constants, type ServerHttp2Stream } from "node:http2";
import { Metadata as GrpcJsMetadata, type ServerInterceptingCallInterface } from "@grpc/grpc-js";
import type { CallHead } from "../call-head.js";
import { decompress } from "../decompress.js";
import { type FrameFault, MessageFrame, messageTooLarge } from "../message-frame.js";
import { type Metadata, metadataFromHeaders } from "../metadata.js";
import type { RunningTasks } from "../running-tasks.js";
import { GrpcCode } from "../status.js";
import { HANDLER_BUG_MESSAGE, statusTrailers } from "../status-trailers.js";
import type { UnaryCall, UnaryHandler, UnaryServerOptions } from "../unary-server.js";
import { TIMER_MS_MAX } from "../wait-until.js";
import { asBuffer } from "./as-buffer.js";

/** What the server knows of a call when its headers have been accepted. */
export interface CallOrigin {
  readonly path: string;
  readonly head: CallHead;
  readonly rawHeaders: readonly string[];
  readonly peer: string;
  readonly handler: UnaryHandler;
}

type Status = Parameters<ServerInterceptingCallInterface["sendStatus"]>[0];

/** One call on a grpc-js server: follows its body, gives its message to the handler, answers once. */
export class RunningCall {
  readonly #stream: ServerHttp2Stream;
  readonly #origin: CallOrigin;
  readonly #options: UnaryServerOptions;
  readonly #handlers: RunningTasks;
  readonly #frame: MessageFrame;
  readonly #deadlineMs: number;
  #call: ServerInterceptingCallInterface | undefined;
  #message: Buffer | undefined;
  #deadlineTimer: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(
    stream: ServerHttp2Stream,
    origin: CallOrigin,
    options: UnaryServerOptions,
    handlers: RunningTasks,
  ) {
    this.#stream = stream;
    this.#origin = origin;
    this.#options = options;
    this.#handlers = handlers;
    this.#frame = new MessageFrame(origin.head.encoding, options.maxReceiveMessageBytes);
    this.#deadlineMs = performance.now() + origin.head.timeoutMs;
    // Before grpc-js listens: what is refused here never reaches its buffers.
    stream.on("data", (chunk: Buffer) => this.#onBody(chunk));
  }

  /** Takes over the call that grpc-js made for the stream. */
  start(call: ServerInterceptingCallInterface): void {
    this.#call = call;
    const { timeoutMs } = this.#origin.head;
    if (timeoutMs <= TIMER_MS_MAX) {
      const code = GrpcCode.DEADLINE_EXCEEDED;
      const message = `the deadline of ${timeoutMs} ms is over`;
      this.#deadlineTimer = setTimeout(() => this.#refuse({ code, message }), timeoutMs);
    }
    call.start({
      onReceiveMetadata: () => call.startRead(),
      onReceiveMessage: (message: Buffer) => {
        this.#message = message;
        call.startRead();
      },
      onReceiveHalfClose: () => this.#onBodyEnd(),
      onCancel: () => this.#close(),
    });
  }

  #onBody(chunk: Buffer): void {
    if (this.#isOver) return;
    const fault = this.#frame.accept(chunk);
    if (fault !== undefined) this.#refuse(fault);
  }

  #onBodyEnd(): void {
    if (this.#isOver) return;
    const fault = this.#frame.end();
    if (fault !== undefined || this.#message === undefined) {
      this.#refuse(fault ?? { code: GrpcCode.INTERNAL, message: "no message was received" });
      return;
    }
    const { encoding } = this.#origin.head;
    if (encoding === "identity" || !this.#frame.isCompressed) {
      this.#handle(this.#message);
      return;
    }
    const limitBytes = this.#options.maxReceiveMessageBytes;
    decompress(this.#message, encoding, limitBytes, (result) => {
      if (this.#isOver) return;
      if ("bytes" in result) this.#handle(result.bytes);
      else if (result.fault === "format") {
        this.#refuse({ code: GrpcCode.INTERNAL, message: `the message is not ${encoding} data` });
      } else {
        this.#refuse(messageTooLarge(`more than ${limitBytes} bytes decompressed`, limitBytes));
      }
    });
  }

  #handle(message: Uint8Array): void {
    this.#message = undefined;
    const { path, peer, rawHeaders, handler } = this.#origin;
    const request = new ReceivedCall(path, message, peer, this.#deadlineMs, rawHeaders);
    this.#handlers.started();
    void this.#answer(handler, request).finally(() => this.#handlers.ended());
  }

  async #answer(handler: UnaryHandler, request: UnaryCall): Promise<void> {
    try {
      const response = asBuffer(await handler(request));
      if (this.#isOver) return;
      this.#call?.sendMessage(response, () => this.#send({ code: GrpcCode.OK, details: "" }));
    } catch (error) {
      const trailers = statusTrailers(error);
      if (trailers === undefined) {
        this.#send({ code: GrpcCode.INTERNAL, details: HANDLER_BUG_MESSAGE });
        this.#options.onHandlerBug(error, request.path);
        return;
      }
      this.#send({
        code: trailers.code,
        details: trailers.message,
        metadata: detailsMetadata(trailers.details),
      });
    }
  }

  #refuse(fault: FrameFault): void {
    this.#send({ code: fault.code, details: fault.message });
    // The rest of the body is of no use: RFC 9113, section 8.1, lets a server say so without an error.
    this.#stream.close(constants.NGHTTP2_NO_ERROR);
  }

  #send(status: Status): void {
    if (this.#isOver) return;
    this.#close();
    this.#call?.sendStatus(status);
  }

  #close(): void {
    this.#isOver = true;
    this.#message = undefined;
    clearTimeout(this.#deadlineTimer);
  }
}

/** Metadata is read off the headers only when somebody asks: most calls go without. */
class ReceivedCall implements UnaryCall {
  readonly path: string;
  readonly message: Uint8Array;
  readonly peer: string;
  readonly deadlineMs: number;
  readonly #rawHeaders: readonly string[];
  #metadata: Metadata | undefined;

  constructor(
    path: string,
    message: Uint8Array,
    peer: string,
    deadlineMs: number,
    rawHeaders: readonly string[],
  ) {
    this.path = path;
    this.message = message;
    this.peer = peer;
    this.deadlineMs = deadlineMs;
    this.#rawHeaders = rawHeaders;
  }

  get metadata(): Metadata {
    this.#metadata ??= metadataFromHeaders(this.#rawHeaders);
    return this.#metadata;
  }
}

function detailsMetadata(details: Uint8Array | undefined): GrpcJsMetadata | null {
  if (details === undefined) return null;
  const metadata = new GrpcJsMetadata();
  metadata.set("grpc-status-details-bin", asBuffer(details));
  return metadata;
}
