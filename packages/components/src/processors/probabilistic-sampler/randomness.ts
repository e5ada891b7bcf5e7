/** Where the random value of an item comes from; the Collector's names, label `policy` of the counters. */
export type Policy = string;

/** A random value of 56 bits with its source. */
export interface Randomness {
  /** 14 hexadecimal digits in lower case. */
  readonly digits: string;
  readonly policy: Policy;
  readonly isMissing: boolean;
}

/** Sampled at every threshold but the highest. */
const HIGHEST = "f".repeat(14);

/** An item without anything to decide by. */
export const missingRandomness: Randomness = {
  digits: HIGHEST,
  policy: "missing_randomness",
  isMissing: true,
};

/** For what needs no random value. */
export const anyRandomness: Randomness = {
  digits: HIGHEST,
  policy: "sampling_priority",
  isMissing: false,
};

const FNV_OFFSET = 0x811c_9dc5;
const FNV_PRIME = 0x0100_0193;

/** Hash values that decide: 2^14. */
export const HASH_BUCKETS = 0x4000;
const BUCKET_MASK = HASH_BUCKETS - 1;
const HALF_DIGITS = 7;

/** The random value of 56 bits that a trace ID of 16 bytes ends with, as W3C Trace Context 2 says. */
export function traceIdRandomness(traceId: Buffer): Randomness {
  return { digits: traceId.toString("hex", 9, 16), policy: "trace_id_w3c", isMissing: false };
}

/**
 * The random value of `hash_seed`: FNV-1a of the seed and the bytes, of which 14 bits decide.
 *
 * They stand in front, turned round, so that a comparison with a threshold decides like the hash did
 * before there were thresholds; the other bits fill up what is left.
 */
export function hashedRandomness(bytes: Uint8Array, seed: number, policy: Policy): Randomness {
  const hash = fnv1a(bytes, seed);
  const bucket = hash & BUCKET_MASK;
  const rest = hash >>> 18;
  const filling = rest ^ (rest << 10);
  const high = ((BUCKET_MASK - bucket) << 14) | (filling >>> 14);
  const low = ((filling & BUCKET_MASK) << 14) | bucket;
  return { digits: hexadecimal(high) + hexadecimal(low), policy, isMissing: false };
}

function fnv1a(bytes: Uint8Array, seed: number): number {
  let hash = FNV_OFFSET;
  for (let shift = 0; shift < 32; shift += 8) {
    hash = Math.imul(hash ^ ((seed >>> shift) & 0xff), FNV_PRIME);
  }
  for (const byte of bytes) hash = Math.imul(hash ^ byte, FNV_PRIME);
  return hash >>> 0;
}

function hexadecimal(half: number): string {
  return half.toString(16).padStart(HALF_DIGITS, "0");
}
