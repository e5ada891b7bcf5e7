import { open, type RootDatabase } from "lmdb";
import type { CheckAnswer, CheckRequest } from "./check-data-file.js";
import { databaseOptions } from "./data-file.js";
import { decodeKey } from "./record-format.js";
import { reasonOf } from "./storage-directory.js";

// A process of its own: lmdb maps the file, and a damaged one may end whoever opens it by a signal.

async function check({ compactTo, fileBytesMax, path }: CheckRequest): Promise<CheckAnswer> {
  let database: RootDatabase<Buffer, Uint8Array>;
  try {
    const options = databaseOptions({ path, fsync: true, fileBytesMax });
    database = open<Buffer, Uint8Array>({ ...options, readOnly: true });
    walkKeys(database);
  } catch (error) {
    const outcome = isFromSystem(error) ? "unreadable" : "damaged";
    return { outcome, reason: reasonOf(error) };
  }
  try {
    if (compactTo !== undefined) await database.backup(compactTo, true);
    await database.close();
  } catch (error) {
    return { outcome: "sound", compactFailure: reasonOf(error) };
  }
  return { outcome: "sound" };
}

/** @throws Error when the keys are not those of records, in order */
function walkKeys(database: RootDatabase<Buffer, Uint8Array>): void {
  let previous: Uint8Array | undefined;
  for (const key of database.getKeys({ start: Buffer.alloc(1) })) {
    decodeKey(key);
    if (previous !== undefined && Buffer.compare(previous, key) >= 0) {
      throw new Error("its keys are not in order");
    }
    previous = key;
  }
}

/** Numbers of errors of the system are positive, lmdb's own are negative. */
function isFromSystem(error: unknown): boolean {
  return error instanceof Error && "code" in error && Number(error.code) > 0;
}

// The copy that a compaction makes holds telemetry: it is the owner's alone from its first byte.
process.umask(0o077);
process.once("message", (request: CheckRequest) => {
  void check(request).then((answer) => process.send?.(answer, () => process.disconnect()));
});
