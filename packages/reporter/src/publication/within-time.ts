import type { Clock } from "../reporter-types.js";

/**
 * The promise's outcome, unless it takes longer than `limitMs`.
 *
 * @throws Error naming the limit when it does; what the promise does later is ignored
 */
export function withinTime<Result>(
  clock: Clock,
  limitMs: number,
  promise: Promise<Result>,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(limitMs, () => {
      reject(new Error(`no answer within ${limitMs} ms`));
    });
    promise.then(resolve, reject).finally(() => timer.cancel());
  });
}
