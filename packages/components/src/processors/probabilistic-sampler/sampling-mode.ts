import type { ProbabilisticSamplerConfig } from "./config.js";
import { HASH_BUCKETS } from "./randomness.js";
import {
  ALWAYS,
  MIN_PROBABILITY,
  NEVER,
  probabilityOf,
  probabilityThreshold,
  type Threshold,
  thresholdOf,
} from "./threshold.js";

/** How a sampler comes to its threshold; `never` reads no randomness at all. */
export interface SamplingMode {
  readonly kind: "hash_seed" | "consistent" | "never";
  /** @param arriving threshold that the item was sampled by before */
  readonly threshold: (arriving: Threshold | undefined) => Threshold;
}

/** Bits below those that the hash decides by. */
const BITS_BELOW_BUCKETS = 42n;

/** Go computes the share of buckets in 32-bit floating point and cuts the rest off. */
const BUCKETS_PER_PERCENT = Math.fround(HASH_BUCKETS / 100);

/** The mode that a configuration asks for. */
export function samplingMode(config: ProbabilisticSamplerConfig): SamplingMode {
  const { mode, sampling_precision: precision } = config;
  const percentage = Math.min(100, Math.fround(config.sampling_percentage));
  const never: SamplingMode = { kind: "never", threshold: () => NEVER };
  if (percentage === 0) return never;
  const ratio = Math.max(MIN_PROBABILITY, percentage / 100);
  if (mode === "hash_seed") {
    const buckets = Math.trunc(Math.fround(percentage * BUCKETS_PER_PERCENT));
    if (buckets === 0) return never;
    const threshold = thresholdOf(BigInt(HASH_BUCKETS - buckets) << BITS_BELOW_BUCKETS);
    return { kind: "hash_seed", threshold: () => threshold };
  }
  if (mode === "equalizing") {
    const own = probabilityThreshold(ratio, precision) ?? ALWAYS;
    const threshold = (arriving: Threshold | undefined) =>
      arriving !== undefined && arriving > own ? arriving : own;
    return { kind: "consistent", threshold };
  }
  return { kind: "consistent", threshold: proportional(ratio, precision) };
}

/** Remembers the last answer: senders of one request mostly have one threshold. */
function proportional(ratio: number, precision: number): SamplingMode["threshold"] {
  const scaled = (arriving: Threshold | undefined) => {
    const probability = arriving === undefined ? 1 : probabilityOf(arriving);
    return probabilityThreshold(probability * ratio, precision) ?? NEVER;
  };
  let last: { readonly arriving: Threshold | undefined; readonly threshold: Threshold } = {
    arriving: undefined,
    threshold: scaled(undefined),
  };
  return (arriving) => {
    if (arriving !== last.arriving) last = { arriving, threshold: scaled(arriving) };
    return last.threshold;
  };
}
