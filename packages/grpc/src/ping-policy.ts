/** How often a client may ping; gRPC's `keepalive.enforcement_policy`. */
export interface PingPolicyOptions {
  /** Shortest time between two pings with nothing sent to the client in between. */
  readonly minTimeMs: number;
  /** Whether a client without calls may ping at `minTimeMs`; without, every two hours. */
  readonly permitWithoutStream: boolean;
}

/** Pings that may come too early before the connection is closed; what grpc-go and gRPC's core take. */
export const PING_STRIKES_MAX = 2;

/** Time between pings of a connection without calls, unless permitted (gRFC A8). */
const PING_WITHOUT_CALLS_MS = 7_200_000;

/**
 * Counts pings that come too early, as gRFC A8 wants it: an answer to the client forgives all before,
 * because clients measure the bandwidth with pings while data flows.
 */
export class PingPolicy {
  readonly #options: PingPolicyOptions;
  #lastPingMs = Number.NEGATIVE_INFINITY;
  #strikes = 0;
  #isForgiven = true;

  constructor(options: PingPolicyOptions) {
    this.#options = options;
  }

  /** Something was sent to the client. */
  answered(): void {
    this.#isForgiven = true;
  }

  /** Counts a ping; true when it is one too many. */
  isTooOften(nowMs: number, hasCalls: boolean): boolean {
    const { minTimeMs, permitWithoutStream } = this.#options;
    const sinceMs = nowMs - this.#lastPingMs;
    this.#lastPingMs = nowMs;
    if (this.#isForgiven) {
      this.#isForgiven = false;
      this.#strikes = 0;
      return false;
    }
    const isAllowed = hasCalls || permitWithoutStream;
    if (sinceMs < (isAllowed ? minTimeMs : PING_WITHOUT_CALLS_MS)) this.#strikes++;
    return this.#strikes > PING_STRIKES_MAX;
  }
}
