import { join } from "node:path";
import type { ComponentSettings } from "@inode-gateway/contract";
import { open, type RootDatabase } from "lmdb";
import type { QueueStorage, RecordLog, RecordLogOwner } from "../../capabilities/queue-storage.js";
import type { FileStorageConfig } from "./config.js";
import { DATA_FILE_NAME, databaseOptions } from "./data-file.js";
import { prepareDataFile } from "./data-file-start.js";
import { DirectoryLock } from "./directory-lock.js";
import * as events from "./events.js";
import { FileRecordLog } from "./file-record-log.js";
import { GroupWriter, type GroupWriterObserver } from "./group-writer.js";
import { storageBytes, storageBytesMax, storageRecords, storageWriteDuration } from "./metrics.js";
import { nameOf, QueueDirectory } from "./queue-directory.js";
import { flushDirectory, prepareDirectory, reasonOf } from "./storage-directory.js";
import { StorageSpace } from "./storage-space.js";
import { WritingThread } from "./writing-thread.js";

/** Values of records lie in whole runs of pages: pieces that fit nothing are at most as much again. */
const FILE_BYTES_PER_RECORD_BYTE = 2;
/** The tree, the list of free pages and the reserve of a file that holds next to nothing. */
const FILE_OVERHEAD_BYTES = 16_777_216;

/** Everything that is there between `start` and `shutdown`. */
interface OpenFile {
  readonly writer: GroupWriter;
  readonly reader: RootDatabase<Buffer, Uint8Array>;
  readonly queues: QueueDirectory;
  readonly space: StorageSpace;
}

/**
 * Sending queues in one lmdb file of a directory that this process alone uses.
 *
 * Records are written by a thread of their own, many in one transaction, and read in place.
 */
export class FileStorage implements QueueStorage {
  readonly #settings: ComponentSettings;
  readonly #config: FileStorageConfig;
  readonly #openLogs = new Set<string>();
  /** Queues that were opened since the start, with the last sequence of those that were closed. */
  readonly #usedLogs = new Map<string, number>();
  #lock: DirectoryLock | undefined;
  #writer: GroupWriter | undefined;
  #reader: RootDatabase<Buffer, Uint8Array> | undefined;
  #file: OpenFile | undefined;
  #releases: (() => void)[] = [];
  #isFailing = false;
  #closed: Promise<void> | undefined;

  constructor(settings: ComponentSettings, config: FileStorageConfig) {
    this.#settings = settings;
    this.#config = config;
  }

  /** @throws Error when the directory or the data file cannot be used */
  async start(): Promise<void> {
    if (this.#config.compaction.on_rebound) {
      events.keyWithoutEffect(this.#settings, "compaction::on_rebound");
    }
    try {
      await this.#open();
      if (this.#closed !== undefined) throw new Error("it was shut down while it was starting");
    } catch (error) {
      await this.#close();
      throw error;
    }
  }

  ready(): void {
    for (const queue of this.#file?.queues.found() ?? []) {
      if (!this.#usedLogs.has(nameOf(queue.owner))) events.queueWithoutOwner(this.#settings, queue);
    }
  }

  async openRecordLog(owner: RecordLogOwner): Promise<RecordLog> {
    const { clock } = this.#settings;
    const { queues, reader, space, writer } = this.#opened();
    const name = nameOf(owner);
    if (this.#openLogs.has(name)) {
      throw new Error(`the queue ${owner.name} of ${owner.componentId} is open already`);
    }
    this.#openLogs.add(name);
    const lastSequence = this.#usedLogs.get(name) ?? 0;
    this.#usedLogs.set(name, lastSequence);
    try {
      const log = await queues.logOf(owner, writer);
      return new FileRecordLog({
        owner,
        log,
        reader,
        writer,
        space,
        readFailed: () => events.readFailed(this.#settings),
        appendRefused: (reason) => this.#noteAppendFailure(1, reason),
        clock,
        closeMsMax: this.#config.timeout,
        lastSequence,
        closed: (last) => {
          this.#openLogs.delete(name);
          this.#usedLogs.set(name, last);
        },
      });
    } catch (error) {
      this.#openLogs.delete(name);
      throw error;
    }
  }

  async shutdown(deadlineMs: number): Promise<void> {
    const { clock } = this.#settings;
    this.#closed ??= this.#closeAfterWork(deadlineMs);
    const delayMs = deadlineMs - clock.nowMs();
    let cancel = () => {};
    const limit = new Promise<void>((resolve) => {
      const timer = clock.setTimer(Math.max(0, delayMs), resolve);
      cancel = () => timer.cancel();
    });
    await Promise.race([this.#closed, limit]);
    cancel();
    // A disk that does not answer holds nobody up: the thread ends when it does.
    this.#settings.runInBackground("closing the data file", this.#closed);
  }

  async #open(): Promise<void> {
    const { clock, id } = this.#settings;
    const { create_directory: mayCreate, directory, timeout: timeoutMs } = this.#config;
    await prepareDirectory(directory, mayCreate, this.#config.directory_permissions);
    this.#lock = await DirectoryLock.acquire({
      directory,
      owner: `\`${id}\``,
      clock,
      random: this.#settings.random,
      timeoutMs,
    });
    const fileBytesMax = this.#config.max_bytes * FILE_BYTES_PER_RECORD_BYTE + FILE_OVERHEAD_BYTES;
    const { compactFailure, moved } = await prepareDataFile(
      {
        directory,
        fileBytesMax,
        mayMoveAside: this.#config.recreate,
        compacts: this.#config.compaction.on_start,
      },
      clock,
    );
    if (moved !== undefined) events.fileMovedAside(this.#settings, moved);
    if (compactFailure !== undefined) events.notCompacted(this.#settings, compactFailure);
    const data = { path: join(directory, DATA_FILE_NAME), fsync: this.#config.fsync, fileBytesMax };
    const thread = await WritingThread.open(data, clock);
    this.#writer = new GroupWriter(thread, clock, timeoutMs, this.#observer());
    await flushDirectory(directory);
    const reader = open<Buffer, Uint8Array>({ ...databaseOptions(data), readOnly: true });
    this.#reader = reader;
    const space = new StorageSpace(this.#config.max_bytes, thread.pageBytes);
    const queues = readQueues(reader, space, data.path);
    this.#file = { writer: this.#writer, reader, queues, space };
    this.#observe(space);
  }

  #opened(): OpenFile {
    if (this.#file !== undefined && this.#closed === undefined) return this.#file;
    throw new Error(`${this.#settings.id} is not running`);
  }

  #observe(space: StorageSpace): void {
    const { id: extension, meter } = this.#settings;
    this.#releases = [
      meter.observe(storageBytes, { extension }, () => space.bytes),
      meter.observe(storageBytesMax, { extension }, () => space.bytesMax),
      meter.observe(storageRecords, { extension }, () => space.records),
    ];
  }

  #observer(): GroupWriterObserver {
    const { id: extension, meter } = this.#settings;
    const duration = meter.histogram(storageWriteDuration, { extension });
    return {
      freed: (removed) => this.#file?.space.free(removed),
      written: (durationMs, stored) => {
        duration.record(durationMs / 1_000);
        if (stored > 0) this.#noteStored();
      },
      appendFailed: (records, reason) => this.#noteAppendFailure(records, reason),
      removeFailed: (records, reason) => events.removalsFailed(this.#settings, records, reason),
      died: (reason) => events.writerDied(this.#settings, reason),
    };
  }

  #noteAppendFailure(records: number, reason: string): void {
    const isNews = !this.#isFailing;
    this.#isFailing = true;
    events.appendsFailed(this.#settings, { records, reason, isNews });
  }

  #noteStored(): void {
    if (!this.#isFailing) return;
    this.#isFailing = false;
    events.appendsRecovered(this.#settings);
  }

  async #closeAfterWork(deadlineMs: number): Promise<void> {
    const { clock } = this.#settings;
    const writer = this.#writer;
    if (writer !== undefined && deadlineMs > clock.nowMs()) {
      await new Promise<void>((resolve) => {
        const timer = clock.setTimer(deadlineMs - clock.nowMs(), resolve);
        void writer.idle().then(() => {
          timer.cancel();
          resolve();
        });
      });
    }
    const left = writer?.pendingRemovals ?? 0;
    if (left > 0) events.removalsGivenUp(this.#settings, left);
    await this.#close();
  }

  async #close(): Promise<void> {
    for (const release of this.#releases.splice(0)) release();
    const lock = this.#lock;
    const reader = this.#reader;
    const writer = this.#writer;
    this.#file = undefined;
    this.#reader = undefined;
    this.#writer = undefined;
    this.#lock = undefined;
    try {
      await writer?.close();
      await reader?.close();
    } finally {
      await lock?.release();
    }
  }
}

/** @throws Error that names the file */
function readQueues(
  reader: RootDatabase<Buffer, Uint8Array>,
  space: StorageSpace,
  path: string,
): QueueDirectory {
  try {
    return new QueueDirectory(reader, space);
  } catch (error) {
    const advice = `${reasonOf(error)}; move the file away`;
    throw new Error(`the list of queues in ${path} is damaged: ${advice}`, {
      cause: error,
    });
  }
}
