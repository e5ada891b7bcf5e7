import { RETRY_DELAY_MS_MAX } from "./status.js";

/**
 * Splits a retry delay into the two fields of a google.protobuf.Duration, to the nanosecond.
 *
 * @throws RangeError when the delay is negative, not a number or above `RETRY_DELAY_MS_MAX`
 */
export function splitRetryDelay(delayMs: number): { seconds: number; nanos: number } {
  if (!isRetryDelay(delayMs)) {
    throw new RangeError(`retry delay is ${delayMs} ms, 0 to ${RETRY_DELAY_MS_MAX} is possible`);
  }
  const seconds = Math.floor(delayMs / 1000);
  const nanos = Math.round((delayMs - seconds * 1000) * 1e6);
  return nanos === 1e9 ? { seconds: seconds + 1, nanos: 0 } : { seconds, nanos };
}

/**
 * Joins the two fields of a google.protobuf.Duration into milliseconds; undefined when that is no
 * delay one can wait for.
 */
export function joinRetryDelay(seconds: number, nanos: number): number | undefined {
  const delayMs = seconds * 1000 + nanos / 1e6;
  return isRetryDelay(delayMs) ? delayMs : undefined;
}

function isRetryDelay(delayMs: number): boolean {
  return delayMs >= 0 && delayMs <= RETRY_DELAY_MS_MAX;
}
