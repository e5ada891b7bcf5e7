import assert from "node:assert/strict";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { checkEnvironment } from "@inode-gateway/config";
import { RetryableError } from "@inode-gateway/contract";
import { createTestSettings, realClock, runLifecycleSuite } from "@inode-gateway/testkit";
import { queueStorageOf } from "../../capabilities/queue-storage.js";
import { fileStorageConfig } from "./config.js";
import { fileStorage } from "./factory.js";
import { RECORD_BYTES_MAX } from "./file-record-log.js";
import { FileStorage } from "./file-storage.js";
import { owner, record, startStorage, temporaryDirectory } from "./file-storage.rig.js";

const extension = { extension: "file_storage" };

runLifecycleSuite(fileStorage, {
  config: () => ({ directory: temporaryDirectory() }),
});

suite("file_storage", () => {
  test("gives back after a restart what was appended and not removed, in order", async (t) => {
    const directory = temporaryDirectory(t);
    const first = await startStorage(t, { directory });
    const log = await first.storage.openRecordLog(owner);
    assert.deepEqual(log.recovered, []);
    const keys: number[] = [];
    for (let count = 1; count <= 300; count++) keys.push(await log.append([record(count)], count));
    assert.deepEqual(
      keys,
      [...keys].sort((a, b) => a - b),
    );
    await log.remove(keys.filter((key) => key % 3 === 0));
    await first.stop(log);

    const second = await startStorage(t, { directory });
    const again = await second.storage.openRecordLog(owner);
    const kept = keys.filter((key) => key % 3 !== 0);
    assert.deepEqual(
      again.recovered,
      kept.map((key) => ({ key, byteLength: record(key).byteLength, itemCount: key })),
    );
    for (const key of kept) assert.deepEqual(Buffer.from(again.read(key)), record(key));
    const next = await again.append([record(1)], 1);
    assert.ok(next > (kept.at(-1) ?? 0), `${next}`);
    await second.stop(again);
  });

  test("keeps the logs of several owners apart", async (t) => {
    const { stop, storage } = await startStorage(t, { directory: temporaryDirectory(t) });
    const traces = await storage.openRecordLog(owner);
    const logs = await storage.openRecordLog({ ...owner, name: "logs" });
    const tracesKey = await traces.append([record(1)], 1);
    const logsKey = await logs.append([record(2), record(3)], 2);
    await traces.remove([tracesKey, 4_711]);
    assert.throws(() => traces.read(tracesKey), /record 1 of otlp_grpc\/a \(traces\).*not there/);
    assert.deepEqual(Buffer.from(logs.read(logsKey)), Buffer.concat([record(2), record(3)]));
    await assert.rejects(storage.openRecordLog(owner), /traces of otlp_grpc\/a is open already/);
    await stop(traces, logs);
  });

  test("opens a log again after it was closed", async (t) => {
    const { stop, storage } = await startStorage(t, { directory: temporaryDirectory(t) });
    const log = await storage.openRecordLog(owner);
    const key = await log.append([record(1)], 9);
    await log.close();
    await log.close();
    await assert.rejects(log.append([record(1)], 1), { code: "STORAGE_FAILED" });
    const again = await storage.openRecordLog(owner);
    assert.deepEqual(again.recovered, [{ key, byteLength: 1_000, itemCount: 9 }]);
    await stop(again);
  });

  test("counts what records take, and gives it free with them", async (t) => {
    const { settings, stop, storage } = await startStorage(t, {
      directory: temporaryDirectory(t),
    });
    const log = await storage.openRecordLog(owner);
    const value = (name: string) =>
      settings.meter.value(`inode_gateway_file_storage_${name}`, extension);
    assert.equal(value("bytes_max"), 10_737_418_240);
    const key = await log.append([Buffer.alloc(10_000)], 1);
    assert.equal(value("bytes"), 12_288);
    assert.equal(value("records"), 1);
    await log.remove([key, key]);
    assert.equal(value("bytes"), 0);
    assert.equal(value("records"), 0);
    const durations = settings.meter.recorded(
      "inode_gateway_file_storage_write_duration_seconds",
      extension,
    );
    assert.ok(durations.length >= 3 && durations.every((seconds) => seconds > 0 && seconds < 5));
    await stop(log);
  });

  test("takes records up to `max_bytes`, refuses one more, and takes it when one has left", async (t) => {
    const { settings, stop, storage } = await startStorage(t, {
      directory: temporaryDirectory(t),
      max_bytes: 1_048_576,
    });
    const log = await storage.openRecordLog(owner);
    const page = Buffer.alloc(4_000);
    const keys = await Promise.all(Array.from({ length: 256 }, () => log.append([page], 1)));
    await assert.rejects(log.append([page], 1), (error) => {
      assert.ok(error instanceof RetryableError);
      assert.equal(error.code, "STORAGE_FAILED");
      assert.match(error.message, /1048576 bytes are in use, `max_bytes` is 1048576/);
      return true;
    });
    assert.equal(
      settings.meter.value("inode_gateway_file_storage_failures", {
        ...extension,
        operation: "append",
      }),
      1,
    );
    await log.remove(keys.slice(0, 1));
    await log.append([page], 1);
    assert.deepEqual(
      settings.states.map(({ state }) => state),
      ["recoverable_error", "ok"],
    );
    await stop(log);
  });

  test("takes the largest record and refuses one byte more", async (t) => {
    const { stop, storage } = await startStorage(t, {
      directory: temporaryDirectory(t),
      timeout: "30s",
    });
    const log = await storage.openRecordLog(owner);
    const largest = Buffer.alloc(RECORD_BYTES_MAX, 3);
    const key = await log.append([largest], 1);
    assert.ok(Buffer.from(log.read(key).buffer).includes(3));
    await assert.rejects(log.append([largest, Buffer.alloc(1)], 1), {
      name: "PermanentError",
      code: "BATCH_TOO_LARGE",
      message: "a record of 67108865 bytes was not stored: at most 67108864 are",
    });
    await stop(log);
  });

  test("refuses for good what `max_bytes` never has room for, and stays well", async (t) => {
    const { settings, stop, storage } = await startStorage(t, {
      directory: temporaryDirectory(t),
      max_bytes: 1_048_576,
    });
    const log = await storage.openRecordLog(owner);
    await assert.rejects(log.append([Buffer.alloc(1_048_576)], 1), {
      name: "PermanentError",
      code: "BATCH_TOO_LARGE",
      message: "a record of 1052672 bytes was not stored: `max_bytes` is 1048576",
    });
    assert.deepEqual(settings.states, []);
    await log.append([Buffer.alloc(1_048_576 - 4_096)], 1);
    await stop(log);
  });

  // What an earlier log wrote too late is removed by its key: nothing else may have that key.
  test("gives no key of a queue twice while it runs", async (t) => {
    const { stop, storage } = await startStorage(t, { directory: temporaryDirectory(t) });
    const first = await storage.openRecordLog(owner);
    const key = await first.append([record(1)], 1);
    await first.remove([key]);
    await first.close();
    const second = await storage.openRecordLog(owner);
    assert.deepEqual(second.recovered, []);
    assert.equal(await second.append([record(2)], 1), key + 1);
    await stop(second);
  });

  test("a shutdown while it starts leaves nothing behind that holds the directory", async (t) => {
    const directory = temporaryDirectory(t);
    const settings = createTestSettings({
      id: "file_storage",
      kind: "extension",
      clock: realClock,
    });
    const storage = new FileStorage(settings, fileStorageConfig.parse({ directory }));
    const starting = assert.rejects(storage.start(), /shut down while it was starting/);
    await storage.shutdown(performance.now() + 1_000);
    await starting;
    const { stop } = await startStorage(t, { directory, timeout: "1ms" });
    await stop();
  });

  // Scenario: 40 times what `max_bytes` takes passes through, in records of many sizes.
  test("the data file stays below twice `max_bytes` and 16 MiB however much passes through", async (t) => {
    const directory = temporaryDirectory(t);
    const { settings, stop, storage } = await startStorage(t, {
      directory,
      max_bytes: 2_097_152,
      fsync: false,
    });
    const log = await storage.openRecordLog(owner);
    const kept: number[] = [];
    let passedBytes = 0;
    while (passedBytes < 40 * 2_097_152) {
      const size = 100 + Math.floor(settings.random() * 150_000);
      try {
        kept.push(await log.append([Buffer.alloc(size)], 1));
        passedBytes += size;
      } catch (error) {
        assert.ok(error instanceof RetryableError && /max_bytes/.test(error.message), `${error}`);
        await log.remove(kept.splice(Math.floor(settings.random() * kept.length), 5));
      }
    }
    const { size } = statSync(join(directory, "queues.mdb"));
    t.diagnostic(`${size} bytes`);
    assert.ok(size <= 2 * 2_097_152 + 16_777_216, `${size}`);
    await stop(log);
  });

  test("warns of records whose owner is not configured any more, and keeps them", async (t) => {
    const directory = temporaryDirectory(t);
    const first = await startStorage(t, { directory });
    const log = await first.storage.openRecordLog(owner);
    for (let count = 0; count < 3; count++) await log.append([record(count)], 5);
    await first.stop(log);
    const second = await startStorage(t, { directory });
    const other = await second.storage.openRecordLog({ ...owner, name: "logs" });
    second.storage.ready();
    const [warning] = second.settings.logger.records.filter(({ level }) => level === "warn");
    assert.match(warning?.message ?? "", /not configured any more stay on disk/);
    assert.deepEqual(warning?.fields, {
      component: "otlp_grpc/a",
      queue: "traces",
      records: 3,
      items: 15,
    });
    await second.stop(other);
    const third = await startStorage(t, { directory });
    const again = await third.storage.openRecordLog(owner);
    third.storage.ready();
    assert.equal(again.recovered.length, 3);
    assert.deepEqual(third.settings.logger.records, []);
    await third.stop(again);
  });

  test("compacts at the start when told to: the file gets small, nothing is lost", async (t) => {
    const directory = temporaryDirectory(t);
    const first = await startStorage(t, { directory, fsync: false });
    const log = await first.storage.openRecordLog(owner);
    const keys = await Promise.all(
      Array.from({ length: 100 }, (_, count) => log.append([Buffer.alloc(100_000, count)], 1)),
    );
    await log.remove(keys.slice(0, 99));
    await first.stop(log);
    const path = join(directory, "queues.mdb");
    const before = statSync(path).size;
    const second = await startStorage(t, { directory, compaction: { on_start: true } });
    const after = statSync(path).size;
    assert.ok(before > 9_000_000 && after < 1_000_000, `${before} to ${after}`);
    const again = await second.storage.openRecordLog(owner);
    assert.deepEqual(Buffer.from(again.read(100)), Buffer.alloc(100_000, 99));
    await second.stop(again);
    assert.deepEqual(readdirSync(directory).sort(), ["queues.mdb", "queues.mdb-lock"]);
  });

  test("is what `storage` may name", async (t) => {
    const { stop, storage } = await startStorage(t, { directory: temporaryDirectory(t) });
    const host = { extension: () => storage, componentStatuses: () => [] };
    assert.equal(queueStorageOf(host, "file_storage"), storage);
    await stop();
    await assert.rejects(storage.openRecordLog(owner), /file_storage is not running/);
  });

  test("writes a file that only its owner may read", async (t) => {
    const directory = join(temporaryDirectory(t), "a", "b");
    const { stop } = await startStorage(t, {
      directory,
      create_directory: true,
      directory_permissions: "0700",
    });
    assert.equal(statSync(directory).mode & 0o777, 0o700);
    assert.equal(statSync(join(directory, "queues.mdb")).mode & 0o777, 0o600);
    await stop();
  });

  test("does not follow a link in the place of the data file", async (t) => {
    const directory = temporaryDirectory(t);
    const target = join(temporaryDirectory(t), "target");
    writeFileSync(target, "", { mode: 0o644 });
    symlinkSync(target, join(directory, "queues.mdb"));
    await assert.rejects(
      startStorage(t, { directory }),
      /queues\.mdb cannot be used: it is a symbolic link$/,
    );
    assert.equal(readFileSync(target, "utf8"), "");
    assert.equal(statSync(target).mode & 0o777, 0o644);
  });
});

suite("file_storage, the directory", () => {
  const problems = async (config: Record<string, unknown>) =>
    (await checkEnvironment(fileStorageConfig, config, ["extensions", "file_storage"])).map(
      ({ message }) => message,
    );

  test("a missing directory is an error at `validate` and at the start", async (t) => {
    const directory = join(temporaryDirectory(t), "missing");
    const message = `\`directory\` ${directory} does not exist: make it, or set \`create_directory: true\``;
    assert.deepEqual(await problems({ directory }), [message]);
    await assert.rejects(startStorage(t, { directory }), { message });
    assert.deepEqual(await problems({ directory, create_directory: true }), []);
  });

  test("a file in its place is an error, also with `create_directory`", async (t) => {
    const directory = join(temporaryDirectory(t), "file");
    writeFileSync(directory, "");
    const message = `\`directory\` ${directory} is not a directory`;
    assert.deepEqual(await problems({ directory }), [message]);
    for (const create_directory of [false, true]) {
      await assert.rejects(startStorage(t, { directory, create_directory }), { message });
    }
    await assert.rejects(
      startStorage(t, { directory: join(directory, "x") }),
      /is not a directory/,
    );
  });

  // Scenario: sysfs refuses new files to everybody; for others than root a directory without w does.
  test("a directory that cannot be written to is an error", async (t) => {
    let directory = "/sys/kernel";
    if (process.getuid?.() !== 0) {
      directory = join(temporaryDirectory(t), "read-only");
      mkdirSync(directory);
      chmodSync(directory, 0o500);
    }
    await assert.rejects(startStorage(t, { directory }), (error) => {
      assert.ok(error instanceof Error);
      assert.match(error.message, /^`directory` \S+ cannot be written to: .*E[A-Z]+/);
      return true;
    });
  });

  test("refuses permissions that are no octal text, as YAML makes of 0750", () => {
    const parsed = (directory_permissions: unknown) =>
      fileStorageConfig.safeParse({ directory_permissions }).success;
    assert.equal(parsed("0750"), true);
    assert.equal(parsed("750"), true);
    assert.equal(parsed("0780"), false);
    assert.equal(parsed(488), false);
  });

  test("loads the keys of the Collector's documentation", async (t) => {
    const directory = temporaryDirectory(t);
    const { settings, stop } = await startStorage(t, {
      directory,
      timeout: "10s",
      fsync: false,
      recreate: true,
      compaction: {
        on_start: true,
        on_rebound: true,
        directory: "/tmp/",
        max_transaction_size: 65_536,
        cleanup_on_start: true,
        rebound_needed_threshold_mib: 100,
        rebound_trigger_threshold_mib: 10,
        check_interval: "5s",
      },
    });
    assert.deepEqual(
      settings.logger.records.map(({ level, fields }) => [level, fields]),
      [["warn", { key: "compaction::on_rebound" }]],
    );
    await stop();
  });

  test("takes `max_bytes` from 1 MiB to 1 TiB", () => {
    const accepts = (max_bytes: number) => fileStorageConfig.safeParse({ max_bytes }).success;
    assert.deepEqual([1_048_575, 1_048_576, 2 ** 40, 2 ** 40 + 1].map(accepts), [
      false,
      true,
      true,
      false,
    ]);
  });
});
