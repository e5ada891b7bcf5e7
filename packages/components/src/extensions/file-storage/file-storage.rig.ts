import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { createTestSettings, realClock } from "@inode-gateway/testkit";
import type { RecordLog, RecordLogOwner } from "../../capabilities/queue-storage.js";
import { fileStorageConfig } from "./config.js";
import { FileStorage } from "./file-storage.js";

/** The queue that most tests use. */
export const owner: RecordLogOwner = { componentId: "otlp_grpc/a", name: "traces" };

/** A record of 1,000 bytes that tells its number. */
export function record(number: number): Buffer {
  return Buffer.alloc(1_000, `${number}|`);
}

/** A directory that is there until the test ends. */
export function temporaryDirectory(t?: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "inode-gateway-file-storage-"));
  const remove = () => rmSync(directory, { recursive: true, force: true });
  if (t === undefined) process.once("exit", remove);
  else t.after(remove);
  return directory;
}

/** An extension with this configuration, started. */
export async function startStorage(t: TestContext, config: Record<string, unknown>) {
  const settings = createTestSettings({ id: "file_storage", kind: "extension", clock: realClock });
  const storage = new FileStorage(settings, fileStorageConfig.parse({ timeout: "5s", ...config }));
  t.after(() => storage.shutdown(performance.now() + 1_000));
  await storage.start();
  return {
    settings,
    storage,
    stop: async (...logs: readonly RecordLog[]) => {
      for (const log of logs) await log.close();
      await storage.shutdown(performance.now() + 5_000);
    },
  };
}
