import { parentPort, workerData } from "node:worker_threads";
import { DataFile, type RecordSpace, type WriteGroup } from "./data-file.js";
import { reasonOf } from "./storage-directory.js";
import type { WriterAnswer, WriterData, WriterRequest } from "./writer-messages.js";

// The thread that writes: a transaction blocks until the disk has it, which may take a second.

function answer(message: WriterAnswer): void {
  parentPort?.postMessage(message);
}

function openFile(): DataFile | undefined {
  try {
    const file = new DataFile(workerData as WriterData);
    answer({ kind: "opened", pageBytes: file.pageBytes });
    return file;
  } catch (error) {
    answer({ kind: "failed", reason: reasonOf(error) });
    return undefined;
  }
}

type Written = Extract<WriterAnswer, { readonly kind: "written" }>;

const noKeys = new Uint8Array(0);
const nothing: RecordSpace = { records: 0, bytes: 0 };

/** Removals are not held up by appends that find no space. */
function write(file: DataFile, group: WriteGroup): Omit<Written, "durationMs"> {
  try {
    return { kind: "written", removed: file.write(group) };
  } catch (error) {
    const reason = reasonOf(error);
    if (group.values.length === 0)
      return { kind: "written", removed: nothing, removeFailure: reason };
    const appendFailure = reason;
    if (group.removeKeys.length === 0) return { kind: "written", removed: nothing, appendFailure };
    return { ...write(file, { ...group, putKeys: noKeys, values: [] }), appendFailure };
  }
}

const file = openFile();
if (file === undefined) parentPort?.close();
parentPort?.on("message", (request: WriterRequest) => {
  if (file === undefined) return;
  if (request === "close") {
    void file.close().finally(() => parentPort?.close());
    return;
  }
  const beganMs = performance.now();
  const written = write(file, request);
  answer({ ...written, durationMs: performance.now() - beganMs });
});
