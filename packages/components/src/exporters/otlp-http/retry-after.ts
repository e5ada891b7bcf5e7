/** Longest delay a destination can ask for; above it the header is taken for nonsense. */
const RETRY_AFTER_MS_MAX = 86_400_000;

/**
 * Milliseconds that a `Retry-After` header asks for: whole seconds or an HTTP date.
 *
 * Undefined for no header, one that is neither, and delays above a day; a date in the past is 0.
 */
export function parseRetryAfter(value: string | undefined, unixMs: number): number | undefined {
  const text = value?.trim() ?? "";
  let delayMs: number;
  if (/^\d{1,9}$/.test(text)) {
    delayMs = Number(text) * 1000;
  } else {
    // HTTP dates begin with a weekday; without that Date.parse would take nearly anything.
    delayMs = /^[A-Z][a-z]+,? /.test(text) ? Math.max(0, Date.parse(text) - unixMs) : Number.NaN;
  }
  return Number.isNaN(delayMs) || delayMs > RETRY_AFTER_MS_MAX ? undefined : delayMs;
}
