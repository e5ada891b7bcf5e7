/** Longest delay of a Node timer, in milliseconds; a longer one would fire at once. */
export const TIMER_MS_MAX = 2_147_483_647;

/**
 * Waits for a promise until `deadlineMs` on the clock of `performance.now()`; `Infinity` is for ever.
 *
 * @returns whether it was fulfilled in time
 * @throws what the promise rejects with, when that happens in time
 */
export async function waitUntil(promise: Promise<unknown>, deadlineMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const isLate = new Promise<false>((resolve) => {
    const delayMs = deadlineMs - performance.now();
    if (delayMs > TIMER_MS_MAX) return;
    timer = setTimeout(() => resolve(false), Math.max(delayMs, 0));
  });
  try {
    return await Promise.race([promise.then(() => true), isLate]);
  } finally {
    clearTimeout(timer);
  }
}
