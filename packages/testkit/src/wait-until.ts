import { setTimeout } from "node:timers/promises";

/** Limits of {@link waitUntil}. */
export interface WaitOptions {
  /** Default 5,000. */
  readonly limitMs?: number;
  /** What was waited for, for the error. */
  readonly description?: string;
}

/**
 * Waits for a condition of the real world: a socket, a file, another process.
 *
 * @throws Error when the condition does not hold within the limit
 */
export async function waitUntil(
  condition: () => boolean | Promise<boolean>,
  options: WaitOptions = {},
): Promise<void> {
  const limitMs = options.limitMs ?? 5_000;
  const endMs = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > endMs) {
      throw new Error(`${options.description ?? "condition"}: not so within ${limitMs} ms`);
    }
    await setTimeout(2);
  }
}
