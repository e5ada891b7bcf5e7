import type { RootDatabase } from "lmdb";
import type { RecordLogOwner } from "../../capabilities/queue-storage.js";
import type { GroupWriter } from "./group-writer.js";
import {
  DIRECTORY_LOG,
  decodeKey,
  decodeValue,
  encodeKey,
  encodePrefix,
  encodeValue,
} from "./record-format.js";
import type { StorageSpace } from "./storage-space.js";

/** Queues that one directory can tell apart, those of old configurations included. */
const QUEUES_MAX = 10_000;

/** One queue's records as they were found at the start. */
export interface FoundQueue {
  readonly owner: RecordLogOwner;
  readonly records: number;
  readonly items: number;
}

interface QueueEntry {
  readonly log: number;
  readonly owner: RecordLogOwner;
  records: number;
  items: number;
}

/** Which queue has which identifier in the data file; kept in the file itself, as records of queue 0. */
export class QueueDirectory {
  readonly #byName = new Map<string, QueueEntry>();
  #highest = DIRECTORY_LOG;

  /**
   * Reads all keys, and counts what they take.
   *
   * @throws Error when an entry is damaged
   */
  constructor(reader: RootDatabase<Buffer, Uint8Array>, space: StorageSpace) {
    const byLog = new Map<number, QueueEntry>();
    const end = encodePrefix(DIRECTORY_LOG + 1, 0);
    for (const { key, value } of reader.getRange({ start: encodePrefix(DIRECTORY_LOG, 0), end })) {
      const log = decodeKey(key).sequence;
      const text = new TextDecoder().decode(decodeValue(key, value));
      const entry = { log, owner: JSON.parse(text) as RecordLogOwner, records: 0, items: 0 };
      byLog.set(log, entry);
      this.#byName.set(nameOf(entry.owner), entry);
      this.#highest = Math.max(this.#highest, log);
    }
    for (const bytes of reader.getKeys({ start: end })) {
      const { byteLength, itemCount, log } = decodeKey(bytes);
      space.addFound(byteLength);
      const entry = byLog.get(log);
      if (entry === undefined) throw new Error(`its records of queue ${log} have no owner`);
      entry.records++;
      entry.items += itemCount;
    }
  }

  /** Every queue that had records at the start. */
  found(): FoundQueue[] {
    return [...this.#byName.values()].filter(({ records }) => records > 0);
  }

  /**
   * The queue's identifier in the file, a new one when it is not known yet.
   *
   * @throws RetryableError `STORAGE_FAILED` when a new one cannot be written
   */
  async logOf(owner: RecordLogOwner, writer: GroupWriter): Promise<number> {
    const known = this.#byName.get(nameOf(owner));
    if (known !== undefined) return known.log;
    if (this.#byName.size >= QUEUES_MAX) {
      throw new Error(`the directory knows ${QUEUES_MAX} queues already, which is the most`);
    }
    const sequence = ++this.#highest;
    const { componentId, name } = owner;
    const content = new TextEncoder().encode(JSON.stringify({ componentId, name }));
    const byteLength = content.byteLength;
    const key = encodeKey({ log: DIRECTORY_LOG, sequence, itemCount: 0, byteLength });
    const value = encodeValue(key, [content], byteLength);
    const space = { records: 0, bytes: 0 };
    await writer.append({ key, value, space });
    const entry = { log: sequence, owner: { componentId, name }, records: 0, items: 0 };
    this.#byName.set(nameOf(owner), entry);
    return sequence;
  }
}

/** A name that two queues never share. */
export function nameOf({ componentId, name }: RecordLogOwner): string {
  return JSON.stringify([componentId, name]);
}
