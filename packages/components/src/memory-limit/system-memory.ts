import { exposeCollection, type ProcessMemory } from "./process-memory.js";
import { totalMemoryBytes } from "./total-memory.js";

/** The memory of this process, as the kernel and V8 tell it. */
export function systemMemory(): ProcessMemory {
  let collect: (() => void) | undefined;
  return {
    read: () => process.memoryUsage(),
    collect: () => {
      collect ??= exposeCollection();
      collect();
    },
    total: () => totalMemoryBytes(),
  };
}
