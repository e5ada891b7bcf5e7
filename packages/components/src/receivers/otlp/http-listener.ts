import type { Server as HttpServer, IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import cors from "@fastify/cors";
import type { ComponentSettings, Signal } from "@inode-gateway/contract";
import { bindServer, type ServerTls } from "@inode-gateway/grpc";
import {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  fastify,
} from "fastify";
import { listenError } from "../../transport/endpoint.js";
import { otlpNames } from "../../transport/otlp-names.js";
import { isOtherProtocol } from "./connection-failure.js";
import type { HttpConfig } from "./http-config.js";
import { HttpConnections } from "./http-connections.js";
import { corsDelegate } from "./http-cors.js";
import { HttpExport } from "./http-export.js";
import { encodingOf, peerOf } from "./http-headers.js";
import { failureReply, type HttpReply, requestErrorReply } from "./http-reply.js";
import {
  createHttpServer,
  HTTP2_WINDOW_BYTES,
  type HttpHandler,
  replaceHttpTls,
} from "./http-server.js";
import type { Intake } from "./intake.js";

/**
 * How long the rest of an unread body is thrown away after its request was refused. Closing at once
 * would reset the connection, and the sender would never see the answer.
 */
const LINGER_MS = 5_000;

/** OTLP/HTTP: one path per signal that has a pipeline, HTTP/1.1, over TLS also HTTP/2. */
export class HttpListener {
  readonly #settings: ComponentSettings;
  readonly #config: HttpConfig;
  readonly #intake: Intake;
  readonly #export: HttpExport;
  readonly #connections: HttpConnections;
  readonly #signalByPath: ReadonlyMap<string, Signal>;
  #app: FastifyInstance | undefined;
  #server: HttpServer | undefined;
  #address: string | undefined;
  #isStopping = false;

  constructor(settings: ComponentSettings, config: HttpConfig, intake: Intake) {
    this.#settings = settings;
    this.#config = config;
    this.#intake = intake;
    this.#export = new HttpExport(settings, config, intake);
    const { max_connection_age: maxAgeMs, max_connection_age_grace: graceMs } =
      config.keepalive.server_parameters;
    this.#connections = new HttpConnections({
      clock: settings.clock,
      random: settings.random,
      age: { maxAgeMs, graceMs },
      windowBytes: HTTP2_WINDOW_BYTES,
      onClosed: (reason, peer) => intake.noteClosedConnection(reason, peer),
    });
    this.#signalByPath = new Map(intake.signals.map((signal) => [pathOf(signal, config), signal]));
  }

  /** `host:port` as bound, or `unix:` and the path; undefined before `listen`. */
  get address(): string | undefined {
    return this.#address;
  }

  /** Connections that are open now. */
  get connectionCount(): number {
    return this.#connections.count;
  }

  /** @throws Error naming the key, the endpoint and the way out when it cannot be taken */
  async listen(tls: ServerTls | undefined): Promise<void> {
    const { endpoint, transport } = this.#config;
    let server: HttpServer | undefined;
    const app = fastify({
      serverFactory: (handler) => {
        server = createHttpServer(handler as HttpHandler, {
          tls,
          headersTimeoutMs: this.#config.read_header_timeout,
          idleTimeoutMs: this.#config.idle_timeout,
          maxConnections: this.#config.max_connections,
          connections: this.#connections,
          onTlsError: (error, peer) => this.#intake.noteConnectionError(error, peer),
        });
        return server;
      },
      exposeHeadRoutes: false,
      // Bad URLs never reach a route, so no hook of ours would see them.
      frameworkErrors: (error, request, reply) => {
        this.#onFrameworkError(error, request, reply);
      },
      clientErrorHandler: (error, socket) => this.#onClientError(error, socket as Socket),
    });
    this.#app = app;
    await this.#addRoutes(app);
    await app.ready();
    try {
      if (server === undefined) throw new Error("fastify made no server");
      this.#address = await bindServer(server, endpoint, transport);
    } catch (error) {
      await app.close();
      throw listenError("protocols::http::endpoint", endpoint, error);
    }
    this.#server = server;
    // Such as too many open files: the next connection may succeed.
    server.on("error", (error) => this.#intake.noteConnectionError(error, endpoint));
    this.#settings.logger.info("Receiving OTLP", { endpoint: this.#address, transport: "http" });
  }

  /** Changes what the next handshakes see. @throws Error when OpenSSL cannot use it; nothing changes */
  replaceTls(tls: ServerTls): void {
    if (this.#server !== undefined) replaceHttpTls(this.#server, tls);
  }

  /** Refuses new requests, lets running ones end until `deadlineMs`, closes all connections. */
  async shutdown(deadlineMs: number): Promise<void> {
    this.#isStopping = true;
    const server = this.#server;
    const app = this.#app;
    this.#server = undefined;
    this.#app = undefined;
    const closed = server && new Promise<void>((resolve) => server.close(() => resolve()));
    await this.#connections.stop(deadlineMs);
    await app?.close();
    await closed;
  }

  async #addRoutes(app: FastifyInstance): Promise<void> {
    const delegate = corsDelegate(this.#config.cors);
    if (delegate !== undefined) await app.register(cors, () => delegate);
    if (this.#config.cors !== undefined && delegate === undefined) {
      this.#settings.logger.warn("The CORS settings have no effect without `allowed_origins`");
    }
    app.removeAllContentTypeParsers();
    // Bodies are read by the route, after everything that can be refused without them.
    app.addContentTypeParser("*", (_request, _payload, done) => done(null));
    app.addHook("onRequest", async (request, reply) => {
      reply.headers(this.#config.response_headers);
      const { headers, httpVersion } = request.raw;
      if (httpVersion !== "1.1" || headers.host !== undefined) return;
      // RFC 9112, section 3.2.
      const encoding = encodingOf(headers["content-type"]);
      await this.#send(request, reply, requestErrorReply(400, "header Host is missing", encoding));
    });
    for (const [url, signal] of this.#signalByPath) {
      app.post(url, (request, reply) => this.#onExport(signal, request, reply));
    }
    app.setNotFoundHandler((request, reply) => this.#onNotFound(request, reply));
    app.setErrorHandler((error, request, reply) =>
      this.#onFrameworkError(error as FastifyError, request, reply),
    );
  }

  async #onExport(
    signal: Signal,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<FastifyReply> {
    if (this.#isStopping) {
      const encoding = encodingOf(request.headers["content-type"]);
      return this.#send(request, reply, failureReply(this.#intake.rejectShuttingDown(), encoding));
    }
    const writeTimeoutMs = this.#config.write_timeout;
    if (writeTimeoutMs > 0) this.#limitWriting(reply.raw, writeTimeoutMs);
    const answer = await this.#export.handle(signal, request.raw, () => {
      this.#connections.bodyBegins(request.raw);
      if (request.headers.expect?.toLowerCase() === "100-continue") continueInTurn(reply.raw);
    });
    if (answer !== undefined) return this.#send(request, reply, answer);
    reply.hijack();
    reply.raw.destroy();
    return reply;
  }

  #onNotFound(request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const path = request.url.split("?", 1)[0] ?? "";
    const encoding = encodingOf(request.headers["content-type"]);
    if (this.#signalByPath.has(path)) {
      const message = `method ${request.method} is not allowed on ${path}, use POST`;
      return this.#send(request, reply, {
        ...requestErrorReply(405, message, encoding),
        allow: "POST",
      });
    }
    const paths = [...this.#signalByPath.keys()].join(", ");
    const message = `no pipeline takes requests on ${path}; this receiver has ${paths}`;
    return this.#send(request, reply, requestErrorReply(404, message, encoding));
  }

  #onFrameworkError(
    error: FastifyError,
    request: FastifyRequest,
    reply: FastifyReply,
  ): FastifyReply {
    const encoding = encodingOf(request.headers["content-type"]);
    const httpStatus = error.statusCode ?? 500;
    if (httpStatus === 415) this.#intake.counters.rejected("unsupported");
    const answer =
      httpStatus < 500
        ? requestErrorReply(httpStatus, error.message, encoding)
        : failureReply(this.#intake.reportBug("http", error), encoding);
    return this.#send(request, reply, answer);
  }

  /** For bytes that are no HTTP request, or none in time: there is no request object to answer. */
  #onClientError(error: Error & { code?: string }, socket: Socket): void {
    if (error.code === "ERR_HTTP_REQUEST_TIMEOUT") {
      this.#intake.noteClosedConnection("header_timeout", peerOf(socket));
    }
    if (error.code === "ECONNRESET" || !socket.writable) {
      socket.destroy();
      return;
    }
    if (isOtherProtocol(error)) this.#intake.noteConnectionError(error, peerOf(socket));
    const [httpStatus, reason] = clientErrors.get(error.code ?? "") ?? [400, "Bad Request"];
    const { body, contentType } = requestErrorReply(httpStatus, error.message, undefined);
    socket.end(
      `HTTP/1.1 ${httpStatus} ${reason}\r\nContent-Type: ${contentType}\r\n` +
        `Content-Length: ${body.byteLength}\r\nConnection: close\r\n\r\n${body.toString()}`,
    );
    // Who neither reads nor closes would keep its connection for ever.
    const timer = this.#settings.clock.setTimer(LINGER_MS, () => socket.destroy());
    socket.once("close", () => timer.cancel());
  }

  #send(request: FastifyRequest, reply: FastifyReply, answer: HttpReply): FastifyReply {
    const isHttp1 = request.raw.httpVersionMajor === 1;
    if (isHttp1 && this.#isLastAnswer(request.raw.socket)) {
      reply.header("connection", "close");
    }
    if (answer.retryAfterSeconds !== undefined) {
      reply.header("retry-after", String(answer.retryAfterSeconds));
    }
    if (answer.allow !== undefined) reply.header("allow", answer.allow);
    if (answer.challenge !== undefined) reply.header("www-authenticate", answer.challenge);
    this.#connections.answered(request.raw);
    if (!request.raw.complete) this.#linger(request.raw);
    return reply
      .code(answer.httpStatus)
      .header("content-type", answer.contentType)
      .send(answer.body);
  }

  #isLastAnswer(socket: Socket): boolean {
    if (this.#isStopping || !this.#config.keep_alives_enabled) return true;
    return this.#connections.isOld(socket);
  }

  #linger(request: IncomingMessage): void {
    this.#connections.bodyBegins(request);
    request.resume();
    const timer = this.#settings.clock.setTimer(LINGER_MS, () => {
      this.#connections.bodyCutOff(request);
      request.destroy();
    });
    request.once("close", () => timer.cancel());
  }

  #limitWriting(response: ServerResponse, timeoutMs: number): void {
    const timer = this.#settings.clock.setTimer(timeoutMs, () => response.destroy());
    response.once("close", () => timer.cancel());
  }
}

/**
 * Says 100 Continue when it is this answer's turn: Node would put it behind the head of an answer that
 * waits for the one to an earlier request on the connection.
 */
function continueInTurn(response: ServerResponse): void {
  if (response.socket !== null) {
    response.writeContinue();
    return;
  }
  response.once("socket", () => {
    if (!response.headersSent) response.writeContinue();
  });
}

const clientErrors: ReadonlyMap<string, readonly [number, string]> = new Map([
  ["HPE_HEADER_OVERFLOW", [431, "Request Header Fields Too Large"]],
  ["ERR_HTTP_REQUEST_TIMEOUT", [408, "Request Timeout"]],
]);

function pathOf(signal: Signal, config: HttpConfig): string {
  switch (signal) {
    case "traces":
      return config.traces_url_path;
    case "metrics":
      return config.metrics_url_path;
    case "logs":
      return config.logs_url_path;
    case "profiles":
      return otlpNames.profiles.httpPath;
  }
}
