import { open } from "lmdb";
import type { CheckAnswer, CheckRequest } from "./check-data-file.js";
import { databaseOptions } from "./data-file.js";
import { decodeKey } from "./record-format.js";
import { reasonOf } from "./storage-directory.js";

// A process of its own: lmdb maps the file, and a damaged one may end whoever opens it by a signal.

async function check({ compactTo, fileBytesMax, path }: CheckRequest): Promise<CheckAnswer> {
  try {
    const database = open<Buffer, Uint8Array>({
      ...databaseOptions({ path, fsync: true, fileBytesMax }),
      readOnly: true,
    });
    let previous: Uint8Array | undefined;
    for (const key of database.getKeys({ start: Buffer.alloc(1), snapshot: true })) {
      decodeKey(key);
      if (previous !== undefined && Buffer.compare(previous, key) >= 0) {
        return { isSound: false, reason: "its keys are not in order" };
      }
      previous = key;
    }
    if (compactTo !== undefined) await database.backup(compactTo, true);
    await database.close();
    return { isSound: true };
  } catch (error) {
    return { isSound: false, reason: reasonOf(error) };
  }
}

process.once("message", (request: CheckRequest) => {
  void check(request).then((answer) => process.send?.(answer, () => process.disconnect()));
});
