import type { Sample } from "./soaked-gateway.js";

/** What memory may have grown by from one window to the other. */
const MEMORY_GROWTH_MAX = 0.05;
/** Counts may differ by this many whatever they are: a connection more, a batch that waits. */
const COUNT_SLACK = 16;
const COUNT_GROWTH_MAX = 0.25;
/** Bytes in batches and requests that happen to wait when somebody looks. */
const BYTES_SLACK = 8_388_608;

/** One quantity in both windows. */
export interface Comparison {
  readonly name: string;
  readonly before: number;
  readonly after: number;
  readonly isFlat: boolean;
}

/** Compares two windows of a soak: memory by its mean, everything else by its largest value. */
export function compareWindows(before: readonly Sample[], after: readonly Sample[]): Comparison[] {
  const mean = (samples: readonly Sample[]) =>
    samples.reduce((sum, { residentBytes }) => sum + residentBytes, 0) / samples.length;
  const [memoryBefore, memoryAfter] = [mean(before), mean(after)];
  const memory = {
    name: "resident memory, bytes",
    before: memoryBefore,
    after: memoryAfter,
    isFlat: memoryAfter <= memoryBefore * (1 + MEMORY_GROWTH_MAX),
  };
  const count = (name: string, read: (sample: Sample) => number): Comparison => {
    const [least, most] = [before, after].map((samples) => Math.max(...samples.map(read)));
    const slack = name.includes("bytes") ? BYTES_SLACK : COUNT_SLACK;
    const limit = (least ?? 0) * (1 + COUNT_GROWTH_MAX) + slack;
    return { name, before: least ?? 0, after: most ?? 0, isFlat: (most ?? 0) <= limit };
  };
  const names = [...(before[0]?.metrics.keys() ?? [])];
  return [
    memory,
    count("open files", ({ files }) => files),
    count("sockets", ({ sockets }) => sockets),
    count("timers", ({ timers }) => timers),
    ...names.map((name) => count(name, ({ metrics }) => metrics.get(name) ?? 0)),
  ];
}
