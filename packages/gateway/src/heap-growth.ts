import { setFlagsFromString } from "node:v8";

/** How much the heap may grow, in percent of what lives on it, before all of it is collected. */
const HEAP_GROWTH_PERCENT = 300;

/**
 * Lets the heap grow to four times what lives on it, V8's own upper bound, between two collections of
 * all of it.
 *
 * Message buffers are large and short-lived. V8 counts them as growth of a heap that is small, so
 * that by default it marks the whole heap ten times a second under load. What it may grow by stays
 * bounded: `--max-old-space-size` holds as before, and V8 collects for every 64 MB of buffers anyway.
 */
export function letHeapGrow(): void {
  setFlagsFromString(`--heap-growing-percent=${HEAP_GROWTH_PERCENT}`);
}
