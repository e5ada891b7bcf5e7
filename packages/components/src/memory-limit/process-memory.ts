import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** What the process has of memory at one moment, in bytes. */
export interface MemoryReading {
  /** What the kernel counts, and kills for. */
  readonly rss: number;
  /** Objects of JavaScript, dead ones included until they are collected. */
  readonly heapUsed: number;
  /** Pages of that heap, used or not. */
  readonly heapTotal: number;
  /** Buffers outside that heap, dead ones included until they are collected. */
  readonly external: number;
}

/** How much of the heap is searched for garbage. */
export type CollectionDepth = "young" | "all";

/** The process's memory; another one stands in for it in tests and in the simulation. */
export interface ProcessMemory {
  /** Costs about 10 us. */
  read(): MemoryReading;
  /**
   * Collects garbage: what is young blocks for about a millisecond, all of it for some 10 ms. Buffers
   * are freed on another thread soon after.
   */
  collect(depth: CollectionDepth): void;
  /** Bytes this process may have at most. @throws Error when that cannot be found out */
  total(): Promise<number>;
}

/** Makes the function that node exposes as `gc` when it is started with `--expose-gc`. */
export function exposeCollection(): (depth: CollectionDepth) => void {
  // The flag counts for contexts made from now on, so that a global `gc` is not needed.
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as (options?: { readonly type: "minor" }) => void;
  return (depth) => {
    // Node 20 takes any object for "minor": all of it is collected without one.
    if (depth === "young") collect({ type: "minor" });
    else collect();
  };
}
