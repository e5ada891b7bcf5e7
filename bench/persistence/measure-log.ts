import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileStorage, queueStorageOf, type RecordLog } from "@inode-gateway/components";
import { createMeter } from "@inode-gateway/telemetry";
import { createTestSettings, realClock, TestHost } from "@inode-gateway/testkit";

const measureMs = 2_000;
const warmUpMs = 500;

/** What is measured. */
export interface LogCase {
  /** Where the directory of the storage is made: the disk that is measured. */
  readonly folder: string;
  readonly fsync: boolean;
  /** Appends that wait at the same time. */
  readonly concurrency: number;
  readonly record: Uint8Array;
}

/** What passing records through a log took. */
export interface LogFigures {
  readonly recordsPerSecond: number;
  readonly bytesPerSecond: number;
  /** CPU of the whole process, writing thread included, for one append, read and removal. */
  readonly cpuUs: number;
  /** Mean time of an append. */
  readonly appendMs: number;
}

/** Appends, reads and removes records for two seconds, as a queue does whose destination keeps up. */
export async function measureLog(options: LogCase): Promise<LogFigures> {
  const directory = mkdtempSync(join(options.folder, "inode-gateway-bench-"));
  const id = "file_storage";
  const settings = {
    ...createTestSettings({ kind: "extension", id, clock: realClock }),
    meter: createMeter(),
  };
  const config = fileStorage.config.parse({ directory, fsync: options.fsync, timeout: "30s" });
  const storage = fileStorage.create(settings, config);
  try {
    const host = new TestHost({ [id]: storage });
    await storage.start(host);
    const log = await queueStorageOf(host, id).openRecordLog({ componentId: "b", name: "traces" });
    await pass(log, options, warmUpMs);
    const figures = await pass(log, options, measureMs);
    await log.close();
    return figures;
  } finally {
    await storage.shutdown(performance.now() + 10_000);
    rmSync(directory, { recursive: true });
  }
}

async function pass(
  log: RecordLog,
  { concurrency, record }: LogCase,
  durationMs: number,
): Promise<LogFigures> {
  const cpu = process.cpuUsage();
  const beganMs = performance.now();
  let records = 0;
  let appendMs = 0;
  let done: number[] = [];
  let removing: Promise<void> | undefined;
  // Removals wait for each other, as a queue lets them: the more load, the more go together.
  const removeDone = async () => {
    while (done.length > 0) {
      const keys = done;
      done = [];
      await log.remove(keys);
    }
    removing = undefined;
  };
  const sender = async () => {
    for (let nowMs = beganMs; nowMs - beganMs < durationMs; ) {
      const key = await log.append([record], 1);
      appendMs += performance.now() - nowMs;
      if (log.read(key).byteLength !== record.byteLength) throw new Error("a record is wrong");
      done.push(key);
      removing ??= removeDone();
      records++;
      nowMs = performance.now();
    }
  };
  await Promise.all(Array.from({ length: concurrency }, sender));
  await removing;
  const seconds = (performance.now() - beganMs) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  return {
    recordsPerSecond: records / seconds,
    bytesPerSecond: (records * record.byteLength) / seconds,
    cpuUs: (user + system) / records,
    appendMs: appendMs / records,
  };
}
