import { type Clock, PermanentError, RetryableError } from "@inode-gateway/contract";
import type { RootDatabase } from "lmdb";
import type { RecordLog, RecordLogOwner, StoredRecord } from "../../capabilities/queue-storage.js";
import type { RecordSpace } from "./data-file.js";
import type { GroupWriter } from "./group-writer.js";
import { decodeKey, decodeValue, encodeKey, encodePrefix, encodeValue } from "./record-format.js";
import { reasonOf } from "./storage-directory.js";
import type { StorageSpace } from "./storage-space.js";

/** The largest record: what a receiver takes is a few MiB, what a batch is merged to a few tens. */
export const RECORD_BYTES_MAX = 67_108_864;

/** What a log works with. */
export interface RecordLogParts {
  readonly owner: RecordLogOwner;
  /** The queue's identifier in the file. */
  readonly log: number;
  readonly reader: RootDatabase<Buffer, Uint8Array>;
  readonly writer: GroupWriter;
  readonly space: StorageSpace;
  readonly readFailed: () => void;
  readonly appendRefused: (reason: string) => void;
  readonly clock: Clock;
  /** How long a close waits for what is under way. */
  readonly closeMsMax: number;
  /** The highest sequence that this process has given out for this queue; 0 when it has not. */
  readonly lastSequence: number;
  readonly closed: (lastSequence: number) => void;
}

/** The records of one queue in the data file. */
export class FileRecordLog implements RecordLog {
  readonly #parts: RecordLogParts;
  readonly recovered: readonly StoredRecord[];
  /** The key of every record that is there, by its sequence; as many as records are allowed. */
  readonly #keys = new Map<number, Uint8Array>();
  #nextSequence: number;
  #isClosed = false;
  readonly #underWay = new Set<Promise<unknown>>();

  constructor(parts: RecordLogParts) {
    this.#parts = parts;
    this.recovered = this.#readKeys();
    // A late append of an earlier log of this queue may still come into the file, and go again.
    this.#nextSequence = Math.max(this.recovered.at(-1)?.key ?? 0, parts.lastSequence) + 1;
  }

  async append(record: readonly Uint8Array[], itemCount: number): Promise<number> {
    const { log, writer } = this.#parts;
    let byteLength = 0;
    for (const part of record) byteLength += part.byteLength;
    const space = this.#takeSpace(byteLength);
    const sequence = this.#nextSequence++;
    const key = encodeKey({ log, sequence, itemCount, byteLength });
    const value = encodeValue(key, record, byteLength);
    await this.#follow(writer.append({ key, value, space }));
    this.#keys.set(sequence, key);
    return sequence;
  }

  read(sequence: number): Uint8Array {
    const { reader } = this.#parts;
    try {
      // The snapshot of an earlier read in this turn would not know what was appended since.
      reader.resetReadTxn();
      const key = this.#keys.get(sequence);
      const value = key === undefined ? undefined : reader.getBinary(key);
      if (key === undefined || value === undefined) throw new Error("it is not there");
      return decodeValue(key, value);
    } catch (error) {
      this.#parts.readFailed();
      const { componentId, name } = this.#parts.owner;
      throw new Error(
        `record ${sequence} of ${componentId} (${name}) cannot be read: ${reasonOf(error)}`,
        { cause: error },
      );
    } finally {
      reader.resetReadTxn();
    }
  }

  async remove(sequences: readonly number[]): Promise<void> {
    const keys: Uint8Array[] = [];
    for (const sequence of sequences) {
      const key = this.#keys.get(sequence);
      if (key === undefined) continue;
      this.#keys.delete(sequence);
      keys.push(key);
    }
    await this.#follow(this.#parts.writer.remove(keys));
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#underWay.size > 0) await this.#untilOver(Promise.allSettled(this.#underWay));
    this.#keys.clear();
    this.#parts.closed(this.#nextSequence - 1);
  }

  #readKeys(): readonly StoredRecord[] {
    const { log, reader } = this.#parts;
    const records: StoredRecord[] = [];
    reader.resetReadTxn();
    const range = { start: encodePrefix(log, 0), end: encodePrefix(log + 1, 0) };
    for (const key of reader.getKeys(range)) {
      const { byteLength, itemCount, sequence } = decodeKey(key);
      records.push({ key: sequence, byteLength, itemCount });
      this.#keys.set(sequence, encodeKey({ log, sequence, itemCount, byteLength }));
    }
    return records;
  }

  #takeSpace(byteLength: number): RecordSpace {
    const { appendRefused, space } = this.#parts;
    try {
      if (this.#isClosed) throw new RetryableError("STORAGE_FAILED", "the record log is closed");
      if (byteLength <= RECORD_BYTES_MAX) return space.take(byteLength);
      // To come again with the same would be in vain.
      throw new PermanentError(
        "BATCH_TOO_LARGE",
        `a record of ${byteLength} bytes was not stored: at most ${RECORD_BYTES_MAX} are`,
      );
    } catch (error) {
      if (error instanceof RetryableError) appendRefused(reasonOf(error));
      throw error;
    }
  }

  async #untilOver(work: Promise<unknown>): Promise<void> {
    const { clock, closeMsMax } = this.#parts;
    await new Promise<void>((resolve) => {
      const timer = clock.setTimer(closeMsMax, resolve);
      void work.finally(() => {
        timer.cancel();
        resolve();
      });
    });
  }

  async #follow(promise: Promise<void>): Promise<void> {
    this.#underWay.add(promise);
    try {
      await promise;
    } finally {
      this.#underWay.delete(promise);
    }
  }
}
