import { RetryableError } from "@inode-gateway/contract";
import type { Chance } from "./chance.js";
import type { ProcessClock, SimulatedClock } from "./simulated-clock.js";
import type { Outage } from "./simulated-registry.js";

/** Longest time of a write; what takes longer is refused and, should it come about, taken back. */
export const DISK_TIMEOUT_MS = 1_000;
/** What a write takes at most while the disk is slow. */
const SLOW_WRITE_MS_MAX = 1_500;

interface Stored {
  readonly bytes: Uint8Array;
  readonly itemCount: number;
  isDamaged: boolean;
}

/** What goes wrong with a disk, in spans of time. */
export interface DiskFaults {
  /** Nothing can be written. */
  readonly full: readonly Outage[];
  /** Everything takes long. */
  readonly slow: readonly Outage[];
}

/** A disk that outlives the processes that use it; what was not written when one dies is not there. */
export class SimulatedDisk {
  readonly #clock: SimulatedClock;
  readonly #chance: Chance;
  #faults: DiskFaults;
  readonly #logs = new Map<string, Map<number, Stored>>();
  #nextKey = 1;
  #damagedItems = 0;

  constructor(clock: SimulatedClock, chance: Chance, faults: DiskFaults) {
    this.#clock = clock;
    this.#chance = chance;
    this.#faults = faults;
  }

  /** Items of all logs. */
  get itemCount(): number {
    let items = 0;
    for (const log of this.#logs.values()) {
      for (const { itemCount } of log.values()) items += itemCount;
    }
    return items;
  }

  /** Items in all records that {@link damageOne} has damaged. */
  get damagedItems(): number {
    return this.#damagedItems;
  }

  /** From now on there is room, and it is fast. */
  heal(): void {
    this.#faults = { full: [], slow: [] };
  }

  /** Damages a record, as a disk does that has written one half of it. */
  damageOne(): void {
    const records = [...this.#logs.values()].flatMap((log) => [...log.values()]);
    const whole = records.filter(({ isDamaged }) => !isDamaged);
    if (whole.length === 0) return;
    const record = this.#chance.oneOf(whole);
    record.isDamaged = true;
    this.#damagedItems += record.itemCount;
  }

  /** One log as one process has it open; the shape of `RecordLog` in components/capabilities. */
  open(name: string, clock: ProcessClock) {
    const log = this.#logs.get(name) ?? new Map<number, Stored>();
    this.#logs.set(name, log);
    const records = [...log].sort(([one], [other]) => one - other);
    const recovered = records.map(([key, { bytes, itemCount }]) => {
      return { key, itemCount, byteLength: bytes.byteLength };
    });
    let writing = 0;
    const written = () => {
      writing--;
    };
    return {
      recovered,
      append: (record: readonly Uint8Array[], itemCount: number) => {
        writing++;
        const stored = { bytes: Buffer.concat(record), itemCount, isDamaged: false };
        return this.#append(log, clock, stored, written);
      },
      read: (key: number) => {
        const stored = log.get(key);
        if (stored === undefined) throw new Error(`record ${key} is not there`);
        if (stored.isDamaged) throw new Error(`record ${key} has a wrong checksum`);
        return Uint8Array.from(stored.bytes);
      },
      remove: (keys: readonly number[]) =>
        new Promise<void>((resolve) => {
          this.#write(clock, () => {
            for (const key of keys) log.delete(key);
            clock.setTimer(this.#chance.between(0, 4), resolve);
          });
        }),
      close: async () => {
        do await clock.sleep(this.#chance.between(0, 5));
        while (writing > 0);
      },
    };
  }

  /** @param onWritten called when nothing of this is on its way to the disk any more */
  #append(
    log: Map<number, Stored>,
    clock: ProcessClock,
    stored: Stored,
    onWritten: () => void,
  ): Promise<number> {
    const key = this.#nextKey++;
    return new Promise((resolve, reject) => {
      let isLate = false;
      const fail = (message: string) => {
        isLate = true;
        reject(new RetryableError("STORAGE_FAILED", message));
      };
      const limit = clock.setTimer(DISK_TIMEOUT_MS, () => {
        fail(`the disk did not answer in ${DISK_TIMEOUT_MS} ms`);
      });
      this.#write(clock, () => {
        if (this.#isIn(this.#faults.full)) fail("the disk is full");
        else log.set(key, stored);
        // The process hears of it a little later, if it still lives.
        clock.setTimer(this.#chance.between(0, 4), () => {
          limit.cancel();
          if (isLate) log.delete(key);
          else resolve(key);
          onWritten();
        });
      });
    });
  }

  /** Writes in some milliseconds, if the process still lives then. */
  #write(clock: ProcessClock, write: () => void): void {
    const slowest = this.#isIn(this.#faults.slow) ? SLOW_WRITE_MS_MAX : 8;
    clock.setTimer(this.#chance.between(0, slowest), write);
  }

  #isIn(spans: readonly Outage[]): boolean {
    const nowMs = this.#clock.nowMs();
    return spans.some(({ fromMs, untilMs }) => fromMs <= nowMs && nowMs < untilMs);
  }
}
