import { closeSync, fstatSync, openSync, writeSync } from "node:fs";
import { open, type RootDatabase } from "lmdb";
import { bytesInFile, decodeKey, KEY_BYTES } from "./record-format.js";

/** What the writer puts into the file at once; keys lie behind each other, each {@link KEY_BYTES} long. */
export interface WriteGroup {
  /** One for each value. */
  readonly putKeys: Uint8Array;
  readonly values: readonly Uint8Array[];
  readonly removeKeys: Uint8Array;
}

/** What some records take. */
export interface RecordSpace {
  readonly records: number;
  /** Bytes in the file. */
  readonly bytes: number;
}

/** How a data file is opened for writing. */
export interface DataFileOptions {
  readonly path: string;
  readonly fsync: boolean;
  /** The size it never grows above. */
  readonly fileBytesMax: number;
}

/** The file's name in its directory; lmdb puts a file of the same name with `-lock` beside it. */
export const DATA_FILE_NAME = "queues.mdb";

/**
 * Space behind the last page that only removals may use. A removal writes some pages before it frees
 * any: without a reserve, a disk that is full would keep what is already delivered.
 */
const RESERVE_BYTES = 4_194_304;
/** Appends may use this much of the reserve while the file can serve them from its free pages. */
const RESERVE_FOR_APPENDS_BYTES = RESERVE_BYTES / 2;
/** The file grows by whole steps. */
const GROWTH_STEP_BYTES = 1_048_576;
/** Pages of the tree and of the list of free pages that one transaction may write beside its values. */
const TREE_PAGES = 32;

/** The part of lmdb's statistics that is used; its types leave it open. */
interface FileStatistics {
  readonly pageSize: number;
  readonly lastPageNumber: number;
  readonly root: TreeStatistics;
  readonly free: TreeStatistics;
}

interface TreeStatistics {
  readonly treeBranchPageCount: number;
  readonly treeLeafPageCount: number;
  readonly overflowPages: number;
}

/**
 * The file of all records, as the writing thread sees it. Every call blocks.
 *
 * lmdb's transactions are synchronous here, with one flush to the disk each: its asynchronous calls
 * leave rejections unhandled and never settle again once a write has failed (docs/adr/0007).
 */
export class DataFile {
  readonly #database: RootDatabase<Buffer, Uint8Array>;
  readonly #fileBytesMax: number;
  readonly #fd: number;
  #allocatedBytes: number;
  readonly pageBytes: number;

  /** @throws Error when it cannot be opened */
  constructor(options: DataFileOptions) {
    this.#database = open<Buffer, Uint8Array>(databaseOptions(options));
    this.#fileBytesMax = options.fileBytesMax;
    this.#fd = openSync(options.path, "r+");
    this.#allocatedBytes = fstatSync(this.#fd).size;
    this.pageBytes = this.#statistics().pageSize;
  }

  /**
   * Appends and removes in one transaction, durable when it is back.
   *
   * @throws Error when nothing of it was done
   */
  write(group: WriteGroup): RecordSpace {
    const { putKeys, removeKeys, values } = group;
    if (values.length > 0) this.#makeSpace(group);
    let records = 0;
    let bytes = 0;
    this.#database.transactionSync(() => {
      for (let offset = 0; offset < removeKeys.length; offset += KEY_BYTES) {
        const key = removeKeys.subarray(offset, offset + KEY_BYTES);
        if (!this.#database.removeSync(key)) continue;
        records++;
        bytes += bytesInFile(decodeKey(key).byteLength, this.pageBytes);
      }
      for (const [index, value] of values.entries()) {
        const key = putKeys.subarray(index * KEY_BYTES, (index + 1) * KEY_BYTES);
        this.#database.putSync(key, Buffer.from(value.buffer, value.byteOffset, value.byteLength));
      }
    });
    return { records, bytes };
  }

  async close(): Promise<void> {
    await this.#database.close();
    closeSync(this.#fd);
  }

  /**
   * Makes the file as long as the group may need, with the reserve behind it. So a disk that is full is
   * met here, before a transaction has begun.
   *
   * @throws Error when there is no space
   */
  #makeSpace({ removeKeys, values }: WriteGroup): void {
    const statistics = this.#statistics();
    const { lastPageNumber } = statistics;
    let pages = TREE_PAGES + removeKeys.length / KEY_BYTES + values.length;
    for (const value of values) {
      pages += bytesInFile(value.byteLength, this.pageBytes) / this.pageBytes;
    }
    const usedBytes = (lastPageNumber + 1) * this.pageBytes;
    const neededBytes = pages * this.pageBytes;
    try {
      this.#growTo(usedBytes + neededBytes + RESERVE_BYTES);
    } catch (error) {
      const untouched = this.#allocatedBytes - usedBytes - neededBytes;
      const isFromFreePages = freePages(statistics) >= 2 * pages + TREE_PAGES;
      if (isFromFreePages && untouched >= RESERVE_BYTES - RESERVE_FOR_APPENDS_BYTES) return;
      throw error;
    }
  }

  #growTo(bytes: number): void {
    if (bytes <= this.#allocatedBytes) return;
    const target = Math.ceil(bytes / GROWTH_STEP_BYTES) * GROWTH_STEP_BYTES;
    if (target > this.#fileBytesMax) {
      throw new Error(
        `the data file has ${this.#allocatedBytes} bytes, it may not grow above ` +
          `${this.#fileBytesMax}, and too few of its pages are free`,
      );
    }
    const zeros = Buffer.alloc(GROWTH_STEP_BYTES);
    try {
      while (this.#allocatedBytes < target) {
        const length = Math.min(zeros.length, target - this.#allocatedBytes);
        const written = writeSync(this.#fd, zeros, 0, length, this.#allocatedBytes);
        this.#allocatedBytes += written;
      }
    } finally {
      this.#allocatedBytes = fstatSync(this.#fd).size;
    }
  }

  #statistics(): FileStatistics {
    return this.#database.getStats() as FileStatistics;
  }
}

/** How every user of the file opens it. */
export function databaseOptions(options: DataFileOptions) {
  return {
    path: options.path,
    noSubdir: true,
    encoding: "binary",
    keyEncoding: "binary",
    // With it a commit is back before its flush, and a flush that fails is never reported.
    overlappingSync: false,
    noSync: !options.fsync,
    // Above the largest size, so that the map is never moved under a reader.
    mapSize: options.fileBytesMax,
  } as const;
}

function freePages({ free, lastPageNumber, root }: FileStatistics): number {
  const metaPages = 2;
  return lastPageNumber + 1 - metaPages - pagesOf(root) - pagesOf(free);
}

function pagesOf(tree: TreeStatistics): number {
  return tree.treeBranchPageCount + tree.treeLeafPageCount + tree.overflowPages;
}
