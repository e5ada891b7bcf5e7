import { exposeCollection, type ProcessMemory } from "./process-memory.js";
import { totalMemoryBytes } from "./total-memory.js";

/** The memory of this process, as the kernel and V8 tell it. */
export function systemMemory(): ProcessMemory {
  let collect: ReturnType<typeof exposeCollection> | undefined;
  return {
    read: () => process.memoryUsage(),
    collect: (depth) => {
      collect ??= exposeCollection();
      collect(depth);
    },
    total: () => totalMemoryBytes(),
  };
}
