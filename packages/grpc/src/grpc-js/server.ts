import type {
  Http2Session,
  IncomingHttpHeaders,
  ServerHttp2Session,
  ServerHttp2Stream,
} from "node:http2";
import type { Socket } from "node:net";
import {
  Server,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerOptions,
} from "@grpc/grpc-js";
import { isRefusal, readCallHead } from "../call-head.js";
import { faultOf, GUARD_INTERVAL_MS, Http2Guard } from "../http2-guard.js";
import { Listener } from "../listener.js";
import { headerListBytes } from "../metadata.js";
import { RunningTasks } from "../running-tasks.js";
import { GrpcCode } from "../status.js";
import { HANDLER_BUG_MESSAGE, statusTrailers } from "../status-trailers.js";
import type { ServerTls } from "../tls.js";
import {
  CONCURRENT_STREAMS_DEFAULT,
  type UnaryHandler,
  type UnaryServer,
  type UnaryServerOptions,
} from "../unary-server.js";
import { TIMER_MS_MAX, waitUntil } from "../wait-until.js";
import { type Http2ServerAccess, openHttp2Server } from "./http2-server.js";
import { ReceivedHead } from "./received-call.js";
import { refusalOf, refuse } from "./refuse.js";
import { type CallOrigin, type CallSurroundings, RunningCall } from "./running-call.js";
import { SlowMessages } from "./slow-messages.js";
import { FLOW_CONTROL_WINDOW_BYTES } from "./window.js";

/** Time a peer has to say that it speaks HTTP/2, after its TLS handshake. */
const PREFACE_TIMEOUT_MS = 20_000;

/** A unary server on grpc-js: which does sessions, framing and keepalive, while the checks are ours. */
export class GrpcJsServer implements UnaryServer {
  readonly #options: UnaryServerOptions;
  readonly #handlers: ReadonlyMap<string, UnaryHandler>;
  readonly #server: Server;
  readonly #http2: Http2ServerAccess;
  readonly #listener: Listener;
  readonly #running = new RunningTasks();
  readonly #slowMessages: SlowMessages;
  readonly #surroundings: CallSurroundings;
  readonly #connections = new Map<Http2Session, Connection>();
  #listening: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;
  #connecting: { readonly socket: Socket; readonly peer: string } | undefined;
  #guardTimer: NodeJS.Timeout | undefined;
  #arriving: RunningCall | undefined;

  constructor(options: UnaryServerOptions, handlers: ReadonlyMap<string, UnaryHandler>) {
    this.#options = options;
    this.#handlers = new Map(handlers);
    this.#slowMessages = new SlowMessages(options.messageTimeoutMs);
    this.#surroundings = { options, handlers: this.#running, slowMessages: this.#slowMessages };
    const interceptors = [(_: unknown, call: ServerInterceptingCallInterface) => this.#adopt(call)];
    this.#server = new Server({ ...serverOptions(options), interceptors });
    for (const path of handlers.keys()) {
      this.#server.register(path, unreachable, identity, identity, "unary");
    }
    this.#http2 = openHttp2Server(this.#server);
    this.#http2.onSession((session) => this.#onSession(session));
    this.#http2.onSessionError((error, session) => this.#onConnectionError(error, session));
    this.#http2.intercept((...request) => this.#onStream(...request));
    this.#listener = new Listener({
      ...options,
      onConnection: (socket, peer) => {
        this.#connecting = { socket, peer };
        this.#http2.inject(socket);
        this.#connecting = undefined;
      },
      onError: (error, peer) => options.onConnectionError?.(error, peer),
      onRefused: (peer) => options.onConnectionClosed?.("max_connections", peer),
    });
  }

  get address(): string | undefined {
    return this.#listener.address;
  }

  get connectionCount(): number {
    return this.#listener.connectionCount;
  }

  async listen(): Promise<void> {
    if (this.#listening !== undefined) throw new Error("the server was asked to listen before");
    if (this.#stopping !== undefined) throw new Error("the server was shut down before");
    this.#listening = this.#listener.listen();
    await this.#listening;
    this.#guardTimer = setInterval(() => this.#guard(), GUARD_INTERVAL_MS).unref();
  }

  replaceTls(tls: ServerTls): void {
    this.#listener.replaceTls(tls);
  }

  async shutdown(deadlineMs: number): Promise<void> {
    this.#stopping ??= this.#stop(deadlineMs);
    await this.#stopping;
  }

  async #stop(deadlineMs: number): Promise<void> {
    // Whoever called listen() hears of its error.
    await this.#listening?.catch(() => undefined);
    this.#listener.close();
    // Not by grpc-js: on Node 24 it takes a session that is closing for closed, with calls under way.
    const ended = [...this.#connections.keys()].map(endSession);
    await waitUntil(Promise.all([...ended, this.#running.whenIdle()]), deadlineMs);
    clearInterval(this.#guardTimer);
    this.#server.forceShutdown();
    await this.#listener.destroyConnections();
  }

  #onSession(session: ServerHttp2Session): void {
    if (this.#connecting === undefined) throw new TypeError("a session came without its socket");
    const { peer, socket } = this.#connecting;
    const options = this.#options;
    const guard = new Http2Guard(session, socket, {
      nowMs: () => performance.now(),
      pings: options.pings,
      windowBytes: FLOW_CONTROL_WINDOW_BYTES,
      onFault: (fault) => options.onConnectionClosed?.(fault, peer),
    });
    session.settings({ initialWindowSize: FLOW_CONTROL_WINDOW_BYTES });
    session.setLocalWindowSize(FLOW_CONTROL_WINDOW_BYTES);
    const timer = setTimeout(() => guard.close("no_preface"), PREFACE_TIMEOUT_MS);
    session.once("remoteSettings", () => clearTimeout(timer));
    this.#connections.set(session, { peer, guard });
    session.once("close", () => {
      clearTimeout(timer);
      this.#connections.delete(session);
    });
  }

  #guard(): void {
    this.#slowMessages.check();
    for (const { guard } of this.#connections.values()) guard.check();
  }

  #onConnectionError(error: Error, session: ServerHttp2Session): void {
    const connection = this.#connections.get(session);
    const fault = faultOf(error);
    // Told to go, clients of Go answer a GOAWAY that names a stream of their own: nghttp2 refuses it.
    if (session.closed && fault === "protocol_error") return;
    if (fault !== undefined) connection?.guard.close(fault);
    this.#options.onConnectionError?.(error, connection?.peer ?? "unknown");
  }

  #onStream(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    rawHeaders: readonly string[],
  ): void {
    const connection = stream.session && this.#connections.get(stream.session);
    if (connection === undefined) {
      stream.destroy();
      return;
    }
    const { guard, peer } = connection;
    guard.requestBegan(stream, headerListBytes(rawHeaders));
    const head = readCallHead(headers, rawHeaders);
    const path = headers[":path"] ?? "";
    if (isRefusal(head)) {
      refuse(stream, head, guard);
      return;
    }
    const handler = this.#handlers.get(path);
    if (handler === undefined) {
      const message = `the server does not implement ${path.slice(0, 256)}`;
      refuse(stream, { code: GrpcCode.UNIMPLEMENTED, message, headers: {} }, guard);
      return;
    }
    const start = new ReceivedHead(path, peer, rawHeaders);
    const admission = this.#admit(start, stream, guard);
    if (admission === false) return;
    const origin: CallOrigin = { start, head, handler, admission, guard };
    this.#arriving = new RunningCall(stream, origin, this.#surroundings);
    // Of the headers grpc-js needs these two; what it would make of the others is done already.
    this.#http2.forward(stream, { ":path": path, "content-type": "application/grpc" });
  }

  /** False when the call was refused. */
  #admit(start: ReceivedHead, stream: ServerHttp2Stream, guard: Http2Guard) {
    try {
      return this.#options.admit?.(start);
    } catch (error) {
      const trailers = statusTrailers(error);
      if (trailers === undefined) this.#options.onHandlerBug(error, start.path);
      const bug = { code: GrpcCode.INTERNAL, message: HANDLER_BUG_MESSAGE, details: undefined };
      refuse(stream, refusalOf(trailers ?? bug), guard);
      return false;
    }
  }

  // grpc-js calls the interceptor before `forward` returns, so the call arriving now is the one.
  #adopt(call: ServerInterceptingCallInterface): ServerInterceptingCall {
    const running = this.#arriving;
    this.#arriving = undefined;
    return new ServerInterceptingCall(call, { start: () => running?.start(call) });
  }
}

interface Connection {
  readonly peer: string;
  readonly guard: Http2Guard;
}

// Refuses new calls at once, and resolves when the running ones have ended and the connection with them.
function endSession(session: Http2Session): Promise<void> {
  return new Promise((resolve) => {
    session.once("close", () => resolve());
    session.close();
  });
}

function serverOptions(options: UnaryServerOptions): ServerOptions {
  const { maxConcurrentStreams = CONCURRENT_STREAMS_DEFAULT, keepalive = {} } = options;
  const times = {
    "grpc.max_connection_idle_ms": keepalive.maxConnectionIdleMs,
    "grpc.max_connection_age_ms": keepalive.maxConnectionAgeMs,
    "grpc.max_connection_age_grace_ms": keepalive.maxConnectionAgeGraceMs,
    "grpc.keepalive_time_ms": keepalive.timeMs,
    "grpc.keepalive_timeout_ms": keepalive.timeoutMs,
  };
  return {
    ...timerOptions(times),
    "grpc.max_concurrent_streams": maxConcurrentStreams,
    // Both limits are kept here, where the answer can name size and limit.
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
    "grpc.enable_channelz": 0,
  };
}

// An unset time is left out, and one that no timer can wait for is never: grpc-js adds up to 10 %.
function timerOptions(times: Readonly<Record<string, number | undefined>>): ServerOptions {
  const options: ServerOptions = {};
  for (const [name, timeMs] of Object.entries(times)) {
    if (timeMs !== undefined && timeMs < TIMER_MS_MAX / 1.1) options[name] = timeMs;
  }
  return options;
}

function identity(message: Buffer): Buffer {
  return message;
}

function unreachable(): void {
  throw new Error("grpc-js called a handler that the interceptor replaces");
}
