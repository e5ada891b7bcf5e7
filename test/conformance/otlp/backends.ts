import { createServer, type Server as HttpServer, type IncomingHttpHeaders } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type sendUnaryData,
} from "@grpc/grpc-js";
import { loadDefinitions } from "@inode-gateway/testkit";
import { exportPaths } from "./grpc-client.js";

/** What a gRPC backend answers one call with. */
export interface GrpcAnswer {
  /** Default 0. */
  readonly code?: number;
  readonly message?: string;
  readonly response?: Uint8Array;
  /** Seconds of RetryInfo. */
  readonly retrySeconds?: number;
}

/** One call as a backend saw it. */
export interface SeenCall {
  readonly path: string;
  readonly message: Buffer;
  readonly metadata: Metadata;
}

const rpc = loadDefinitions(["google/rpc/status.proto", "google/rpc/error_details.proto"]);

/** A backend of @grpc/grpc-js, without any code of ours. */
export class GrpcBackend {
  readonly calls: SeenCall[] = [];
  readonly endpoint: string;
  /** What the next calls are answered; an unsettled promise never answers. */
  answer: (call: SeenCall) => GrpcAnswer | Promise<GrpcAnswer> = () => ({});
  readonly #server: Server;

  private constructor(server: Server, endpoint: string) {
    this.#server = server;
    this.endpoint = endpoint;
  }

  static async start(
    t: TestContext,
    options: { readonly credentials?: ServerCredentials; readonly maxBytes?: number } = {},
  ): Promise<GrpcBackend> {
    const server = new Server({ "grpc.max_receive_message_length": options.maxBytes ?? -1 });
    const creds = options.credentials ?? ServerCredentials.createInsecure();
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync("127.0.0.1:0", creds, (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    const backend = new GrpcBackend(server, `127.0.0.1:${port}`);
    for (const path of Object.values(exportPaths)) backend.#serve(path);
    t.after(() => backend.stop());
    return backend;
  }

  stop(): void {
    this.#server.forceShutdown();
  }

  #serve(path: string): void {
    const identity = (bytes: Buffer) => bytes;
    this.#server.register(
      path,
      (call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>) => {
        const seen = { path, message: call.request, metadata: call.metadata };
        this.calls.push(seen);
        Promise.resolve(this.answer(seen)).then(
          (answer) => reply(answer, callback),
          (error: Error) => callback({ code: 13, details: error.message }),
        );
      },
      identity,
      identity,
      "unary",
    );
  }
}

function reply(answer: GrpcAnswer, callback: sendUnaryData<Buffer>): void {
  const { code = 0, message = "", response = Buffer.of(), retrySeconds } = answer;
  if (code === 0) {
    callback(null, Buffer.from(response));
    return;
  }
  const metadata = new Metadata();
  if (retrySeconds !== undefined) {
    const retryInfo = rpc.lookupType("google.rpc.RetryInfo");
    const status = rpc.lookupType("google.rpc.Status");
    const seconds = Math.floor(retrySeconds);
    const delay = { seconds, nanos: Math.round((retrySeconds - seconds) * 1e9) };
    const detail = {
      type_url: "type.googleapis.com/google.rpc.RetryInfo",
      value: retryInfo.encode({ retry_delay: delay }).finish(),
    };
    const bytes = status.encode({ code, message, details: [detail] }).finish();
    metadata.set("grpc-status-details-bin", Buffer.from(bytes));
  }
  callback({ code, details: message, metadata });
}

/** One request as a backend saw it. */
export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Port of the client: equal for two requests on one connection. */
  readonly clientPort: number;
}

/** What an HTTP backend answers one request with. */
export interface HttpAnswer {
  /** Default 200. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
}

/** A backend of node:http or node:https. */
export class HttpBackend {
  readonly requests: SeenRequest[] = [];
  readonly url: string;
  /** What the next requests are answered; an unsettled promise never answers. */
  answer: (request: SeenRequest) => HttpAnswer | Promise<HttpAnswer> = () => ({
    headers: { "content-type": "application/x-protobuf" },
  });
  readonly #server: HttpServer;

  private constructor(server: HttpServer, url: string) {
    this.#server = server;
    this.url = url;
  }

  static async start(
    t: TestContext,
    tls?: {
      readonly cert: string;
      readonly key: string;
      readonly ca?: string;
      readonly requestCert?: boolean;
    },
  ): Promise<HttpBackend> {
    const server = tls === undefined ? createServer() : createTlsServer(tls);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const backend = new HttpBackend(
      server,
      `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`,
    );
    backend.#serve();
    t.after(() => backend.stop());
    return backend;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #serve(): void {
    this.#server.on("request", (request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("error", () => undefined);
      request.on("end", () => {
        const seen = {
          method: request.method ?? "",
          url: request.url ?? "",
          headers: request.headers,
          body: Buffer.concat(chunks),
          clientPort: request.socket.remotePort ?? 0,
        };
        this.requests.push(seen);
        Promise.resolve(this.answer(seen)).then(
          ({ body = "", headers = {}, status = 200 }) => {
            response.writeHead(status, headers).end(body);
          },
          () => response.destroy(),
        );
      });
    });
  }
}
