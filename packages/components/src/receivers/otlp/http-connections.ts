import type { Server as HttpServer, IncomingMessage } from "node:http";
import type { Http2Session, ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import type { Clock, Timer } from "@inode-gateway/contract";
import {
  faultOf,
  GUARD_INTERVAL_MS,
  Http2Guard,
  headerListBytes,
  UNREAD_ANSWER_MS,
} from "@inode-gateway/grpc";
import { TIMER_MS_MAX } from "../../transport/timer-duration.js";
import { ConnectionAge, type ConnectionAgeOptions } from "./connection-age.js";
import { peerOf } from "./http-headers.js";
import type { ClosingReason } from "./metrics.js";

/** Time a peer has to say that it speaks HTTP/2, after its TLS handshake. */
const PREFACE_TIMEOUT_MS = 20_000;

/** Time at a stop for the last answers to leave, before what is left is cut off. */
const LAST_ANSWERS_MS = 1_000;

/** What connections have to keep to, and who is told. */
export interface HttpConnectionsOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly age: ConnectionAgeOptions;
  /** Flow-control window of an HTTP/2 stream. */
  readonly windowBytes: number;
  readonly onClosed: (reason: ClosingReason, peer: string) => void;
}

/**
 * The connections of one HTTP server and how many requests run: so that it can be stopped, that
 * connections end when they are old, and that HTTP/2 peers that only make work are cut off.
 *
 * Node closes idle connections of a plain HTTP/1.1 server by itself, but not those of a server that
 * speaks HTTP/2 and HTTP/1.1 over TLS; counting here treats both alike.
 */
export class HttpConnections {
  readonly #options: HttpConnectionsOptions;
  readonly #http1 = new Map<Socket, Http1Connection>();
  readonly #http2 = new Map<Http2Session, Http2Connection>();
  /** TCP connections below TLS, with or without a finished handshake. */
  readonly #carriers = new Set<Socket>();
  #connecting: Socket | undefined;
  #sweepTimer: Timer | undefined;
  #running = 0;
  #isStopping = false;
  #whenIdle: (() => void) | undefined;

  constructor(options: HttpConnectionsOptions) {
    this.#options = options;
  }

  /** Connections that are open now. */
  get count(): number {
    return Math.max(this.#carriers.size, this.#http1.size);
  }

  /** Follows every connection of `server` from now on. */
  follow(server: HttpServer, isTls: boolean): void {
    server.on("connection", (socket: Socket) => {
      if (!isTls) return this.#add(socket);
      this.#carriers.add(socket);
      socket.once("close", () => this.#carriers.delete(socket));
    });
    // Before Node's own listener, which announces the session.
    server.prependListener("secureConnection", (socket: Socket & { alpnProtocol?: string }) => {
      if (socket.alpnProtocol !== "h2") this.#add(socket);
      else this.#connecting = socket;
    });
    server.on("session", (session: ServerHttp2Session) => this.#addSession(session));
    server.on("sessionError", (error: Error & { code?: string }, session: Http2Session) => {
      const fault = faultOf(error);
      if (fault !== undefined) this.#http2.get(session)?.guard.close(fault);
    });
    // Node's types do not know of the fourth argument.
    server.on("stream", (stream: ServerHttp2Stream, _: unknown, __: number, raw: string[] = []) => {
      const session = stream.session && this.#http2.get(stream.session);
      session?.guard.requestBegan(stream, headerListBytes(raw));
    });
    server.on("drop", (dropped?: { remoteAddress?: string; remotePort?: number }) => {
      const { remoteAddress, remotePort } = dropped ?? {};
      this.#options.onClosed("max_connections", peerOf({ remoteAddress, remotePort }));
    });
    this.#sweepLater();
  }

  /** A request came in on `socket`. */
  requestBegan(socket: Socket): void {
    this.#running++;
    const connection = this.#http1.get(socket);
    if (connection !== undefined) connection.running++;
  }

  /** The answer of a request is out, or its connection is gone. */
  requestEnded(socket: Socket): void {
    this.#running--;
    const connection = this.#http1.get(socket);
    if (connection !== undefined) {
      connection.running--;
      connection.ended++;
    }
    if (this.#running === 0) this.#whenIdle?.();
  }

  /** The body of `request` is about to be read; over HTTP/2 its bytes are counted. */
  bodyBegins(request: IncomingMessage): void {
    const guard = this.#guardOf(request);
    if (guard !== undefined)
      request.on("data", (chunk: Buffer) => guard.bodyReceived(chunk.length));
  }

  /** The rest of `request` is not waited for any longer. */
  bodyCutOff(request: IncomingMessage): void {
    const { stream } = request as { stream?: ServerHttp2Stream };
    if (stream !== undefined) this.#guardOf(request)?.bodyCutOff(stream);
  }

  /** The answer to `request` is handed to Node. */
  answered(request: IncomingMessage): void {
    const { stream } = request as { stream?: ServerHttp2Stream };
    if (stream !== undefined) this.#guardOf(request)?.answered(stream);
  }

  /** Whether an HTTP/1.1 connection should end with the next answer because of its age. */
  isOld(socket: Socket): boolean {
    return this.#http1.get(socket)?.age.isOver(this.#options.clock.nowMs()) ?? false;
  }

  /** Closes what is idle, waits for running requests until `deadlineMs`, then closes everything. */
  async stop(deadlineMs: number): Promise<void> {
    this.#isStopping = true;
    this.#sweepTimer?.cancel();
    for (const session of this.#http2.keys()) session.close();
    for (const [socket, { running }] of this.#http1) {
      if (running === 0) socket.destroy();
    }
    if (this.#running > 0) await this.#untilIdle(deadlineMs);
    // What is left has answered and waits for the other end to close, or is late.
    for (const session of this.#http2.keys()) session.destroy();
    await this.#untilClosed([...this.#http1.keys(), ...this.#carriers]);
    this.#carriers.clear();
  }

  /** A peer that takes no answers would keep its connection, and the stop, open for ever. */
  async #untilClosed(sockets: readonly Socket[]): Promise<void> {
    let openCount = 0;
    await new Promise<void>((resolve) => {
      const timer = this.#options.clock.setTimer(LAST_ANSWERS_MS, () => {
        for (const socket of sockets) socket.destroy();
        resolve();
      });
      const settle = () => {
        if (openCount > 0) return;
        timer.cancel();
        resolve();
      };
      for (const socket of sockets) {
        if (socket.closed) continue;
        openCount++;
        socket.once("close", () => {
          openCount--;
          settle();
        });
        socket.destroySoon();
      }
      settle();
    });
  }

  async #untilIdle(deadlineMs: number): Promise<void> {
    const { clock } = this.#options;
    const remainingMs = Math.min(Math.max(0, deadlineMs - clock.nowMs()), TIMER_MS_MAX);
    await new Promise<void>((resolve) => {
      const timer = clock.setTimer(remainingMs, resolve);
      this.#whenIdle = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  #add(socket: Socket): void {
    this.#http1.set(socket, { running: 0, ended: 0, unread: undefined, age: this.#newAge() });
    socket.once("close", () => this.#http1.delete(socket));
  }

  #addSession(session: ServerHttp2Session): void {
    const socket = this.#connecting ?? session.socket;
    this.#connecting = undefined;
    const { clock, onClosed, windowBytes } = this.#options;
    const peer = peerOf(socket);
    const guard = new Http2Guard(session, socket as Socket, {
      nowMs: () => clock.nowMs(),
      windowBytes,
      onFault: (fault) => onClosed(fault, peer),
    });
    const connection = {
      guard,
      age: this.#newAge(),
      beganAtMs: clock.nowMs(),
      isIntroduced: false,
    };
    session.once("remoteSettings", () => {
      connection.isIntroduced = true;
    });
    this.#http2.set(session, connection);
    session.once("close", () => this.#http2.delete(session));
    if (this.#isStopping) session.close();
  }

  #newAge(): ConnectionAge {
    const { age, clock, random } = this.#options;
    return new ConnectionAge(age, clock.nowMs(), random);
  }

  #guardOf(request: IncomingMessage): Http2Guard | undefined {
    const { stream } = request as { stream?: ServerHttp2Stream };
    return stream?.session && this.#http2.get(stream.session)?.guard;
  }

  #sweepLater(): void {
    this.#sweepTimer = this.#options.clock.setTimer(GUARD_INTERVAL_MS, () => {
      this.#sweep();
      this.#sweepLater();
    });
  }

  #sweep(): void {
    const nowMs = this.#options.clock.nowMs();
    for (const [session, connection] of this.#http2) {
      const { age, beganAtMs, guard, isIntroduced } = connection;
      guard.check();
      if (!isIntroduced && nowMs - beganAtMs > PREFACE_TIMEOUT_MS) guard.close("no_preface");
      age.endSession(session, nowMs);
    }
    for (const [socket, connection] of this.#http1) {
      const isUnread = isAnswerUnread(socket, connection, nowMs);
      if (isUnread) this.#options.onClosed("answer_not_read", peerOf(socket));
      if (isUnread || connection.age.isGraceOver(nowMs)) this.#close(socket);
    }
  }

  // At once, so that nothing is counted twice: a socket says only later that it is closed.
  #close(socket: Socket): void {
    this.#http1.delete(socket);
    socket.destroy();
  }
}

interface Http1Connection {
  running: number;
  readonly age: ConnectionAge;
  /** Requests whose answer is out. */
  ended: number;
  /** Since when bytes wait in the socket and no answer gets out; undefined when none wait. */
  unread: { readonly sinceMs: number; readonly ended: number } | undefined;
}

/** Whether the other end takes no answer any longer. To be called again and again. */
function isAnswerUnread(socket: Socket, connection: Http1Connection, nowMs: number): boolean {
  const { ended, unread } = connection;
  if (socket.writableLength === 0) {
    connection.unread = undefined;
  } else if (unread?.ended === ended) {
    return nowMs - unread.sinceMs > UNREAD_ANSWER_MS;
  } else {
    connection.unread = { sinceMs: nowMs, ended };
  }
  return false;
}

interface Http2Connection {
  readonly guard: Http2Guard;
  readonly age: ConnectionAge;
  readonly beganAtMs: number;
  readonly isIntroduced: boolean;
}
