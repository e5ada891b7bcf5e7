import type { IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import {
  Server,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerOptions,
} from "@grpc/grpc-js";
import { isRefusal, readCallHead } from "../call-head.js";
import { Listener } from "../listener.js";
import { RunningTasks } from "../running-tasks.js";
import { GrpcCode } from "../status.js";
import type { ServerTls } from "../tls.js";
import {
  CONCURRENT_STREAMS_DEFAULT,
  type UnaryHandler,
  type UnaryServer,
  type UnaryServerOptions,
} from "../unary-server.js";
import { TIMER_MS_MAX, waitUntil } from "../wait-until.js";
import { type Http2ServerAccess, openHttp2Server } from "./http2-server.js";
import { refuse } from "./refuse.js";
import { RunningCall } from "./running-call.js";
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
  readonly #peers = new WeakMap<object, string>();
  readonly #sessions = new Set<ServerHttp2Session>();
  #listening: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;
  #connecting = "unknown";
  #arriving: RunningCall | undefined;

  constructor(options: UnaryServerOptions, handlers: ReadonlyMap<string, UnaryHandler>) {
    this.#options = options;
    this.#handlers = new Map(handlers);
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
        this.#connecting = peer;
        this.#http2.inject(socket);
      },
      onError: (error, peer) => options.onConnectionError?.(error, peer),
    });
  }

  get address(): string | undefined {
    return this.#listener.address;
  }

  async listen(): Promise<void> {
    if (this.#listening !== undefined) throw new Error("the server was asked to listen before");
    if (this.#stopping !== undefined) throw new Error("the server was shut down before");
    this.#listening = this.#listener.listen();
    await this.#listening;
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
    const ended = [...this.#sessions].map(endSession);
    await waitUntil(Promise.all([...ended, this.#running.whenIdle()]), deadlineMs);
    this.#server.forceShutdown();
    await this.#listener.destroyConnections();
  }

  #onSession(session: ServerHttp2Session): void {
    this.#peers.set(session, this.#connecting);
    session.settings({ initialWindowSize: FLOW_CONTROL_WINDOW_BYTES });
    session.setLocalWindowSize(FLOW_CONTROL_WINDOW_BYTES);
    const timer = setTimeout(() => session.destroy(), PREFACE_TIMEOUT_MS);
    session.once("remoteSettings", () => clearTimeout(timer));
    this.#sessions.add(session);
    session.once("close", () => {
      clearTimeout(timer);
      this.#sessions.delete(session);
    });
  }

  #onConnectionError(error: Error, session: ServerHttp2Session): void {
    this.#options.onConnectionError?.(error, this.#peers.get(session) ?? "unknown");
  }

  #onStream(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    rawHeaders: readonly string[],
  ): void {
    const head = readCallHead(headers, rawHeaders);
    const path = headers[":path"] ?? "";
    if (isRefusal(head)) {
      refuse(stream, head);
      return;
    }
    const handler = this.#handlers.get(path);
    if (handler === undefined) {
      const message = `the server does not implement ${path.slice(0, 256)}`;
      refuse(stream, { code: GrpcCode.UNIMPLEMENTED, message, headers: {} });
      return;
    }
    const peer = this.#peers.get(stream.session ?? stream) ?? "unknown";
    const origin = { path, head, rawHeaders, peer, handler };
    this.#arriving = new RunningCall(stream, origin, this.#options, this.#running);
    // Of the headers grpc-js needs these two; what it would make of the others is done already.
    this.#http2.forward(stream, { ":path": path, "content-type": "application/grpc" });
  }

  // grpc-js calls the interceptor before `forward` returns, so the call arriving now is the one.
  #adopt(call: ServerInterceptingCallInterface): ServerInterceptingCall {
    const running = this.#arriving;
    this.#arriving = undefined;
    return new ServerInterceptingCall(call, { start: () => running?.start(call) });
  }
}

// Refuses new calls at once, and resolves when the running ones have ended and the connection with them.
function endSession(session: ServerHttp2Session): Promise<void> {
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
