import assert from "node:assert/strict";
import type { ContainerRegistry, InodeKey } from "@inode-gateway/registry";

/** Keys of one `lookup`, as of the distinct Resources of a few batches. */
const keysPerLookup = 64;
/** Lookups that wait at the same time. */
const lookupsAtOnce = 16;

/** What asking for many keys took. */
export interface LookupFigures {
  readonly seconds: number;
  readonly perSecond: number;
  /** CPU of this process, microseconds per key. */
  readonly cpuUs: number;
}

/** Asks for all keys, several lookups at a time, and checks that each found its container. */
export async function measureLookups(
  gateway: ContainerRegistry,
  keys: readonly InodeKey[],
): Promise<LookupFigures> {
  const beganMs = performance.now();
  const cpu = process.cpuUsage();
  let next = 0;
  const work = async () => {
    while (next < keys.length) {
      const some = keys.slice(next, next + keysPerLookup);
      next += keysPerLookup;
      for (const { outcome } of await gateway.lookup(some)) assert.equal(outcome, "found");
    }
  };
  await Promise.all(Array.from({ length: lookupsAtOnce }, work));
  const { user, system } = process.cpuUsage(cpu);
  const seconds = (performance.now() - beganMs) / 1_000;
  return { seconds, perSecond: keys.length / seconds, cpuUs: (user + system) / keys.length };
}

/**
 * CPU nanoseconds of one hit in the cache: the least disturbed of ten rounds, each key found.
 *
 * Keys are made as they are asked for, as a resolver does; `order` holds numbers of containers.
 */
export function measureHits(
  gateway: ContainerRegistry,
  order: Uint32Array,
  bootIds: readonly string[],
  inodes: readonly number[],
): number {
  const rounds: number[] = [];
  const repetitions = Math.ceil(1_000_000 / order.length);
  for (let round = 0; round < 10; round++) {
    let found = 0;
    const cpu = process.cpuUsage();
    for (let repetition = 0; repetition < repetitions; repetition++) {
      for (let index = 0; index < order.length; index++) {
        const number = order[index] ?? 0;
        const node = Math.floor(number / inodes.length);
        const bootId = bootIds[node] ?? "";
        const inode = inodes[number - node * inodes.length] ?? 0;
        if (gateway.cached({ bootId, inode }) !== undefined) found++;
      }
    }
    const { user } = process.cpuUsage(cpu);
    assert.equal(found, repetitions * order.length);
    rounds.push((user * 1_000) / found);
  }
  return Math.min(...rounds);
}

/**
 * CPU nanoseconds of one read at a random place of 32 MB that must wait for the one before: what any
 * table of a million entries pays at least on this machine, at this hour.
 */
export function measureMemoryRead(order: Uint32Array): number {
  const words = new Int32Array(8 * 1_048_576).fill(1);
  const read = () => {
    let last = 0;
    for (const number of order) {
      last = words[(Math.imul(number + last, 0x9e37_79b1) >>> 3) & (words.length - 1)] ?? 0;
    }
    return last;
  };
  read();
  const cpu = process.cpuUsage();
  assert.equal(read(), 1);
  return (process.cpuUsage(cpu).user * 1_000) / order.length;
}
