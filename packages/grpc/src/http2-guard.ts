import { constants, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import { PingPolicy, type PingPolicyOptions } from "./ping-policy.js";
import { TokenBucket } from "./token-bucket.js";

/**
 * Requests that a peer may end before their answer: at once, and per second. Below what nghttp2 takes
 * (1,000 and 33): it stops reading a connection above that, but leaves it open.
 */
export const RESETS_BURST = 500;
export const RESETS_PER_SECOND = 30;

/**
 * Bytes of a connection that carry neither a request's headers nor its body, at once and per second:
 * some 100,000 and 28,000 frames of nothing. An honest sender needs nine bytes for each 16 KiB.
 */
export const OVERHEAD_BYTES_BURST = 1_048_576;
export const OVERHEAD_BYTES_PER_SECOND = 262_144;

/** How long an answer may wait for its peer to take it. */
export const UNREAD_ANSWER_MS = 30_000;

/** How often an owner calls `check`. */
export const GUARD_INTERVAL_MS = 500;

/**
 * Overhead between two looks that makes a peer suspect: it is pinged, because nghttp2 may have stopped
 * reading this connection without telling anybody (its own limit of resets does so).
 */
const SUSPECT_OVERHEAD_BYTES = 4_096;
/** How long a suspect may take for the answer; nobody is suspect more often. */
export const SUSPECT_ANSWER_MS = 10_000;

/**
 * After this long without a byte from the peer a connection is probed, once until the next byte comes:
 * nghttp2 ends a session by itself for a broken frame, sends GOAWAY and stops reading, and Node tells
 * nobody. Such a connection would stay after its peer has gone.
 */
export const QUIET_MS = 10_000;

/** Time between GOAWAY and the end of the connection, for a peer that reads. */
const CLOSING_MS = 1_000;

/** The framing of one request, and DATA frames down to some 600 bytes, are nobody's overhead. */
const REQUEST_FRAMES_BYTES = 64;
const DATA_FRAMES_SHARE = 1 / 64;

/** Why a server closed a connection that its peer would have kept. */
export type ConnectionFault =
  | "too_many_resets"
  | "too_many_frames"
  | "too_many_pings"
  | "answer_not_read"
  | "not_responding"
  | "flood"
  | "protocol_error"
  | "no_preface";

/** What a guard needs to know and whom it tells. */
export interface Http2GuardOptions {
  /** Milliseconds on any clock that never goes back. */
  readonly nowMs: () => number;
  /** Absent takes any number of pings that `OVERHEAD_BYTES_PER_SECOND` allows. */
  readonly pings?: PingPolicyOptions | undefined;
  /** How much a peer may have on its way when its request is cut off. */
  readonly windowBytes: number;
  /** Called once at most. */
  readonly onFault: (fault: ConnectionFault) => void;
}

/**
 * Watches one HTTP/2 connection for a peer that makes work without sending requests, and closes it.
 *
 * The frames themselves are nghttp2's: what it does not limit shows in the bytes that came in beside
 * headers and bodies. Looked at every `GUARD_INTERVAL_MS`, so that a frame costs nothing.
 */
export class Http2Guard {
  readonly #session: ServerHttp2Session;
  readonly #socket: Socket;
  readonly #options: Http2GuardOptions;
  readonly #resets: TokenBucket;
  readonly #overhead: TokenBucket;
  readonly #pings: PingPolicy | undefined;
  /** Streams with an answer that is not out yet, the oldest first. */
  readonly #answers = new Map<ServerHttp2Stream, number>();
  /** Streams that we reset, and that therefore are no reset of the peer's. */
  readonly #cutOff = new Set<ServerHttp2Stream>();
  #openStreams = 0;
  /** Bytes that came in as headers and bodies, by our count. */
  #explainedBytes: number;
  /** Bytes that may still come in for requests that are cut off. */
  #discardBytes = 0;
  #suspectSinceMs = Number.NEGATIVE_INFINITY;
  #hasAnsweredPing = true;
  #lastBytesRead = 0;
  #quietSinceMs: number;
  /** Bytes that had come when the peer answered the last probe: the connection was alive then. */
  #provenBytesRead = 0;
  #probe: { readonly sinceMs: number; readonly bytesWritten: number } | undefined;
  #isOver = false;

  constructor(session: ServerHttp2Session, socket: Socket, options: Http2GuardOptions) {
    const nowMs = options.nowMs();
    this.#session = session;
    this.#socket = socket;
    this.#options = options;
    this.#explainedBytes = socket.bytesRead;
    this.#quietSinceMs = nowMs;
    this.#resets = new TokenBucket(RESETS_BURST, RESETS_PER_SECOND, nowMs);
    this.#overhead = new TokenBucket(OVERHEAD_BYTES_BURST, OVERHEAD_BYTES_PER_SECOND, nowMs);
    if (options.pings !== undefined) {
      this.#pings = new PingPolicy(options.pings);
      session.on("ping", () => this.#onPing());
    }
    session.once("close", () => {
      this.#isOver = true;
    });
  }

  /** A request's headers have arrived; of `headerBytes` decoded. */
  requestBegan(stream: ServerHttp2Stream, headerBytes: number): void {
    this.#openStreams++;
    this.#explainedBytes += headerBytes + REQUEST_FRAMES_BYTES;
    // It closes once; `once` would wrap the listener, and take it out again, for each request.
    stream.on("close", () => {
      this.#openStreams--;
      this.#answers.delete(stream);
      if (!this.#cutOff.delete(stream) && wasReset(stream)) this.#onReset();
    });
  }

  /** Bytes of a request's body have arrived. */
  bodyReceived(bytes: number): void {
    this.#explainedBytes += bytes + bytes * DATA_FRAMES_SHARE;
  }

  /** A request is cut off by us: what its peer has sent meanwhile is on its way still. */
  bodyCutOff(stream: ServerHttp2Stream): void {
    if (stream.closed || stream.destroyed) return;
    this.#cutOff.add(stream);
    this.#discardBytes = this.#options.windowBytes;
  }

  /** The answer to a request, or its first part, is handed to HTTP/2. */
  answered(stream: ServerHttp2Stream): void {
    // Whom nobody waits for: the peer has reset it.
    if (this.#answers.has(stream) || stream.closed || stream.destroyed || stream.aborted) return;
    this.#answers.set(stream, this.#options.nowMs());
    this.#pings?.answered();
  }

  /** Looks whether the peer kept within its limits since the last time. */
  check(): void {
    if (this.#isOver) return;
    const nowMs = this.#options.nowMs();
    if (!this.#isOverheadWithinLimits(nowMs)) this.close("too_many_frames");
    const [oldestMs = nowMs] = this.#answers.values();
    if (nowMs - oldestMs > UNREAD_ANSWER_MS) this.close("answer_not_read");
    if (!this.#hasAnsweredPing && nowMs - this.#suspectSinceMs > SUSPECT_ANSWER_MS) {
      this.close("not_responding");
    }
    if (this.#isAbandoned(nowMs)) this.close("protocol_error");
  }

  /** Ends the connection now, telling the peer to calm down. */
  close(fault: ConnectionFault): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#options.onFault(fault);
    // Not from inside a callback of nghttp2, which may be in the middle of a read.
    setImmediate(() => {
      this.#session.destroy(noError, constants.NGHTTP2_ENHANCE_YOUR_CALM);
      // A peer that reads nothing never gets the GOAWAY.
      setTimeout(() => this.#socket.destroy(), CLOSING_MS).unref();
    });
  }

  #isOverheadWithinLimits(nowMs: number): boolean {
    const { bytesRead } = this.#socket;
    const unexplained = bytesRead - this.#explainedBytes;
    // Headers come in smaller than they are counted, and what they leave over is nobody's credit.
    this.#explainedBytes = bytesRead;
    if (unexplained <= 0) return true;
    const discarded = Math.min(unexplained, this.#discardBytes);
    this.#discardBytes -= discarded;
    if (unexplained > SUSPECT_OVERHEAD_BYTES) this.#suspect(nowMs);
    return this.#overhead.take(unexplained - discarded, nowMs);
  }

  #suspect(nowMs: number): void {
    if (nowMs - this.#suspectSinceMs < SUSPECT_ANSWER_MS || this.#session.destroyed) return;
    this.#suspectSinceMs = nowMs;
    this.#hasAnsweredPing = !this.#session.ping((error) => {
      if (error === null) this.#hasAnsweredPing = true;
    });
  }

  /** Whether nghttp2 has ended the session without a word: then a PING is taken and never written. */
  #isAbandoned(nowMs: number): boolean {
    const { bytesRead, bytesWritten } = this.#socket;
    if (bytesRead !== this.#lastBytesRead) {
      this.#lastBytesRead = bytesRead;
      this.#quietSinceMs = nowMs;
      this.#probe = undefined;
    }
    if (nowMs - this.#quietSinceMs < QUIET_MS || bytesRead === this.#provenBytesRead) return false;
    if (this.#probe !== undefined) {
      const { bytesWritten: before, sinceMs } = this.#probe;
      // A peer that is merely slow, or suspended, was sent the PING.
      return bytesWritten === before && nowMs - sinceMs > SUSPECT_ANSWER_MS;
    }
    if (this.#session.destroyed) return false;
    this.#probe = { sinceMs: nowMs, bytesWritten };
    this.#session.ping((error) => {
      if (error === null) this.#provenBytesRead = this.#socket.bytesRead;
    });
    return false;
  }

  #onReset(): void {
    if (this.#isOver || this.#session.destroyed) return;
    if (!this.#resets.take(1, this.#options.nowMs())) this.close("too_many_resets");
  }

  #onPing(): void {
    const isTooOften = this.#pings?.isTooOften(this.#options.nowMs(), this.#openStreams > 0);
    if (isTooOften === true) this.close("too_many_pings");
  }
}

/**
 * Whether the peer ended a request that was not complete or not answered. It may do so without an error
 * code, and nghttp2 counts that too.
 */
function wasReset(stream: ServerHttp2Stream): boolean {
  if (!stream.headersSent || stream.rstCode !== constants.NGHTTP2_NO_ERROR) return true;
  return !stream.readableEnded && !stream.endAfterHeaders;
}

/** What Node and nghttp2 end a connection for by themselves; undefined when the other end just went. */
export function faultOf(error: Error & { code?: unknown }): ConnectionFault | undefined {
  if (error.code === "ERR_HTTP2_TOO_MANY_INVALID_FRAMES") return "flood";
  if (/Flooding was detected|Too many CONTINUATION/.test(error.message)) return "flood";
  return error.code === "ERR_HTTP2_ERROR" ? "protocol_error" : undefined;
}

/** Node takes the code for an error without it, and a missing one for code 0. */
const noError = null as unknown as undefined;
