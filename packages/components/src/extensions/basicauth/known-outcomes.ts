import type { Clock } from "@inode-gateway/contract";

/** Most outcomes of one kind that are remembered. */
export const OUTCOMES_MAX = 1_000;
/** How long after its last use a good outcome is remembered: senders come back within seconds. */
export const GOOD_LASTS_MS = 600_000;
/** How long a bad one is: a sender that is set up wrong goes on for hours. */
export const BAD_LASTS_MS = 60_000;

/** Remembers how slow checks ended, by a digest that says nothing of the password. */
export class KnownOutcomes {
  readonly #clock: Clock;
  readonly #good = new Map<string, number>();
  readonly #bad = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether the credentials behind a digest are right; undefined when that is not known. */
  get(digest: string): boolean | undefined {
    const nowMs = this.#clock.nowMs();
    const goodUntilMs = this.#good.get(digest);
    if (goodUntilMs !== undefined && goodUntilMs > nowMs) {
      remember(this.#good, digest, nowMs + GOOD_LASTS_MS);
      return true;
    }
    const badUntilMs = this.#bad.get(digest);
    return badUntilMs !== undefined && badUntilMs > nowMs ? false : undefined;
  }

  set(digest: string, isMatch: boolean): void {
    const nowMs = this.#clock.nowMs();
    // Apart, so that a flood of guesses cannot push out who is known.
    if (isMatch) remember(this.#good, digest, nowMs + GOOD_LASTS_MS);
    else remember(this.#bad, digest, nowMs + BAD_LASTS_MS);
  }
}

/** The least recently used one makes room. */
function remember(outcomes: Map<string, number>, digest: string, untilMs: number): void {
  outcomes.delete(digest);
  outcomes.set(digest, untilMs);
  if (outcomes.size <= OUTCOMES_MAX) return;
  const [oldest] = outcomes.keys();
  if (oldest !== undefined) outcomes.delete(oldest);
}
