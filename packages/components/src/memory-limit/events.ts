import type { LogFields } from "@inode-gateway/contract";
import type { LogInterval } from "../transport/log-interval.js";
import { type MemoryLimits, MIB } from "./memory-limits.js";
import type { MemoryReading } from "./process-memory.js";

// The sentences are the Collector's, so that one search finds both in a log store.

/** Everything is refused from now on. */
export function refusalBegan(log: LogInterval, reading: MemoryReading, limits: MemoryLimits): void {
  log.log("warn", "Memory usage is above soft limit. Refusing data.", fields(reading, limits));
}

/** Everything is taken again. */
export function refusalEnded(
  log: LogInterval,
  reading: MemoryReading,
  limits: MemoryLimits,
  refusedForMs: number,
): void {
  log.log("info", "Memory usage back within limits. Resuming normal operation.", {
    ...fields(reading, limits),
    refused_for_ms: Math.round(refusedForMs),
  });
}

/** More than a spike has come at once. */
export function hardLimitExceeded(
  log: LogInterval,
  reading: MemoryReading,
  limits: MemoryLimits,
): void {
  log.log("warn", "Memory usage is above hard limit. Forcing a GC.", fields(reading, limits));
}

/** MiB are what is written in the configuration. */
function fields(reading: MemoryReading, { hardBytes, softBytes }: MemoryLimits): LogFields {
  return {
    cur_mem_mib: mebibytes(reading.rss),
    heap_mib: mebibytes(reading.heapUsed),
    buffers_mib: mebibytes(reading.external),
    soft_limit_mib: mebibytes(softBytes),
    limit_mib: mebibytes(hardBytes),
  };
}

/** Whole MiB, rounded. */
export function mebibytes(bytes: number): number {
  return Math.round(bytes / MIB);
}
