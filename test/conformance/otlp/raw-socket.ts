import { connect, type Socket } from "node:net";
import { waitUntil } from "@inode-gateway/testkit";

/** A TCP connection on which a test writes what no HTTP client would. */
export class RawConnection {
  readonly #socket: Socket;
  #received = "";
  #isClosed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.#received += chunk.toString("latin1");
    });
    socket.on("close", () => {
      this.#isClosed = true;
    });
    // A reset is one of the outcomes that tests look at through `isClosed`.
    socket.on("error", () => undefined);
  }

  /** @param url such as `http://127.0.0.1:4318` */
  static async open(url: string): Promise<RawConnection> {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    await new Promise((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    return new RawConnection(socket);
  }

  /** Everything received so far. */
  get received(): string {
    return this.#received;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  write(data: string | Uint8Array): void {
    this.#socket.write(data);
  }

  /** Closes without a goodbye, as a process that is killed does. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  async receive(text: string): Promise<string> {
    await waitUntil(() => this.#received.includes(text), {
      description: `"${text}" in ${JSON.stringify(this.#received.slice(0, 400))}`,
    });
    return this.#received;
  }

  async closed(): Promise<void> {
    await waitUntil(() => this.#isClosed, { description: "connection is closed by the server" });
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

/** The head of a protobuf POST to `/v1/traces`. */
export function requestHead(...headers: readonly string[]): string {
  const lines = ["POST /v1/traces HTTP/1.1", "Host: test", "Content-Type: application/x-protobuf"];
  return `${[...lines, ...headers].join("\r\n")}\r\n\r\n`;
}
