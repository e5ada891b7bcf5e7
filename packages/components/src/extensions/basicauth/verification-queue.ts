import type { StoredPassword } from "./stored-password.js";

/** Most checks that wait, of all users together: some seconds of work. */
export const PENDING_MAX = 64;
/** Most checks that wait of one user, so that a flood of guesses leaves room for the others. */
export const PENDING_PER_USER_MAX = 8;

/** Checks a password, one at a time. */
export type Verify = (password: string, stored: StoredPassword) => Promise<boolean>;

interface Check {
  readonly password: string;
  readonly stored: StoredPassword;
  readonly resolve: (isMatch: boolean) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Slow checks, one at a time and in turn by user: who guesses the passwords of one user delays the
 * others by one check.
 */
export class VerificationQueue {
  readonly #verify: Verify;
  /** Users in the order of their turns. */
  readonly #waiting = new Map<string, Check[]>();
  #count = 0;
  #isRunning = false;

  constructor(verify: Verify) {
    this.#verify = verify;
  }

  /** Undefined when too much waits already. Rejects as the check does. */
  add(user: string, password: string, stored: StoredPassword): Promise<boolean> | undefined {
    const own = this.#waiting.get(user) ?? [];
    if (this.#count >= PENDING_MAX || own.length >= PENDING_PER_USER_MAX) return undefined;
    return new Promise((resolve, reject) => {
      own.push({ password, stored, resolve, reject });
      this.#waiting.set(user, own);
      this.#count++;
      this.#runNext();
    });
  }

  /** Ends all that wait. */
  clear(error: Error): void {
    for (const checks of this.#waiting.values()) for (const { reject } of checks) reject(error);
    this.#waiting.clear();
    this.#count = 0;
  }

  #runNext(): void {
    const [turn] = this.#waiting;
    if (this.#isRunning || turn === undefined) return;
    const [user, checks] = turn;
    const check = checks.shift();
    // The next turn is another user's.
    this.#waiting.delete(user);
    if (checks.length > 0) this.#waiting.set(user, checks);
    if (check === undefined) return;
    this.#count--;
    this.#isRunning = true;
    this.#verify(check.password, check.stored)
      .then(check.resolve, check.reject)
      .finally(() => {
        this.#isRunning = false;
        this.#runNext();
      });
  }
}
