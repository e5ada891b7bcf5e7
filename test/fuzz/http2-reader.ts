import { Flag, FrameType, frame } from "../conformance/floods/frames.js";
import { type Field, HpackDecoder } from "./hpack-decoder.js";
import { httpProblem } from "./http1-reader.js";
import type { ResponseReader } from "./response-reader.js";

/** Largest frame a server may send to a client that allows no larger one (RFC 9113, section 4.2). */
const FRAME_BYTES_MAX = 16_384;
const FRAME_HEADER_BYTES = 9;
const LAST_ERROR_CODE = 13;
const PUSH_PROMISE = 5;
const NO_BYTES = Buffer.alloc(0);
/**
 * Codes for a call that may be broken: OK, CANCELLED, INVALID_ARGUMENT, DEADLINE_EXCEEDED,
 * RESOURCE_EXHAUSTED (too large), UNIMPLEMENTED, INTERNAL (the framing of gRPC is broken).
 */
const legalCodes: ReadonlySet<string> = new Set(["0", "1", "3", "4", "8", "12", "13"]);
/** Statuses of HTTP that a gRPC server gives to what is no gRPC call. */
const legalGrpcHttpStatuses: ReadonlySet<number> = new Set([200, 405, 415]);

interface Stream {
  readonly fields: Field[];
  readonly body: Buffer[];
  headerBlocks: number;
  isEnded: boolean;
}

/** What is spoken over HTTP/2. */
export type Http2Protocol = "grpc" | "http";

/** Reads answers over HTTP/2, whatever was sent: frames, header blocks, the rules of streams. */
export class Http2Reader implements ResponseReader {
  readonly outcomes: string[] = [];
  readonly #problems: string[] = [];
  readonly #expected: number;
  readonly #protocol: Http2Protocol;
  readonly #hpack = new HpackDecoder();
  readonly #streams = new Map<number, Stream>();
  #received: Buffer = NO_BYTES;
  #headers: { streamId: number; isLast: boolean; blocks: Buffer[] } | undefined;
  #isGoingAway = false;
  #frames = 0;

  /** @param expected streams after whose end nothing more will come */
  constructor(protocol: Http2Protocol, expected: number) {
    this.#protocol = protocol;
    this.#expected = expected;
  }

  get isComplete(): boolean {
    return this.#isGoingAway || this.outcomes.length >= this.#expected;
  }

  take(chunk: Buffer): Buffer | undefined {
    this.#received = Buffer.concat([this.#received, chunk]);
    const replies: Buffer[] = [];
    while (this.#problems.length === 0 && this.#received.length >= FRAME_HEADER_BYTES) {
      const length = this.#received.readUIntBE(0, 3);
      if (length > FRAME_BYTES_MAX) this.#problems.push(`a frame of ${length} bytes`);
      const end = FRAME_HEADER_BYTES + length;
      if (this.#received.length < end) break;
      const [type, flags] = [this.#received.readUInt8(3), this.#received.readUInt8(4)];
      const streamId = this.#received.readUInt32BE(5);
      const payload = this.#received.subarray(FRAME_HEADER_BYTES, end);
      this.#received = this.#received.subarray(end);
      this.#frame(type, flags, streamId, payload);
      if (type === FrameType.SETTINGS && (flags & Flag.ACK) === 0) {
        replies.push(frame(FrameType.SETTINGS, Flag.ACK, 0, NO_BYTES));
      }
    }
    return replies.length === 0 ? undefined : Buffer.concat(replies);
  }

  problems(wasReset: boolean): string[] {
    if (this.#problems.length > 0 || wasReset) return this.#problems;
    if (this.#received.length > 0) return [`half a frame of ${this.#received.length} bytes`];
    return this.#headers === undefined ? [] : ["headers without their end"];
  }

  #frame(type: number, flags: number, streamId: number, payload: Buffer): void {
    const wrong = this.#frameProblem(type, streamId, payload.length);
    if (wrong !== undefined) {
      this.#problems.push(`${wrong}: frame type ${type}, stream ${streamId}, ${payload.length} B`);
      return;
    }
    this.#frames++;
    if (type === FrameType.GOAWAY) this.#goaway(payload);
    else if (type === FrameType.RST_STREAM) this.#reset(streamId, payload.readUInt32BE(0));
    else if (type === FrameType.DATA) this.#data(streamId, flags, payload);
    else if (type === FrameType.HEADERS || type === FrameType.CONTINUATION) {
      this.#headerBlock(type, flags, streamId, payload);
    }
  }

  #frameProblem(type: number, streamId: number, bytes: number): string | undefined {
    if (this.#frames === 0 && type !== FrameType.SETTINGS) return "the first frame is no SETTINGS";
    if (type > FrameType.CONTINUATION || type === FrameType.PRIORITY || type === PUSH_PROMISE) {
      return "a type that a server never sends";
    }
    const isBroken = this.#headers !== undefined && type !== FrameType.CONTINUATION;
    if (isBroken) return "a frame between headers and their end";
    const isForStream = streamTypes.has(type);
    if (isForStream ? streamId % 2 === 0 : streamId !== 0) {
      if (type !== FrameType.WINDOW_UPDATE) return "a stream that this type cannot have";
    }
    const isSized = type === FrameType.SETTINGS ? bytes % 6 === 0 : lengthIsLegal(type, bytes);
    return isSized ? undefined : "a length that this type cannot have";
  }

  #goaway(payload: Buffer): void {
    const code = payload.readUInt32BE(4);
    if (code > LAST_ERROR_CODE) this.#problems.push(`GOAWAY with code ${code}`);
    this.#isGoingAway = true;
    this.outcomes.push(`goaway ${code}`);
  }

  #reset(streamId: number, code: number): void {
    // Any code is legal here (RFC 9113, section 7): a server may repeat the one that it was sent.
    const stream = this.#stream(streamId);
    // A server that has answered may say that it needs no more of the request.
    if (!stream.isEnded) this.outcomes.push(`reset ${code}`);
    stream.isEnded = true;
  }

  #data(streamId: number, flags: number, payload: Buffer): void {
    const stream = this.#stream(streamId);
    if (stream.isEnded || stream.headerBlocks === 0) {
      this.#problems.push(`DATA ${stream.isEnded ? "behind the end" : "before headers"}`);
      return;
    }
    stream.body.push(payload);
    if ((flags & Flag.END_STREAM) !== 0) this.#end(stream);
  }

  #headerBlock(type: number, flags: number, streamId: number, payload: Buffer): void {
    if (type === FrameType.HEADERS) {
      const isLast = (flags & Flag.END_STREAM) !== 0;
      this.#headers = { streamId, isLast, blocks: [] };
    }
    const headers = this.#headers;
    if (headers?.streamId !== streamId) {
      this.#problems.push(`CONTINUATION of stream ${streamId} without headers`);
      return;
    }
    headers.blocks.push(payload);
    if ((flags & Flag.END_HEADERS) === 0) return;
    this.#headers = undefined;
    const stream = this.#stream(streamId);
    if (stream.isEnded || stream.headerBlocks++ > 1) {
      this.#problems.push("headers behind the end of an answer");
      return;
    }
    try {
      stream.fields.push(...this.#hpack.decode(Buffer.concat(headers.blocks)));
    } catch (error) {
      this.#problems.push(`header block: ${String(error)}`);
      return;
    }
    if (headers.isLast) this.#end(stream);
  }

  #end(stream: Stream): void {
    stream.isEnded = true;
    const fields = Object.fromEntries(stream.fields);
    const body = Buffer.concat(stream.body);
    const status = Number(fields[":status"] ?? Number.NaN);
    const problem =
      this.#protocol === "http" ? httpProblem(status, fields, body) : grpcProblem(fields, body);
    const code = fields["grpc-status"];
    this.outcomes.push(code === undefined ? `http2 ${status}` : `grpc ${code}`);
    if (problem !== undefined) this.#problems.push(`${problem} ${JSON.stringify(fields)}`);
  }

  #stream(streamId: number): Stream {
    let stream = this.#streams.get(streamId);
    if (stream === undefined) {
      stream = { fields: [], body: [], headerBlocks: 0, isEnded: false };
      this.#streams.set(streamId, stream);
    }
    return stream;
  }
}

const streamTypes: ReadonlySet<number> = new Set([
  FrameType.DATA,
  FrameType.HEADERS,
  FrameType.RST_STREAM,
  FrameType.CONTINUATION,
]);

function lengthIsLegal(type: number, bytes: number): boolean {
  if (type === FrameType.PING) return bytes === 8;
  if (type === FrameType.GOAWAY) return bytes >= 8;
  if (type === FrameType.RST_STREAM || type === FrameType.WINDOW_UPDATE) return bytes === 4;
  return true;
}

/** What is wrong with a gRPC answer; undefined when nothing is. */
function grpcProblem(fields: Readonly<Record<string, string>>, body: Buffer): string | undefined {
  const status = Number(fields[":status"] ?? Number.NaN);
  if (!legalGrpcHttpStatuses.has(status)) return `HTTP status ${status}`;
  const code = fields["grpc-status"];
  if (status !== 200) return body.length === 0 ? undefined : `HTTP ${status} with a body`;
  if (code === undefined || !legalCodes.has(code)) return `grpc-status ${code}`;
  if (!fields["content-type"]?.startsWith("application/grpc")) return "not application/grpc";
  if (code !== "0") {
    if (body.length > 0) return `grpc-status ${code} with a message`;
    return fields["grpc-message"] ? undefined : `grpc-status ${code} without grpc-message`;
  }
  const isWhole = body.length >= 5 && body.readUInt32BE(1) === body.length - 5;
  return isWhole && body[0] === 0 ? undefined : `OK with a message of ${body.length} bytes`;
}
