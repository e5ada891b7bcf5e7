import type { MemoryReading, ProcessMemory } from "@inode-gateway/components";
import type { ProcessClock } from "./simulated-clock.js";
import type { Outage } from "./simulated-registry.js";

const MIB = 1_048_576;
/** What a process has before it does anything. */
const IDLE_MIB = 60;
/** What a request takes while it is under way, and leaves behind as garbage. */
const REQUEST_MIB = 8;
/** What a spike adds that has nothing to do with telemetry. */
const SPIKE_MIB = 150;
/** Garbage is collected by itself at this much, asked or not. */
const GARBAGE_MIB_MAX = 40;

/** Limit of a gateway in a simulated world: an idle one is far below, a spike is above. */
export const MEMORY_LIMIT_MIB = 200;

/** The memory of one process: follows its load, grows in spikes, falls when garbage is collected. */
export class SimulatedMemory implements ProcessMemory {
  readonly #clock: ProcessClock;
  readonly #spikes: readonly Outage[];
  #running = 0;
  #garbageMib = 0;

  constructor(clock: ProcessClock, spikes: readonly Outage[]) {
    this.#clock = clock;
    this.#spikes = spikes;
  }

  requestBegan(): void {
    this.#running++;
  }

  requestEnded(): void {
    this.#running--;
    this.#garbageMib = (this.#garbageMib + REQUEST_MIB) % GARBAGE_MIB_MAX;
  }

  read(): MemoryReading {
    const nowMs = this.#clock.nowMs();
    const isSpike = this.#spikes.some(({ fromMs, untilMs }) => fromMs <= nowMs && nowMs < untilMs);
    const heapMib = this.#running * REQUEST_MIB + this.#garbageMib + (isSpike ? SPIKE_MIB : 0);
    return {
      rss: (IDLE_MIB + heapMib) * MIB,
      heapTotal: heapMib * MIB,
      heapUsed: heapMib * MIB,
      external: 0,
    };
  }

  collect(): void {
    this.#garbageMib = 0;
  }

  total(): Promise<number> {
    return Promise.resolve(MEMORY_LIMIT_MIB * MIB);
  }
}
