import { connect, type Socket } from "node:net";

const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
/** What the peer must accept without being asked (RFC 9113, section 4.2). */
const maxFrameBytes = 16_384;
const frameHeaderBytes = 9;
const FrameType = {
  data: 0,
  headers: 1,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
} as const;
const endStreamFlag = 1;
const endHeadersFlag = 4;
const ackFlag = 1;
const initialWindowSizeSetting = 4;

/** How requests are sent over one connection. */
export interface Http2LoadOptions {
  readonly port: number;
  readonly path: string;
  readonly isGzip: boolean;
  /** Requests in flight on this connection. */
  readonly concurrency: number;
  /** gRPC message frames, sent in turn beginning at `offset`. */
  readonly messages: readonly Uint8Array[];
  readonly offset: number;
}

interface Stream {
  window: number;
  unsent: Uint8Array | undefined;
}

/**
 * Sends unary gRPC calls over one plaintext HTTP/2 connection as fast as answers come.
 *
 * Writes frames straight to the socket, so that the generator costs a fraction of what it measures.
 * It reads no response headers: what arrived is counted at the sink, never here.
 */
export class Http2Load {
  readonly #options: Http2LoadOptions;
  readonly #headerBlock: Buffer;
  readonly #socket: Socket;
  readonly #streams = new Map<number, Stream>();
  #received: Buffer = Buffer.alloc(0);
  #nextStreamId = 1;
  #sent: number;
  #connectionWindow = 65_535;
  #peerStreamWindow = 65_535;
  #unacknowledgedBytes = 0;
  #isStopping = false;
  /** Calls that were reset or cut off by the server. */
  failures = 0;
  /** Calls that ended with a response. */
  answers = 0;

  constructor(options: Http2LoadOptions) {
    this.#options = options;
    this.#sent = options.offset;
    this.#headerBlock = encodeHeaders(options);
    this.#socket = connect({ port: options.port, host: "127.0.0.1", noDelay: true });
    this.#socket.on("data", (bytes) => this.#onData(bytes));
    this.#socket.on("error", () => undefined);
    this.#socket.on("close", () => {
      this.failures += this.#streams.size;
      this.#streams.clear();
    });
    this.#socket.write(Buffer.concat([preface, frame(FrameType.settings, 0, 0, Buffer.alloc(0))]));
    for (let index = 0; index < options.concurrency; index++) this.#startRequest();
  }

  /** Sends nothing new; resolves when every call in flight is answered. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    while (this.#streams.size > 0) await new Promise((resolve) => setImmediate(resolve));
    this.#socket.destroy();
  }

  #startRequest(): void {
    const id = this.#nextStreamId;
    this.#nextStreamId += 2;
    const message = this.#options.messages[this.#sent++ % this.#options.messages.length];
    const stream = { window: this.#peerStreamWindow, unsent: message };
    this.#streams.set(id, stream);
    this.#socket.cork();
    this.#socket.write(frame(FrameType.headers, endHeadersFlag, id, this.#headerBlock));
    this.#sendData(id, stream);
    this.#socket.uncork();
  }

  #sendData(id: number, stream: Stream): void {
    while (stream.unsent !== undefined) {
      const room = Math.min(this.#connectionWindow, stream.window, maxFrameBytes);
      if (room <= 0) return;
      const part = stream.unsent.subarray(0, room);
      const isLast = part.byteLength === stream.unsent.byteLength;
      this.#connectionWindow -= part.byteLength;
      stream.window -= part.byteLength;
      stream.unsent = isLast ? undefined : stream.unsent.subarray(room);
      this.#socket.write(
        frameHeader(part.byteLength, FrameType.data, isLast ? endStreamFlag : 0, id),
      );
      this.#socket.write(part);
    }
  }

  #onData(bytes: Buffer): void {
    const received =
      this.#received.byteLength === 0 ? bytes : Buffer.concat([this.#received, bytes]);
    let offset = 0;
    while (received.byteLength - offset >= frameHeaderBytes) {
      const length = received.readUIntBE(offset, 3);
      const end = offset + frameHeaderBytes + length;
      if (end > received.byteLength) break;
      this.#onFrame(
        received[offset + 3] ?? 0,
        received[offset + 4] ?? 0,
        received.readUInt32BE(offset + 5) & 0x7fffffff,
        received.subarray(offset + frameHeaderBytes, end),
      );
      offset = end;
    }
    this.#received = received.subarray(offset);
  }

  #onFrame(type: number, flags: number, streamId: number, payload: Buffer): void {
    switch (type) {
      case FrameType.settings:
        if ((flags & ackFlag) === 0) this.#onSettings(payload);
        break;
      case FrameType.ping:
        if ((flags & ackFlag) === 0) {
          this.#socket.write(frame(FrameType.ping, ackFlag, 0, payload));
        }
        break;
      case FrameType.windowUpdate:
        this.#onWindowUpdate(streamId, payload.readUInt32BE(0) & 0x7fffffff);
        break;
      case FrameType.rstStream:
        this.#end(streamId, false);
        break;
      case FrameType.data:
        this.#acknowledge(payload.byteLength);
        if ((flags & endStreamFlag) !== 0) this.#end(streamId, true);
        break;
      case FrameType.headers:
        if ((flags & endStreamFlag) !== 0) this.#end(streamId, true);
        break;
      default:
        break;
    }
  }

  #onSettings(payload: Buffer): void {
    for (let offset = 0; offset + 6 <= payload.byteLength; offset += 6) {
      if (payload.readUInt16BE(offset) !== initialWindowSizeSetting) continue;
      const window = payload.readUInt32BE(offset + 2);
      const change = window - this.#peerStreamWindow;
      this.#peerStreamWindow = window;
      for (const stream of this.#streams.values()) stream.window += change;
    }
    this.#socket.write(frame(FrameType.settings, ackFlag, 0, Buffer.alloc(0)));
    for (const [id, stream] of this.#streams) this.#sendData(id, stream);
  }

  #onWindowUpdate(streamId: number, increment: number): void {
    if (streamId === 0) {
      this.#connectionWindow += increment;
      for (const [id, stream] of this.#streams) {
        if (this.#connectionWindow <= 0) break;
        this.#sendData(id, stream);
      }
      return;
    }
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return;
    stream.window += increment;
    this.#sendData(streamId, stream);
  }

  #acknowledge(bytes: number): void {
    this.#unacknowledgedBytes += bytes;
    if (this.#unacknowledgedBytes < 16_384) return;
    const increment = Buffer.alloc(4);
    increment.writeUInt32BE(this.#unacknowledgedBytes);
    this.#unacknowledgedBytes = 0;
    this.#socket.write(frame(FrameType.windowUpdate, 0, 0, increment));
  }

  #end(streamId: number, isAnswered: boolean): void {
    if (!this.#streams.delete(streamId)) return;
    if (isAnswered) this.answers++;
    else this.failures++;
    if (!this.#isStopping && !this.#socket.destroyed) this.#startRequest();
  }
}

function frame(type: number, flags: number, streamId: number, payload: Uint8Array): Buffer {
  return Buffer.concat([frameHeader(payload.byteLength, type, flags, streamId), payload]);
}

function frameHeader(length: number, type: number, flags: number, streamId: number): Buffer {
  const header = Buffer.alloc(frameHeaderBytes);
  header.writeUIntBE(length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(streamId, 5);
  return header;
}

/** HPACK without a dynamic table: the block is the same for every request (RFC 7541, section 6.2.2). */
function encodeHeaders({ port, path, isGzip }: Http2LoadOptions): Buffer {
  const methodPost = 3;
  const schemeHttp = 6;
  const blocks: Buffer[] = [
    Buffer.of(0x80 | methodPost, 0x80 | schemeHttp),
    literal(":path", path),
    literal(":authority", `127.0.0.1:${port}`),
    literal("content-type", "application/grpc"),
    literal("te", "trailers"),
  ];
  if (isGzip) blocks.push(literal("grpc-encoding", "gzip"));
  return Buffer.concat(blocks);
}

function literal(name: string, value: string): Buffer {
  const text = (part: string) => Buffer.concat([Buffer.of(part.length), Buffer.from(part)]);
  return Buffer.concat([Buffer.of(0), text(name), text(value)]);
}
