import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";

interface KeptRequest {
  readonly path: string;
  readonly contentType: string;
  readonly contentEncoding: string | undefined;
  readonly body: Buffer;
}

/** Takes OTLP/HTTP at once and sends it on later, as a collector with a queue would. */
export class LateRelay {
  readonly #kept: KeptRequest[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    server.on("request", (request, response) => {
      keep(request).then(
        (kept) => {
          this.#kept.push(kept);
          response.writeHead(200, { "content-type": kept.contentType }).end();
        },
        () => response.destroy(),
      );
    });
  }

  static async listen(): Promise<LateRelay> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new LateRelay(server);
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Requests it keeps. */
  get keptCount(): number {
    return this.#kept.length;
  }

  /** Sends everything on to `host:port`; throws when one request is refused. */
  async sendOn(address: string): Promise<void> {
    for (const { path, contentType, contentEncoding, body } of this.#kept.splice(0)) {
      const headers: Record<string, string> = { "content-type": contentType };
      if (contentEncoding !== undefined) headers["content-encoding"] = contentEncoding;
      const response = await fetch(`http://${address}${path}`, { method: "POST", headers, body });
      if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    }
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

async function keep(request: IncomingMessage): Promise<KeptRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return {
    path: request.url ?? "/",
    contentType: request.headers["content-type"] ?? "",
    contentEncoding: request.headers["content-encoding"],
    body: Buffer.concat(chunks),
  };
}
