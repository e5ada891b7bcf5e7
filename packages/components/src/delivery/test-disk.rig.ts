import type { Extension, Host } from "@inode-gateway/contract";
import { TestHost } from "@inode-gateway/testkit";
import type { QueueStorage, RecordLog, StoredRecord } from "../capabilities/queue-storage.js";

interface DiskRecord {
  readonly bytes: Uint8Array;
  readonly itemCount: number;
}

/** What a disk does with one write; `lost` means that the process ended meanwhile. */
type WriteFate = "done" | "lost" | "done but unheard" | Error;

/**
 * A disk that outlives the processes of a test: what was not resolved when a process crashes is lost,
 * unless the test lets the disk finish it all the same.
 */
export class TestDisk {
  readonly records = new Map<number, DiskRecord>();
  /** Writes in order, such as `append 3` or `remove 1,2`. */
  readonly operations: string[] = [];
  readonly reads: number[] = [];
  /** Decides about every write; default: it is done. */
  judge: (operation: string) => WriteFate | Promise<WriteFate> = () => "done";
  #nextKey = 1;
  /** How often a log was given free. */
  closed = 0;
  #process = 0;

  /** Ends the present process: nothing that it writes from now on arrives, no promise of it settles. */
  crash(): void {
    this.#process++;
  }

  /** The items of every record, in order. */
  get itemCounts(): readonly number[] {
    return [...this.records.values()].map(({ itemCount }) => itemCount);
  }

  /** A host on which this disk is the extension `file_storage`, for one process. */
  host(): Host {
    const storage: QueueStorage & Extension = {
      start: async () => undefined,
      shutdown: async () => undefined,
      openRecordLog: async () => this.#open(),
    };
    return new TestHost({ file_storage: storage });
  }

  #open(): RecordLog {
    const process = this.#process;
    const recovered: StoredRecord[] = [...this.records].map(([key, { bytes, itemCount }]) => ({
      key,
      byteLength: bytes.byteLength,
      itemCount,
    }));
    return {
      recovered,
      append: async (parts, itemCount) => {
        const key = this.#nextKey++;
        // Copied at once, as the interface promises: the parts may be reused.
        const bytes = Uint8Array.from(Buffer.concat(parts));
        await this.#write(process, `append ${itemCount}`, () => {
          this.records.set(key, { bytes, itemCount });
        });
        return key;
      },
      read: (key) => {
        this.reads.push(key);
        const record = this.records.get(key);
        if (record === undefined) throw new Error(`no record ${key}`);
        return Uint8Array.from(record.bytes);
      },
      remove: async (keys) => {
        await this.#write(process, `remove ${keys.join()}`, () => {
          for (const key of keys) this.records.delete(key);
        });
      },
      close: async () => {
        this.closed++;
      },
    };
  }

  async #write(process: number, operation: string, apply: () => void): Promise<void> {
    if (process !== this.#process) return new Promise(() => undefined);
    this.operations.push(operation);
    const fate = await this.judge(operation);
    if (fate instanceof Error) throw fate;
    const isAlive = process === this.#process && fate !== "lost";
    if (isAlive || fate === "done but unheard") apply();
    if (!isAlive || fate === "done but unheard") return new Promise(() => undefined);
    return undefined;
  }
}
