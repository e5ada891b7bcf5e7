import { createHmac, randomBytes } from "node:crypto";
import { type Clock, RetryableError } from "@inode-gateway/contract";
import { KnownOutcomes } from "./known-outcomes.js";
import { isSlow, matches, type StoredPassword } from "./stored-password.js";
import { VerificationQueue } from "./verification-queue.js";
import { VerifierError, VerifierThread } from "./verifier-thread.js";

/** A queue of checks is worked off in about this time. */
const BUSY_RETRY_AFTER_MS = 2_000;

/** Checks passwords without holding up anybody: slow ones elsewhere, known ones by memory. */
export class PasswordCheck {
  readonly #known: KnownOutcomes;
  readonly #thread: VerifierThread;
  readonly #queue: VerificationQueue;
  /** Checks under way: senders with the same credentials wait for the same one. */
  readonly #underWay = new Map<string, Promise<boolean>>();
  /** Of this process only, so that a digest is of no use outside. */
  #key: Buffer | undefined;

  constructor(clock: Clock) {
    this.#known = new KnownOutcomes(clock);
    this.#thread = new VerifierThread(clock);
    this.#queue = new VerificationQueue((password, stored) =>
      this.#thread.verify(password, stored),
    );
  }

  /**
   * Whether a password is a user's stored one.
   *
   * @param turn whose turn in the queue of slow checks this takes
   * @throws RetryableError when more is to be checked than is possible now
   */
  async isRight(
    user: string,
    password: string,
    stored: StoredPassword,
    turn = user,
  ): Promise<boolean> {
    if (!isSlow(stored)) return matches(password, stored);
    this.#key ??= randomBytes(32);
    // With what is stored in it, an outcome ends with the line it is about.
    const digest = createHmac("sha256", this.#key)
      .update(JSON.stringify([user, password, stored.text]))
      .digest("base64");
    const known = this.#known.get(digest);
    if (known !== undefined) return known;
    const underWay = this.#underWay.get(digest) ?? this.#begin(digest, turn, password, stored);
    try {
      return await underWay;
    } catch (error) {
      if (error instanceof VerifierError) throw busy(error.message);
      throw error;
    }
  }

  async stop(): Promise<void> {
    this.#queue.clear(new VerifierError("the extension is stopping"));
    await this.#thread.stop();
  }

  #begin(digest: string, turn: string, password: string, stored: StoredPassword): Promise<boolean> {
    const added = this.#queue.add(turn, password, stored);
    if (added === undefined) throw busy("too many passwords wait to be checked");
    const check = added
      .then((isMatch) => {
        this.#known.set(digest, isMatch);
        return isMatch;
      })
      .finally(() => this.#underWay.delete(digest));
    this.#underWay.set(digest, check);
    return check;
  }
}

function busy(reason: string): RetryableError {
  return new RetryableError("QUEUE_FULL", `credentials cannot be checked now: ${reason}`, {
    retryAfterMs: BUSY_RETRY_AFTER_MS,
  });
}
