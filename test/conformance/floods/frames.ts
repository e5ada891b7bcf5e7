import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { waitUntil } from "@inode-gateway/testkit";

/** Types of HTTP/2 frames (RFC 9113, section 6). */
export const FrameType = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const;

/** Flags of HTTP/2 frames. */
export const Flag = { NONE: 0, END_STREAM: 1, ACK: 1, END_HEADERS: 4 } as const;

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
/** Bytes a flood may have waiting in the kernel and in Node before it pauses. */
const PENDING_BYTES_MAX = 262_144;

/** One frame, legal or not. */
export function frame(type: number, flags: number, streamId: number, payload: Uint8Array): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header.writeUInt8(type, 3);
  header.writeUInt8(flags, 4);
  header.writeUInt32BE(streamId, 5);
  return Buffer.concat([header, payload]);
}

/** A header block of literal fields that are not indexed, without Huffman coding. */
export function headerBlock(fields: readonly (readonly [string, string])[]): Buffer {
  return Buffer.concat(
    fields.flatMap(([name, value]) => [Buffer.of(0), hpackText(name), hpackText(value)]),
  );
}

/** The header block of an ordinary POST. */
export function requestHead(path: string, contentType: string): Buffer {
  return headerBlock([
    [":method", "POST"],
    [":scheme", "http"],
    [":path", path],
    [":authority", "test"],
    ["content-type", contentType],
    ["te", "trailers"],
  ]);
}

// A length with a prefix of seven bits (RFC 7541, section 5.1).
function hpackText(text: string): Buffer {
  const bytes = Buffer.from(text, "latin1");
  if (bytes.length < 127) return Buffer.concat([Buffer.of(bytes.length), bytes]);
  const length = [127];
  let rest = bytes.length - 127;
  for (; rest >= 128; rest = Math.floor(rest / 128)) length.push((rest % 128) + 128);
  return Buffer.concat([Buffer.from([...length, rest]), bytes]);
}

/** An HTTP/2 connection on which a test writes frames as it likes. */
export class FrameConnection {
  readonly socket: Socket;
  #received = Buffer.alloc(0);
  #isClosed = false;
  #goawayCode: number | undefined;
  readonly counts = new Map<number, number>();

  private constructor(socket: Socket, isReading: boolean) {
    this.socket = socket;
    socket.on("close", () => {
      this.#isClosed = true;
    });
    // A reset is one of the outcomes that tests look at through `isClosed`.
    socket.on("error", () => undefined);
    if (isReading) socket.on("data", (chunk: Buffer) => this.#read(chunk));
    else socket.pause();
  }

  /** @param ca of a TLS listener; without it the connection is plaintext */
  static async open(address: string, options: { ca?: Buffer; isReading?: boolean } = {}) {
    const colon = address.lastIndexOf(":");
    const where = { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
    const socket =
      options.ca === undefined
        ? connect(where)
        : connectTls({ ...where, ca: options.ca, ALPNProtocols: ["h2"], servername: "localhost" });
    await new Promise((resolve, reject) => {
      socket.once(options.ca === undefined ? "connect" : "secureConnect", resolve);
      socket.once("error", reject);
    });
    const connection = new FrameConnection(socket, options.isReading ?? true);
    socket.write(Buffer.concat([PREFACE, frame(FrameType.SETTINGS, 0, 0, Buffer.alloc(0))]));
    return connection;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Error code of the GOAWAY received; undefined without one. */
  get goawayCode(): number | undefined {
    return this.#goawayCode;
  }

  write(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  /** Writes what `make` gives, `times` times or until the server has closed the connection. */
  async flood(times: number, make: (index: number) => Uint8Array): Promise<number> {
    let index = 0;
    for (; index < times && !this.#isClosed; index++) {
      this.socket.write(make(index));
      if (this.socket.writableLength > PENDING_BYTES_MAX || index % 256 === 255) {
        await this.#drained();
      }
    }
    return index;
  }

  async closed(): Promise<void> {
    await waitUntil(() => this.#isClosed, { description: "the server closes the connection" });
  }

  async #drained(): Promise<void> {
    await waitUntil(() => this.#isClosed || this.socket.writableLength === 0, {
      description: "the flood is read or its connection closed",
    });
  }

  #read(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    while (this.#received.length >= 9) {
      const end = 9 + this.#received.readUIntBE(0, 3);
      if (this.#received.length < end) return;
      const type = this.#received.readUInt8(3);
      this.counts.set(type, (this.counts.get(type) ?? 0) + 1);
      if (type === FrameType.GOAWAY) this.#goawayCode = this.#received.readUInt32BE(13);
      this.#received = this.#received.subarray(end);
    }
  }
}
