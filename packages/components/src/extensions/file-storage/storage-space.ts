import { PermanentError, RetryableError } from "@inode-gateway/contract";
import type { RecordSpace } from "./data-file.js";
import { bytesInFile } from "./record-format.js";

/** The most records of one directory: reading their list at the start takes about a second. */
export const RECORDS_MAX = 1_000_000;

/** What all queues of a directory take together, and may take. */
export class StorageSpace {
  readonly bytesMax: number;
  readonly #pageBytes: number;
  #bytes = 0;
  #records = 0;

  constructor(bytesMax: number, pageBytes: number) {
    this.bytesMax = bytesMax;
    this.#pageBytes = pageBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get records(): number {
    return this.#records;
  }

  /** Counts a record that an earlier process left. */
  addFound(byteLength: number): void {
    this.#bytes += bytesInFile(byteLength, this.#pageBytes);
    this.#records++;
  }

  /**
   * Takes the space of one record.
   *
   * @throws RetryableError `STORAGE_FAILED` when there is none now, PermanentError `BATCH_TOO_LARGE` when
   *   there never will be; nothing is taken then
   */
  take(byteLength: number): RecordSpace {
    const bytes = bytesInFile(byteLength, this.#pageBytes);
    if (bytes > this.bytesMax) {
      const message = `a record of ${bytes} bytes was not stored: \`max_bytes\` is ${this.bytesMax}`;
      throw new PermanentError("BATCH_TOO_LARGE", message);
    }
    if (this.#bytes + bytes > this.bytesMax) {
      throw new RetryableError(
        "STORAGE_FAILED",
        `a record of ${bytes} bytes was not stored: ${this.#bytes} bytes are in use, ` +
          `\`max_bytes\` is ${this.bytesMax}`,
      );
    }
    if (this.#records >= RECORDS_MAX) {
      throw new RetryableError(
        "STORAGE_FAILED",
        `a record was not stored: ${this.#records} records are in the directory, ` +
          `at most ${RECORDS_MAX} may be`,
      );
    }
    this.#bytes += bytes;
    this.#records++;
    return { records: 1, bytes };
  }

  free(removed: RecordSpace): void {
    this.#bytes -= removed.bytes;
    this.#records -= removed.records;
  }
}
