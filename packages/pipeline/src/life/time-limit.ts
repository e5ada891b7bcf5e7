import type { Clock } from "@inode-gateway/contract";

/** Resolves with whether `promise` has settled within `limitMs`; rejects as it does. */
export async function settlesWithin(
  promise: Promise<unknown>,
  limitMs: number,
  clock: Clock,
): Promise<boolean> {
  let cancel = () => undefined as unknown;
  const limit = new Promise<boolean>((resolve) => {
    const timer = clock.setTimer(limitMs, () => resolve(false));
    cancel = () => timer.cancel();
  });
  try {
    return await Promise.race([promise.then(() => true), limit]);
  } finally {
    cancel();
  }
}
