import { constants, type Http2Session } from "node:http2";

/** How old a connection may get; undefined is any age. */
export interface ConnectionAgeOptions {
  readonly maxAgeMs: number | undefined;
  /** Time after that in which it may end by itself. */
  readonly graceMs: number | undefined;
}

/** Share by which ages differ, so that connections that began together do not end together. */
const JITTER = 0.1;

/** The last stream a GOAWAY can name: a notice, no request is refused yet (RFC 9113, section 6.8). */
const LAST_STREAM_ID_MAX = 2 ** 31 - 1;

/** When one connection has to end. */
export class ConnectionAge {
  readonly #endsAtMs: number;
  readonly #graceEndsAtMs: number;
  #step: "young" | "announced" | "closing" = "young";

  /** @param random 0 to 1, below 1 */
  constructor(options: ConnectionAgeOptions, nowMs: number, random: () => number) {
    const { graceMs, maxAgeMs } = options;
    this.#endsAtMs =
      maxAgeMs === undefined
        ? Number.POSITIVE_INFINITY
        : nowMs + maxAgeMs * (1 - JITTER + 2 * JITTER * random());
    this.#graceEndsAtMs = this.#endsAtMs + (graceMs ?? Number.POSITIVE_INFINITY);
  }

  isOver(nowMs: number): boolean {
    return nowMs >= this.#endsAtMs;
  }

  isGraceOver(nowMs: number): boolean {
    return nowMs >= this.#graceEndsAtMs;
  }

  /**
   * Does what is due for an HTTP/2 connection: announces its end, the next time refuses new requests,
   * and after the grace closes it. To be called again and again.
   */
  endSession(session: Http2Session, nowMs: number): void {
    if (session.destroyed || !this.isOver(nowMs)) return;
    if (this.isGraceOver(nowMs)) {
      session.destroy();
    } else if (this.#step === "young") {
      this.#step = "announced";
      session.goaway(constants.NGHTTP2_NO_ERROR, LAST_STREAM_ID_MAX);
    } else if (this.#step === "announced") {
      this.#step = "closing";
      session.close();
    }
  }
}
