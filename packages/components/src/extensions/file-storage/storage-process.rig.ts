import { createTestSettings, realClock } from "@inode-gateway/testkit";
import type { RecordLog } from "../../capabilities/queue-storage.js";
import { fileStorageConfig } from "./config.js";
import { FileStorage } from "./file-storage.js";
import { owner } from "./file-storage.rig.js";

// A process that appends until it is killed or told to do something else; it says what was durable.

/** What the process is told. */
export type ProcessRequest =
  | { readonly start: Record<string, unknown> }
  | { readonly appendForever: number }
  | { readonly append: number }
  | { readonly remove: readonly number[] };

/** What the process says. */
export interface ProcessAnswer {
  readonly ready?: boolean;
  readonly appended?: number;
  readonly removed?: boolean;
  readonly failure?: string;
}

let log: RecordLog | undefined;

function say(answer: ProcessAnswer): void {
  process.send?.(answer);
}

async function append(size: number): Promise<void> {
  const key = await log?.append([Buffer.alloc(size, 7)], 1);
  if (key !== undefined) say({ appended: key });
}

async function obey(request: ProcessRequest): Promise<void> {
  if ("start" in request) {
    const settings = createTestSettings({
      id: "file_storage",
      kind: "extension",
      clock: realClock,
    });
    const storage = new FileStorage(settings, fileStorageConfig.parse(request.start));
    await storage.start();
    log = await storage.openRecordLog(owner);
    say({ ready: true });
  } else if ("append" in request) await append(request.append);
  else if ("remove" in request) {
    await log?.remove(request.remove);
    say({ removed: true });
  } else {
    const worker = async () => {
      for (;;) await append(request.appendForever);
    };
    await Promise.all(Array.from({ length: 16 }, worker));
  }
}

process.on("message", (request: ProcessRequest) => {
  obey(request).catch((error: unknown) => say({ failure: String(error) }));
});
