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
const HALF_LIMIT = 2 ** 28;

/** Bytes of a trace ID. */
export const TRACE_ID_BYTES = 16;

/** Bytes of a trace ID before those that W3C Trace Context 2 says are random. */
const NOT_RANDOM_BYTES = 9;

/** The random value of 56 bits that the trace ID at `offset` ends with. */
export function traceIdRandomness(bytes: Uint8Array, offset: number): Randomness {
  let high = 0;
  let low = 0;
  // Seven bytes as two halves of 28 bits: three and a half bytes each.
  for (let index = 0; index < 3; index++) {
    high = (high << 8) | (bytes[offset + NOT_RANDOM_BYTES + index] ?? 0);
    low = (low << 8) | (bytes[offset + NOT_RANDOM_BYTES + 4 + index] ?? 0);
  }
  const middle = bytes[offset + NOT_RANDOM_BYTES + 3] ?? 0;
  const digits =
    hexadecimal((high << 4) | (middle >>> 4)) + hexadecimal(((middle & 0xf) << 24) | low);
  return { digits, policy: "trace_id_w3c", isMissing: false };
}

/**
 * The random value of `hash_seed`: FNV-1a of the seed and the bytes from `start` to `end`, of which 14
 * bits decide.
 *
 * They stand in front, turned round, so that a comparison with a threshold decides like the hash did
 * before there were thresholds; the other bits fill up what is left.
 */
export function hashedRandomness(
  bytes: Uint8Array,
  start: number,
  end: number,
  seed: number,
  policy: Policy,
): Randomness {
  const hash = fnv1a(bytes, start, end, seed);
  const bucket = hash & BUCKET_MASK;
  const rest = hash >>> 18;
  const filling = rest ^ (rest << 10);
  const high = ((BUCKET_MASK - bucket) << 14) | (filling >>> 14);
  const low = ((filling & BUCKET_MASK) << 14) | bucket;
  return { digits: hexadecimal(high) + hexadecimal(low), policy, isMissing: false };
}

function fnv1a(bytes: Uint8Array, start: number, end: number, seed: number): number {
  let hash = FNV_OFFSET;
  for (let shift = 0; shift < 32; shift += 8) {
    hash = Math.imul(hash ^ ((seed >>> shift) & 0xff), FNV_PRIME);
  }
  for (let index = start; index < end; index++) {
    hash = Math.imul(hash ^ (bytes[index] ?? 0), FNV_PRIME);
  }
  return hash >>> 0;
}

// With a digit in front that is cut off again: cheaper than filling up with zeros.
function hexadecimal(half: number): string {
  return (half + HALF_LIMIT).toString(16).slice(1);
}
