import { RetryableError } from "@inode-gateway/contract";
import type { Chance } from "./chance.js";
import type { ProcessClock, SimulatedClock } from "./simulated-clock.js";
import type { Outage } from "./simulated-registry.js";

interface Stored {
  readonly bytes: Uint8Array;
  readonly itemCount: number;
}

/** A disk that outlives the processes that use it; what was not written when one dies is not there. */
export class SimulatedDisk {
  readonly #clock: SimulatedClock;
  readonly #chance: Chance;
  readonly #full: Outage[];
  readonly #logs = new Map<string, Map<number, Stored>>();
  #nextKey = 1;

  /** @param full spans of time in which nothing can be written */
  constructor(clock: SimulatedClock, chance: Chance, full: readonly Outage[]) {
    this.#clock = clock;
    this.#chance = chance;
    this.#full = [...full];
  }

  /** Items of all logs. */
  get itemCount(): number {
    let items = 0;
    for (const log of this.#logs.values()) {
      for (const { itemCount } of log.values()) items += itemCount;
    }
    return items;
  }

  /** From now on there is room. */
  heal(): void {
    this.#full.length = 0;
  }

  /** One log as one process has it open; the shape of `RecordLog` in components/capabilities. */
  open(name: string, clock: ProcessClock) {
    const log = this.#logs.get(name) ?? new Map<number, Stored>();
    this.#logs.set(name, log);
    const recovered = [...log].map(([key, { bytes, itemCount }]) => {
      return { key, itemCount, byteLength: bytes.byteLength };
    });
    return {
      recovered,
      append: (record: readonly Uint8Array[], itemCount: number) => {
        const key = this.#nextKey++;
        const bytes = Buffer.concat(record);
        return this.#write(clock, () => log.set(key, { bytes, itemCount })).then(() => key);
      },
      read: (key: number) => {
        const stored = log.get(key);
        if (stored === undefined) throw new Error(`record ${key} is not there`);
        return Uint8Array.from(stored.bytes);
      },
      remove: async (keys: readonly number[]) => {
        const forget = () => {
          for (const key of keys) log.delete(key);
        };
        await this.#write(clock, forget, false);
      },
      close: () => clock.sleep(this.#chance.between(0, 5)),
    };
  }

  /** Writes in some milliseconds; the process hears of it a little later, if it still lives. */
  #write(clock: ProcessClock, write: () => void, needsRoom = true): Promise<void> {
    return new Promise((resolve, reject) => {
      clock.setTimer(this.#chance.between(0, 8), () => {
        if (needsRoom && this.#isFull) {
          reject(new RetryableError("STORAGE_FAILED", "the disk is full"));
          return;
        }
        write();
        clock.setTimer(this.#chance.between(0, 4), resolve);
      });
    });
  }

  get #isFull(): boolean {
    const nowMs = this.#clock.nowMs();
    return this.#full.some(({ fromMs, untilMs }) => fromMs <= nowMs && nowMs < untilMs);
  }
}
