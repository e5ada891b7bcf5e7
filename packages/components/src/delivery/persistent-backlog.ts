import {
  type Batch,
  type Clock,
  type ComponentSettings,
  type Host,
  isDeliveryError,
  PermanentError,
  RetryableError,
  type Signal,
} from "@inode-gateway/contract";
import {
  queueStorageOf,
  type RecordLog,
  type StoredRecord,
} from "../capabilities/queue-storage.js";
import { decodeRecord, encodeRecord } from "./record-format.js";

/** Bytes of stored requests that one queue also keeps in memory, so as not to read them again. */
export const RESIDENT_BYTES_MAX = 67_108_864;

/** When a sender comes back whose request could not be written, unless the storage knows better. */
const STORAGE_RETRY_AFTER_MS = 5_000;

/** Where the requests of a queue are kept, and what of them. */
export interface StoredQueue {
  /** ID of the extension that keeps them. */
  readonly storageId: string;
  /** Lower-case names of metadata that is kept with them even when its name is that of a credential. */
  readonly metadataNames: ReadonlySet<string>;
}

/** The requests of one sending queue on disk. */
export class PersistentBacklog {
  readonly #clock: Clock;
  readonly #signal: Signal;
  readonly #log: RecordLog;
  readonly #metadataNames: ReadonlySet<string>;
  readonly #onRemoveFailed: (error: unknown) => void;
  #residentBytes = 0;
  /** Keys of what is done; as many as there are records at most. */
  #done: number[] = [];
  #removing: Promise<void> | undefined;

  private constructor(
    clock: Clock,
    signal: Signal,
    log: RecordLog,
    metadataNames: ReadonlySet<string>,
    onRemoveFailed: (error: unknown) => void,
  ) {
    this.#clock = clock;
    this.#signal = signal;
    this.#log = log;
    this.#metadataNames = metadataNames;
    this.#onRemoveFailed = onRemoveFailed;
  }

  /**
   * Opens the log of one exporter and signal.
   *
   * @param onRemoveFailed called when what was delivered may be delivered again after a restart
   * @throws Error when there is no such storage, or its log cannot be opened
   */
  static async open(
    settings: ComponentSettings,
    signal: Signal,
    host: Host,
    { metadataNames, storageId }: StoredQueue,
    onRemoveFailed: (error: unknown) => void,
  ): Promise<PersistentBacklog> {
    const storage = queueStorageOf(host, storageId);
    const log = await storage.openRecordLog({ componentId: settings.id, name: signal });
    return new PersistentBacklog(settings.clock, signal, log, metadataNames, onRemoveFailed);
  }

  /** What an earlier process left, oldest first. */
  get recovered(): readonly StoredRecord[] {
    return this.#log.recovered;
  }

  /**
   * Writes one request behind all others; resolves with its key when it is safe.
   *
   * @throws RetryableError `STORAGE_FAILED` when it cannot be kept
   * @throws PermanentError `BATCH_TOO_LARGE` when it never can
   */
  async append(batch: Batch): Promise<number> {
    try {
      const record = encodeRecord(batch, this.#clock, this.#metadataNames);
      return await this.#log.append(record, batch.itemCount);
    } catch (error) {
      throw storageFailed(error);
    }
  }

  /** Whether the bytes of a stored request may stay in memory; if so they are counted. */
  admit({ retainedBytes }: Batch): boolean {
    if (this.#residentBytes + retainedBytes > RESIDENT_BYTES_MAX) return false;
    this.#residentBytes += retainedBytes;
    return true;
  }

  /** The bytes of a request that was admitted leave the memory. */
  release({ retainedBytes }: Batch): void {
    this.#residentBytes -= retainedBytes;
  }

  /** Reads one request back. @throws when it is not what was written, or of an unknown version */
  read(key: number): Batch {
    return decodeRecord(this.#log.read(key), this.#signal, this.#clock);
  }

  /** Removes what is done; many at a time while the disk is busy. */
  remove(key: number): void {
    this.#done.push(key);
    this.#removing ??= this.#removeDone();
  }

  /** Waits for removals, then gives the log free. Safe twice. */
  async close(): Promise<void> {
    await this.#removing;
    await this.#log.close();
  }

  // Never rejects: a failed removal is told once and costs a duplicate, not data.
  async #removeDone(): Promise<void> {
    while (this.#done.length > 0) {
      const keys = this.#done;
      this.#done = [];
      try {
        await this.#log.remove(keys);
      } catch (error) {
        this.#onRemoveFailed(error);
      }
    }
    this.#removing = undefined;
  }
}

function storageFailed(error: unknown): PermanentError | RetryableError {
  if (error instanceof PermanentError) return error;
  const isKnown = isDeliveryError(error) && error instanceof RetryableError;
  if (isKnown && error.retryAfterMs !== undefined) return error;
  const message = error instanceof Error ? error.message : String(error);
  const prefix = isKnown ? "" : "the queue cannot be written: ";
  return new RetryableError("STORAGE_FAILED", prefix + message, {
    cause: error,
    retryAfterMs: STORAGE_RETRY_AFTER_MS,
  });
}
