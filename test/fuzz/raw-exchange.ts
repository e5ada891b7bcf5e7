import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { ResponseReader } from "./response-reader.js";

/** When nothing has come for this long, a broken request is taken to get no answer. */
const QUIET_MS = 40;
/** A request that is whole must be answered within this. */
const ANSWER_LIMIT_MS = 15_000;
/**
 * How long the other side has to close a connection that was ended. What it keeps longer shows at the
 * end of a run, when no connection may be left.
 */
const CLOSE_MS = 200;

/** Where to connect to. */
export interface Endpoint {
  /** `host:port` */
  readonly address: string;
  /** Of a TLS listener, with the protocol to agree on; without it the connection is plaintext. */
  readonly tls?: { readonly ca: Buffer; readonly protocol: string } | undefined;
}

/** What is done on one connection. */
export interface Script {
  readonly endpoint: Endpoint;
  /** Written one after the other, each in a turn of its own. */
  readonly parts: readonly Buffer[];
  readonly reader: ResponseReader;
  /** Whether silence is a fault: the request is whole, so that an answer must come. */
  readonly mustAnswer: boolean;
  /** Whether the connection ends with RST instead of FIN. */
  readonly endsWithReset: boolean;
}

/** Plays a script on a connection of its own; gives what was wrong with the other side. */
export async function playOnSocket(script: Script): Promise<string[]> {
  const { reader } = script;
  const socket = await open(script.endpoint);
  const connection = new Watched(socket, reader);
  for (const part of script.parts) {
    if (connection.isClosed) break;
    socket.write(part);
    await new Promise((resolve) => setImmediate(resolve));
  }
  connection.writeReplies();
  const quietMs = script.mustAnswer ? ANSWER_LIMIT_MS : QUIET_MS;
  await connection.settled(() => reader.isComplete, quietMs);
  const isSilent = script.mustAnswer && !reader.isComplete && !connection.isClosed;
  if (script.endsWithReset) {
    // Node resets TCP connections only.
    if (script.endpoint.tls === undefined) socket.resetAndDestroy();
    else socket.destroy();
  } else {
    socket.end();
  }
  await connection.settled(() => connection.isClosed, CLOSE_MS);
  const wasCut = connection.wasReset || script.endsWithReset || !connection.isClosed;
  socket.destroy();
  return [
    ...reader.problems(wasCut),
    ...(isSilent ? [`no answer within ${ANSWER_LIMIT_MS} ms`] : []),
  ];
}

class Watched {
  readonly #socket: Socket;
  isClosed = false;
  wasReset = false;
  /** Kept until everything is written: they must not land inside a frame. */
  #replies: Buffer[] | undefined = [];
  #wake: () => void = () => undefined;
  #lastHeardMs = performance.now();

  constructor(socket: Socket, reader: ResponseReader) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.#lastHeardMs = performance.now();
      const reply = reader.take(chunk);
      if (reply !== undefined) this.#reply(reply);
      this.#wake();
    });
    socket.on("error", () => {
      this.wasReset = true;
    });
    socket.on("close", () => {
      this.isClosed = true;
      this.#wake();
    });
  }

  /** Writes what the protocol made the client answer so far, and from now on at once. */
  writeReplies(): void {
    const replies = this.#replies ?? [];
    this.#replies = undefined;
    for (const reply of replies) this.#reply(reply);
  }

  #reply(reply: Buffer): void {
    if (this.#replies !== undefined) this.#replies.push(reply);
    else if (this.#socket.writable) this.#socket.write(reply);
  }

  /** Resolves when the condition holds, the connection is closed, or nothing came for so long. */
  async settled(condition: () => boolean, quietMs: number): Promise<void> {
    this.#lastHeardMs = performance.now();
    while (!condition() && !this.isClosed) {
      const restMs = this.#lastHeardMs + quietMs - performance.now();
      if (restMs <= 0) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, restMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    if (this.#socket.destroyed) this.isClosed = true;
  }
}

async function open({ address, tls }: Endpoint): Promise<Socket> {
  const colon = address.lastIndexOf(":");
  const where = { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
  const socket =
    tls === undefined
      ? connect({ ...where, noDelay: true })
      : connectTls({
          ...where,
          ca: tls.ca,
          ALPNProtocols: [tls.protocol],
          servername: "localhost",
        });
  await new Promise<void>((resolve, reject) => {
    socket.once(tls === undefined ? "connect" : "secureConnect", () => resolve());
    socket.once("error", reject);
  });
  socket.removeAllListeners("error");
  return socket;
}
