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

const nothing: RecordSpace = { records: 0, bytes: 0 };

/** Removals are not held up by appends that find no space. */
function write(file: DataFile, { puts, removes }: WriteGroup): Omit<Written, "durationMs"> {
  try {
    return { kind: "written", removed: file.write({ puts, removes }) };
  } catch (error) {
    const reason = reasonOf(error);
    if (puts.length === 0) return { kind: "written", removed: nothing, removeFailure: reason };
    if (removes.length === 0) return { kind: "written", removed: nothing, appendFailure: reason };
    const alone = write(file, { puts: [], removes });
    return { ...alone, appendFailure: reason };
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
