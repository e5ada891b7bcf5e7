import type { Server as HttpServer } from "node:http";
import type { ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import type { Clock } from "@inode-gateway/contract";
import { TIMER_MS_MAX } from "../../transport/timer-duration.js";

/**
 * The connections of one HTTP server and how many requests run, so that it can be stopped.
 *
 * Node closes idle connections of a plain HTTP/1.1 server by itself, but not those of a server that
 * speaks HTTP/2 and HTTP/1.1 over TLS; counting here treats both alike.
 */
export class HttpConnections {
  readonly #runningBySocket = new Map<Socket, number>();
  readonly #sessions = new Set<ServerHttp2Session>();
  /** TCP connections below TLS, with or without a finished handshake. */
  readonly #carriers = new Set<Socket>();
  #running = 0;
  #isStopping = false;
  #whenIdle: (() => void) | undefined;

  /** Follows every connection of `server` from now on. */
  follow(server: HttpServer, isTls: boolean): void {
    server.on("connection", (socket: Socket) => {
      if (!isTls) return this.#add(socket);
      this.#carriers.add(socket);
      socket.once("close", () => this.#carriers.delete(socket));
    });
    server.on("secureConnection", (socket: Socket & { alpnProtocol?: string }) => {
      if (socket.alpnProtocol !== "h2") this.#add(socket);
    });
    server.on("session", (session: ServerHttp2Session) => {
      this.#sessions.add(session);
      session.once("close", () => this.#sessions.delete(session));
      if (this.#isStopping) session.close();
    });
  }

  /** A request came in on `socket`. */
  requestBegan(socket: Socket): void {
    this.#running++;
    const running = this.#runningBySocket.get(socket);
    if (running !== undefined) this.#runningBySocket.set(socket, running + 1);
  }

  /** The answer of a request is out, or its connection is gone. */
  requestEnded(socket: Socket): void {
    this.#running--;
    const running = this.#runningBySocket.get(socket);
    if (running !== undefined) this.#runningBySocket.set(socket, running - 1);
    if (this.#running === 0) this.#whenIdle?.();
  }

  /** Closes what is idle, waits for running requests until `deadlineMs`, then closes everything. */
  async stop(clock: Clock, deadlineMs: number): Promise<void> {
    this.#isStopping = true;
    for (const session of this.#sessions) session.close();
    for (const [socket, running] of this.#runningBySocket) {
      if (running === 0) socket.destroy();
    }
    if (this.#running > 0) await this.#untilIdle(clock, deadlineMs);
    // What is left has answered and waits for the other end to close, or is late.
    for (const session of this.#sessions) session.destroy();
    for (const socket of this.#runningBySocket.keys()) socket.destroySoon();
    for (const socket of this.#carriers) socket.destroySoon();
  }

  async #untilIdle(clock: Clock, deadlineMs: number): Promise<void> {
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
    this.#runningBySocket.set(socket, 0);
    socket.once("close", () => this.#runningBySocket.delete(socket));
  }
}
