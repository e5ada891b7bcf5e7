import { connect, type Socket } from "node:net";

/** How requests are sent over one connection. */
export interface Http1LoadOptions {
  readonly port: number;
  /** Whole requests, head and body, sent in turn beginning at `offset`. */
  readonly requests: readonly Uint8Array[];
  readonly offset: number;
}

const headEnd = Buffer.from("\r\n\r\n");

/** Sends HTTP/1.1 requests over one connection, the next one when the last is answered. */
export class Http1Load {
  readonly #options: Http1LoadOptions;
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #sent: number;
  #isStopping = false;
  #isInFlight = false;
  failures = 0;
  answers = 0;

  constructor(options: Http1LoadOptions) {
    this.#options = options;
    this.#sent = options.offset;
    this.#socket = connect({ port: options.port, host: "127.0.0.1", noDelay: true });
    this.#socket.on("data", (bytes) => this.#onData(bytes));
    this.#socket.on("error", () => undefined);
    this.#socket.on("close", () => {
      if (this.#isInFlight) this.failures++;
      this.#isInFlight = false;
    });
    this.#send();
  }

  /** Sends nothing new; resolves when the request in flight is answered. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    while (this.#isInFlight) await new Promise((resolve) => setImmediate(resolve));
    this.#socket.destroy();
  }

  #send(): void {
    const { requests } = this.#options;
    this.#isInFlight = true;
    this.#socket.write(requests[this.#sent++ % requests.length] ?? headEnd);
  }

  #onData(bytes: Buffer): void {
    this.#received = Buffer.concat([this.#received, bytes]);
    const end = this.#received.indexOf(headEnd);
    if (end < 0) return;
    const head = this.#received.toString("latin1", 0, end);
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
    if (this.#received.byteLength < end + headEnd.byteLength + length) return;
    this.#received = this.#received.subarray(end + headEnd.byteLength + length);
    this.#isInFlight = false;
    if (head.startsWith("HTTP/1.1 200")) this.answers++;
    else this.failures++;
    if (!this.#isStopping) this.#send();
  }
}

/** The bytes of one POST request. */
export function http1Request(path: string, contentType: string, body: Uint8Array): Uint8Array {
  const head =
    `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: ${contentType}\r\n` +
    `content-length: ${body.byteLength}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}
