import { z } from "zod";

const MS_BY_UNIT: ReadonlyMap<string, number> = new Map([
  ["ns", 1e-6],
  ["us", 1e-3],
  ["\u00b5s", 1e-3],
  ["\u03bcs", 1e-3],
  ["ms", 1],
  ["s", 1_000],
  ["m", 60_000],
  ["h", 3_600_000],
]);

/** The longest duration Go can write down: 2^63 nanoseconds, about 292 years, in whole milliseconds. */
export const DURATION_MAX_MS = 9_223_372_036_854;

/** The longest text that is read; Go's own longest is 25 characters. */
const DURATION_TEXT_MAX = 64;

const TERM = /(\d+\.?\d*|\.\d+)([a-z\u00b5\u03bc]+)/y;

/** Limits of a duration, inclusive. */
export interface DurationLimits {
  /** Default 0. */
  readonly minMs?: number;
  /** Default {@link DURATION_MAX_MS}. */
  readonly maxMs?: number;
}

/**
 * A schema of Go duration text (`200ms`, `1m30s`) that becomes milliseconds, with fractions.
 *
 * The number 0 is accepted as text would be; no other number is, since it has no unit. A negative
 * duration is refused: no option of ours or of the components we mirror has a meaning for one.
 */
export function duration(limits: DurationLimits = {}): z.ZodType<number, string | 0> {
  const minMs = limits.minMs ?? 0;
  const maxMs = limits.maxMs ?? DURATION_MAX_MS;
  return z
    .union([z.string(), z.literal(0)], { error: ({ input }) => expectedDuration(input) })
    .transform((written, context) => {
      const ms = written === 0 ? 0 : parseDuration(written);
      if (typeof ms !== "number") {
        context.addIssue({ code: "custom", message: ms.problem });
        return z.NEVER;
      }
      if (ms < minMs) {
        const message = `must be at least ${formatDuration(minMs)}, is ${formatDuration(ms)}`;
        context.addIssue({ code: "custom", message });
      } else if (ms > maxMs) {
        const message = `must be at most ${formatDuration(maxMs)}, is ${formatDuration(ms)}`;
        context.addIssue({ code: "custom", message });
      }
      return ms;
    });
}

/** Reads Go duration text: an optional sign, then numbers each with its unit, or a bare `0`. */
export function parseDuration(text: string): number | { readonly problem: string } {
  const refusal = { problem: `${JSON.stringify(text.slice(0, DURATION_TEXT_MAX))} is no duration` };
  if (text.length > DURATION_TEXT_MAX) return refusal;
  const isNegative = text.startsWith("-");
  const unsigned = isNegative || text.startsWith("+") ? text.slice(1) : text;
  if (unsigned === "0") return 0;
  if (/^(\d+\.?\d*|\.\d+)$/.test(unsigned)) {
    return {
      problem: `duration ${JSON.stringify(text)} has no unit, write ${unsigned}s or ${unsigned}ms`,
    };
  }
  let ms = 0;
  let offset = 0;
  do {
    TERM.lastIndex = offset;
    const term = TERM.exec(unsigned);
    if (term === null) return { problem: `${refusal.problem}, write it as 200ms, 5s or 1m30s` };
    const unitMs = MS_BY_UNIT.get(term[2] ?? "");
    if (unitMs === undefined) {
      return {
        problem: `unknown unit ${JSON.stringify(term[2])} in duration ${JSON.stringify(text)}, units are ns, us, ms, s, m, h`,
      };
    }
    ms += Number(term[1]) * unitMs;
    offset = TERM.lastIndex;
  } while (offset < unsigned.length);
  if (ms > DURATION_MAX_MS) return { problem: `${refusal.problem}: longer than 292 years` };
  return isNegative ? -ms : ms;
}

/** Writes milliseconds as Go does: `1m30s`, `200ms`, `1.5s`, `0s`. Nanoseconds are the finest. */
export function formatDuration(ms: number): string {
  const sign = ms < 0 ? "-" : "";
  const size = Math.abs(ms);
  if (Math.round(size * 1e6) === 0) return "0s";
  if (size < 1e-3) return `${sign}${decimals(size * 1e6, 0)}ns`;
  if (size < 1) return `${sign}${decimals(size * 1e3, 3)}\u00b5s`;
  if (size < 1_000) return `${sign}${decimals(size, 6)}ms`;
  const hours = Math.floor(size / 3_600_000);
  const minutes = Math.floor((size % 3_600_000) / 60_000);
  const seconds = `${decimals((size % 60_000) / 1_000, 9)}s`;
  if (hours > 0) return `${sign}${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${sign}${minutes}m${seconds}` : `${sign}${seconds}`;
}

function decimals(value: number, digits: number): string {
  const fixed = value.toFixed(digits);
  return digits === 0 ? fixed : fixed.replace(/\.?0+$/, "");
}

function expectedDuration(input: unknown): string {
  if (input === undefined) return "is required: a duration such as 200ms or 1m30s";
  if (typeof input === "number") {
    return `expected a duration such as 200ms or 1m30s, got the number ${input} without a unit`;
  }
  return "expected a duration such as 200ms or 1m30s";
}
