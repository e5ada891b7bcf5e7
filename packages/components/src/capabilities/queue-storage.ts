import type { Extension, Host } from "@inode-gateway/contract";

/** What is known of a stored record without reading it. */
export interface StoredRecord {
  /** Ascends in the order of `append`, also over restarts. */
  readonly key: number;
  readonly byteLength: number;
  /** Spans, data points or log records, as given to `append`. */
  readonly itemCount: number;
}

/** An ordered list of records on disk that belongs to one queue. */
export interface RecordLog {
  /** What an earlier process left, ascending by key. */
  readonly recovered: readonly StoredRecord[];
  /**
   * Writes one record behind all others; resolves with its key when the disk has it, so that neither a
   * crash of the process nor a loss of power can lose it (the latter unless `fsync: false`).
   *
   * @param record consecutive parts, not modified and not kept
   * @throws RetryableError `STORAGE_FAILED` when the disk or the extension's `max_bytes` is full, or the
   *   write fails or takes longer than the extension's `timeout`; the record is then not in the log
   * @throws PermanentError `BATCH_TOO_LARGE` when the record is larger than the log ever takes
   */
  append(record: readonly Uint8Array[], itemCount: number): Promise<number>;
  /** One record, the caller's own copy. @throws Error when it is not there or its checksum is wrong */
  read(key: number): Uint8Array;
  /** Removes records; resolves when they will not come back after a restart. Unknown keys are ignored. */
  remove(keys: readonly number[]): Promise<void>;
  /** Writes what is under way and gives the log free for the next to open it. Safe twice. */
  close(): Promise<void>;
}

/** Which queue a log belongs to; the same parts open the same log after a restart. */
export interface RecordLogOwner {
  /** Whole component ID, such as `otlp_grpc/backend`. */
  readonly componentId: string;
  /** What tells logs of one component apart, such as `traces`. */
  readonly name: string;
}

/** An extension that keeps queues on disk: what `sending_queue::storage` must name. */
export interface QueueStorage extends Extension {
  /**
   * Opens the log of one queue. Valid from the end of `start` to `shutdown`; every log must be closed
   * before the extension is shut down.
   *
   * @throws Error when it is open already or cannot be read
   */
  openRecordLog(owner: RecordLogOwner): Promise<RecordLog>;
}

/**
 * The storage of a running extension.
 *
 * @param extensionId as written under `storage:`, such as `file_storage/queues`
 * @throws Error when no such extension runs, or when it stores no queues
 */
export function queueStorageOf(host: Host, extensionId: string): QueueStorage {
  const extension = host.extension(extensionId);
  if (extension === undefined) {
    throw new Error(
      `\`storage\` names the extension "${extensionId}", which does not run: ` +
        "list it under `service::extensions`",
    );
  }
  if (!isQueueStorage(extension)) {
    throw new Error(
      `\`storage\` names the extension "${extensionId}", which stores no queues: use a \`file_storage\``,
    );
  }
  return extension;
}

function isQueueStorage(extension: Extension): extension is QueueStorage {
  return "openRecordLog" in extension;
}
