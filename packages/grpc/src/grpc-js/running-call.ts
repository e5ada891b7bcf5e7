import { constants, type ServerHttp2Stream } from "node:http2";
import { Metadata as GrpcJsMetadata, type ServerInterceptingCallInterface } from "@grpc/grpc-js";
import type { CallerFacts } from "../call-admission.js";
import type { CallHead } from "../call-head.js";
import { decompress } from "../decompress.js";
import type { Http2Guard } from "../http2-guard.js";
import { type FrameFault, MessageFrame, messageTooLarge } from "../message-frame.js";
import type { RunningTasks } from "../running-tasks.js";
import { GrpcCode, GrpcStatusError } from "../status.js";
import { HANDLER_BUG_MESSAGE, statusTrailers } from "../status-trailers.js";
import type { UnaryCall, UnaryHandler, UnaryServerOptions } from "../unary-server.js";
import { TIMER_MS_MAX } from "../wait-until.js";
import { asBuffer } from "./as-buffer.js";
import { MessageBudget } from "./message-budget.js";
import { ReceivedCall, type ReceivedHead } from "./received-call.js";
import { refusalOf, refuse } from "./refuse.js";
import type { SlowMessages } from "./slow-messages.js";

/** What the server knows of a call when its headers have been accepted. */
export interface CallOrigin {
  readonly start: ReceivedHead;
  readonly head: CallHead;
  readonly handler: UnaryHandler;
  readonly admission: CallerFacts | undefined | Promise<CallerFacts | undefined>;
  readonly guard: Http2Guard;
}

/** What all calls of a server share. */
export interface CallSurroundings {
  readonly options: UnaryServerOptions;
  readonly handlers: RunningTasks;
  readonly slowMessages: SlowMessages;
}

/**
 * What a compressed message may unfold to before more memory is asked for: above what telemetry
 * reaches, far below the thousandfold of a bomb.
 */
const COMPRESSION_RATIO_EXPECTED = 16;
const UNFOLDED_BYTES_MIN = 65_536;

type Status = Parameters<ServerInterceptingCallInterface["sendStatus"]>[0];

/** One call on a grpc-js server: follows its body, gives its message to the handler, answers once. */
export class RunningCall {
  readonly #stream: ServerHttp2Stream;
  readonly #origin: CallOrigin;
  readonly #shared: CallSurroundings;
  readonly #frame: MessageFrame;
  readonly #deadlineMs: number;
  readonly #budget: MessageBudget;
  #auth: CallerFacts | undefined;
  #isAdmitted = true;
  #isBodyComplete = false;
  #call: ServerInterceptingCallInterface | undefined;
  #message: Buffer | undefined;
  #deadlineTimer: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(stream: ServerHttp2Stream, origin: CallOrigin, shared: CallSurroundings) {
    const { maxReceiveMessageBytes, memory } = shared.options;
    this.#stream = stream;
    this.#origin = origin;
    this.#shared = shared;
    this.#frame = new MessageFrame(origin.head.encoding, maxReceiveMessageBytes);
    this.#budget = new MessageBudget(memory);
    this.#deadlineMs = performance.now() + origin.head.timeoutMs;
    if (origin.admission instanceof Promise) this.#waitFor(origin.admission);
    else this.#auth = origin.admission;
    shared.slowMessages.began(this);
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

  /** Gives up a message that is not complete in time. */
  messageIsLate(limitMs: number): void {
    if (this.#isOver) return;
    const message = `the message is not complete after ${limitMs} ms`;
    this.#refuse({ code: GrpcCode.DEADLINE_EXCEEDED, message });
    this.#shared.options.onSlowMessage?.(this.#origin.start.peer);
  }

  #waitFor(admission: Promise<CallerFacts | undefined>): void {
    this.#isAdmitted = false;
    admission.then(
      (auth) => {
        this.#auth = auth;
        this.#isAdmitted = true;
        this.#proceed();
      },
      (error: unknown) => this.#turnAway(error),
    );
  }

  #onBody(chunk: Buffer): void {
    this.#origin.guard.bodyReceived(chunk.length);
    if (this.#isOver) return;
    const wasSized = this.#frame.messageBytes !== undefined;
    const fault = this.#frame.accept(chunk);
    if (fault !== undefined) {
      this.#refuse(fault);
      return;
    }
    const { messageBytes } = this.#frame;
    if (!wasSized && messageBytes !== undefined) this.#take(messageBytes);
  }

  #onBodyEnd(): void {
    this.#shared.slowMessages.ended(this);
    if (this.#isOver) return;
    const fault = this.#frame.end();
    if (fault !== undefined || this.#message === undefined) {
      this.#refuse(fault ?? { code: GrpcCode.INTERNAL, message: "no message was received" });
      return;
    }
    this.#isBodyComplete = true;
    this.#proceed();
  }

  #proceed(): void {
    if (this.#isOver || !this.#isAdmitted || !this.#isBodyComplete) return;
    const message = this.#message ?? Buffer.alloc(0);
    const { encoding } = this.#origin.head;
    if (encoding === "identity" || !this.#frame.isCompressed) this.#handle(message);
    else {
      const expected = Math.max(message.length * COMPRESSION_RATIO_EXPECTED, UNFOLDED_BYTES_MIN);
      this.#unfold(message, encoding, expected);
    }
  }

  #unfold(message: Buffer, encoding: Exclude<CallHead["encoding"], "identity">, bytes: number) {
    const limitBytes = this.#shared.options.maxReceiveMessageBytes;
    const roomBytes = Math.min(bytes, limitBytes);
    if (!this.#take(roomBytes)) return;
    this.#budget.hold();
    decompress(message, encoding, roomBytes, (result) => {
      this.#budget.unhold();
      if (this.#isOver) return;
      if ("bytes" in result) {
        this.#budget.keepOnly(result.bytes.length);
        this.#handle(result.bytes);
      } else if (result.fault === "format") {
        this.#refuse({ code: GrpcCode.INTERNAL, message: `the message is not ${encoding} data` });
      } else if (roomBytes < limitBytes) {
        this.#budget.keepOnly(message.length);
        this.#unfold(message, encoding, limitBytes);
      } else {
        this.#refuse(messageTooLarge(`more than ${limitBytes} bytes decompressed`, limitBytes));
      }
    });
  }

  #handle(message: Uint8Array): void {
    this.#message = undefined;
    const { handler, start } = this.#origin;
    const request = new ReceivedCall(start, message, this.#deadlineMs, this.#auth);
    this.#shared.handlers.started();
    this.#budget.hold();
    void this.#answer(handler, request).finally(() => {
      this.#budget.unhold();
      this.#shared.handlers.ended();
    });
  }

  async #answer(handler: UnaryHandler, request: UnaryCall): Promise<void> {
    try {
      const response = asBuffer(await handler(request));
      if (this.#isOver) return;
      this.#call?.sendMessage(response, () => this.#send({ code: GrpcCode.OK, details: "" }));
      // From now on the peer has to take it: without a window it is never out.
      this.#origin.guard.answered(this.#stream);
    } catch (error) {
      const trailers = statusTrailers(error);
      if (trailers === undefined) {
        this.#send({ code: GrpcCode.INTERNAL, details: HANDLER_BUG_MESSAGE });
        this.#shared.options.onHandlerBug(error, request.path);
        return;
      }
      this.#send({
        code: trailers.code,
        details: trailers.message,
        metadata: detailsMetadata(trailers.details),
      });
    }
  }

  /** False, and the call turned away, when there is no memory for `bytes` more. */
  #take(bytes: number): boolean {
    const refusal = this.#budget.take(bytes);
    if (refusal !== undefined) this.#turnAway(new GrpcStatusError(refusal));
    return refusal === undefined;
  }

  /** Answers without grpc-js, which would go on collecting the body. */
  #turnAway(error: unknown): void {
    if (this.#isOver) return;
    this.#close();
    const trailers = statusTrailers(error);
    if (trailers === undefined) {
      this.#shared.options.onHandlerBug(error, this.#origin.start.path);
    }
    this.#stream.removeAllListeners("data").removeAllListeners("end");
    refuse(this.#stream, refusalOf(trailers ?? handlerBug), this.#origin.guard);
  }

  #refuse(fault: FrameFault): void {
    if (this.#isOver) return;
    this.#send({ code: fault.code, details: fault.message });
    if (!this.#stream.readableEnded) this.#origin.guard.bodyCutOff(this.#stream);
    // The rest of the body is of no use: RFC 9113, section 8.1, lets a server say so without an error.
    this.#stream.close(constants.NGHTTP2_NO_ERROR);
  }

  #send(status: Status): void {
    if (this.#isOver) return;
    this.#close();
    this.#origin.guard.answered(this.#stream);
    this.#call?.sendStatus(status);
  }

  #close(): void {
    this.#isOver = true;
    this.#message = undefined;
    this.#budget.close();
    if (!this.#isBodyComplete) this.#shared.slowMessages.ended(this);
    clearTimeout(this.#deadlineTimer);
  }
}

const handlerBug = { code: GrpcCode.INTERNAL, message: HANDLER_BUG_MESSAGE, details: undefined };

function detailsMetadata(details: Uint8Array | undefined): GrpcJsMetadata | null {
  if (details === undefined) return null;
  const metadata = new GrpcJsMetadata();
  metadata.set("grpc-status-details-bin", asBuffer(details));
  return metadata;
}
