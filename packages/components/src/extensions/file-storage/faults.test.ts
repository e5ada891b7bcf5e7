import assert from "node:assert/strict";
import { type ChildProcess, fork, spawnSync } from "node:child_process";
import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { suite, type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { waitUntil } from "@inode-gateway/testkit";
import { owner, record, startStorage, temporaryDirectory } from "./file-storage.rig.js";
import type { ProcessAnswer, ProcessRequest } from "./storage-process.rig.js";

/** Another process with a `file_storage` of its own. */
class StorageProcess {
  readonly #child: ChildProcess;
  readonly answers: ProcessAnswer[] = [];

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.on("message", (answer) => this.answers.push(answer as ProcessAnswer));
  }

  /** @param fileBytes the largest file it may write, from before it starts */
  static async start(
    t: TestContext,
    config: Record<string, unknown>,
    fileBytes: number | "unlimited" = "unlimited",
  ): Promise<StorageProcess> {
    const path = fileURLToPath(new URL("./storage-process.rig.js", import.meta.url));
    const child = new StorageProcess(fork(path, { stdio: ["ignore", "ignore", "ignore", "ipc"] }));
    t.after(() => child.kill());
    limitFileSize(child.pid, fileBytes);
    await child.ask({ start: config });
    return child;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get appended(): number[] {
    return this.answers.flatMap(({ appended }) => appended ?? []);
  }

  tell(request: ProcessRequest): void {
    this.#child.send(request);
  }

  /** Tells it something and waits for the next thing it says. */
  async ask(request: ProcessRequest): Promise<ProcessAnswer> {
    const count = this.answers.length;
    this.tell(request);
    await waitUntil(() => this.answers.length > count, { limitMs: 20_000 });
    return this.answers[count] ?? {};
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill("SIGKILL");
    await new Promise((resolve) => this.#child.once("close", resolve));
  }
}

/** Lets files of a process grow to this size and no further: writes fail as on a full disk. */
function limitFileSize(pid: number, bytes: number | "unlimited"): void {
  const { status, stderr } = spawnSync("prlimit", [`--pid=${pid}`, `--fsize=${bytes}:`]);
  assert.equal(status, 0, String(stderr));
}

/** The child of this process that runs a script. */
function childRunning(script: string): number | undefined {
  const { stdout } = spawnSync("pgrep", ["-P", String(process.pid), "-f", script]);
  const [pid] = String(stdout).split("\n");
  return pid === undefined || pid === "" ? undefined : Number(pid);
}

function claims(directory: string): string[] {
  return readdirSync(directory).filter((name) => name.includes("owner"));
}

suite("file_storage, other processes", () => {
  test("kill -9 at any time loses no record that was acknowledged, ten times", async (t) => {
    const directory = temporaryDirectory(t);
    const acknowledged = new Set<number>();
    for (let round = 0; round < 10; round++) {
      const child = await StorageProcess.start(t, { directory, timeout: "10s" });
      child.tell({ appendForever: 5_000 });
      await waitUntil(() => child.appended.length > 40 + 13 * round, { limitMs: 20_000 });
      await child.kill();
      for (const key of child.appended) {
        assert.ok(!acknowledged.has(key), `${key} is given once`);
        acknowledged.add(key);
      }
    }
    const { settings, stop, storage } = await startStorage(t, { directory });
    const log = await storage.openRecordLog(owner);
    const keys = log.recovered.map(({ key }) => key);
    t.diagnostic(`${acknowledged.size} acknowledged, ${keys.length} recovered`);
    assert.deepEqual(
      keys,
      [...keys].sort((a, b) => a - b),
    );
    const recovered = new Set(keys);
    assert.deepEqual(
      [...acknowledged].filter((key) => !recovered.has(key)),
      [],
    );
    for (const key of keys) assert.equal(log.read(key).byteLength, 5_000);
    assert.deepEqual(settings.logger.records, []);
    await stop(log);
  });

  test("a directory that another process holds is refused with its name, and free when it is killed", async (t) => {
    const directory = temporaryDirectory(t);
    const child = await StorageProcess.start(t, { directory });
    const begunMs = performance.now();
    await assert.rejects(startStorage(t, { directory, timeout: "300ms" }), (error) => {
      assert.ok(error instanceof Error);
      assert.match(error.message, new RegExp(`in use by process ${child.pid} on host `));
      assert.match(
        error.message,
        /give every replica and every `file_storage` a directory of its own/,
      );
      return true;
    });
    assert.ok(performance.now() - begunMs >= 300, "it waits for `timeout`");
    assert.equal(claims(directory).length, 1, "the holder keeps it");
    await child.kill();
    assert.equal(claims(directory).length, 1, "a killed process leaves it");
    const { stop } = await startStorage(t, { directory });
    await stop();
  });

  test("a second `file_storage` of the same process is refused too", async (t) => {
    const directory = temporaryDirectory(t);
    const { stop } = await startStorage(t, { directory });
    const held = new RegExp(`in use by process ${process.pid} `);
    await assert.rejects(startStorage(t, { directory, timeout: "1ms" }), held);
    await stop();
  });

  test("waits for a directory that is let go within `timeout`", async (t) => {
    const directory = temporaryDirectory(t);
    const first = await startStorage(t, { directory });
    const second = startStorage(t, { directory, timeout: "10s" });
    await first.stop();
    await (await second).stop();
  });

  // Scenario: paths of unix sockets are limited to 107 bytes.
  test("holds a directory with a long path", async (t) => {
    const directory = join(temporaryDirectory(t), "d".repeat(120), "e".repeat(120));
    const config = { directory, create_directory: true };
    const first = await startStorage(t, config);
    await assert.rejects(startStorage(t, { ...config, timeout: "1ms" }), /in use by process/);
    await first.stop();
    const second = await startStorage(t, config);
    await second.stop();
  });

  // Scenario: eight start at once on a directory whose holder was killed.
  test("of many that come at once exactly one gets the directory", async (t) => {
    const directory = temporaryDirectory(t);
    const killed = await StorageProcess.start(t, { directory });
    await killed.kill();
    const started = await Promise.allSettled(
      Array.from({ length: 8 }, () => startStorage(t, { directory, timeout: "2s" })),
    );
    const got = started.filter(({ status }) => status === "fulfilled");
    assert.equal(got.length, 1);
    for (const each of started) {
      if (each.status === "rejected") assert.match(String(each.reason), /is in use by /);
      else await each.value.stop();
    }
    assert.deepEqual(claims(directory), []);
  });
});

suite("file_storage, damaged files", () => {
  async function filled(t: TestContext): Promise<{ directory: string; path: string }> {
    const directory = temporaryDirectory(t);
    const { stop, storage } = await startStorage(t, { directory });
    const log = await storage.openRecordLog(owner);
    for (let count = 0; count < 200; count++) await log.append([Buffer.alloc(3_000, count)], 1);
    await stop(log);
    return { directory, path: join(directory, "queues.mdb") };
  }

  const damages: readonly [string, (path: string) => void][] = [
    ["cut to a third", (path) => truncateSync(path, Math.floor(statSync(path).size / 30))],
    ["cut in its first page", (path) => truncateSync(path, 100)],
    ["of random text", (path) => writeFileSync(path, "no database at all\n".repeat(50_000))],
    ["with pages of the tree overwritten", overwriteTree],
  ];

  /** Puts rubbish into everything behind the two first pages, which name the tree's root. */
  function overwriteTree(path: string): void {
    const file = openSync(path, "r+");
    const rubbish = Buffer.alloc(statSync(path).size - 8_192, 0xab);
    writeSync(file, rubbish, 0, rubbish.length, 8_192);
    closeSync(file);
  }

  for (const [title, damage] of damages) {
    test(`a file ${title} is moved aside unchanged, an empty one takes its place`, async (t) => {
      const { directory, path } = await filled(t);
      damage(path);
      const before = readFileSync(path);
      const { settings, stop, storage } = await startStorage(t, { directory });
      const log = await storage.openRecordLog(owner);
      assert.deepEqual(log.recovered, []);
      const [error] = settings.logger.records.filter(({ level }) => level === "error");
      assert.match(error?.message ?? "", /the data file is damaged/);
      t.diagnostic(String(error?.fields?.["reason"]));
      const moved = String(error?.fields?.["file"]);
      assert.match(moved, /queues\.mdb\.damaged-\d{4}-\d\d-\d\dT[\d.-]+Z$/);
      assert.ok(readFileSync(moved).equals(before), "what is left of it is kept");
      assert.equal(await log.append([record(1)], 1), 1);
      await stop(log);
    });
  }

  // Scenario: the process that checks the file is ended from outside, as a stop of the service does.
  // Guarantees: nothing is concluded of the file, which stays where it is and is read the next time.
  test("a check that somebody else ended moves nothing aside", async (t) => {
    const { directory, path } = await filled(t);
    const before = readFileSync(path);
    const starting = startStorage(t, { directory });
    const refused = assert.rejects(starting, /the check of .* ended with SIGTERM/);
    let checking: number | undefined;
    await waitUntil(() => {
      checking = childRunning("check-process.js");
      return checking !== undefined;
    });
    assert.ok(checking !== undefined);
    process.kill(checking, "SIGTERM");
    await refused;
    assert.ok(readFileSync(path).equals(before));
    const { stop, storage } = await startStorage(t, { directory });
    const log = await storage.openRecordLog(owner);
    assert.ok(log.recovered.length > 0);
    await stop(log);
  });

  test("with `recreate: false` a damaged file stays, and the start says so", async (t) => {
    const { directory, path } = await filled(t);
    truncateSync(path, 20_000);
    await assert.rejects(startStorage(t, { directory, recreate: false }), {
      message: /^the data file .*queues\.mdb is damaged: .*; move it away, or set `recreate: true`/,
    });
    assert.equal(statSync(path).size, 20_000);
  });

  test("one byte changed in a record fails its read alone", async (t) => {
    const { directory, path } = await filled(t);
    const bytes = readFileSync(path);
    const at = bytes.indexOf(Buffer.alloc(3_000, 77));
    bytes[at + 1_500] = 0;
    writeFileSync(path, bytes);
    const { settings, stop, storage } = await startStorage(t, { directory });
    const log = await storage.openRecordLog(owner);
    assert.equal(log.recovered.length, 200);
    assert.throws(() => log.read(78), {
      message: /^record 78 of otlp_grpc\/a \(traces\) cannot be read: its checksum is [0-9a-f]+, /,
    });
    assert.equal(log.read(77).byteLength, 3_000);
    assert.equal(log.read(79).byteLength, 3_000);
    assert.equal(
      settings.meter.value("inode_gateway_file_storage_failures", {
        extension: "file_storage",
        operation: "read",
      }),
      1,
    );
    await stop(log);
  });
});

suite("file_storage, full disks", () => {
  test("a damaged list of queues is an error that names the file, and holds nothing", async (t) => {
    const directory = temporaryDirectory(t);
    const first = await startStorage(t, { directory });
    const log = await first.storage.openRecordLog(owner);
    await first.stop(log);
    const path = join(directory, "queues.mdb");
    const text = readFileSync(path, "latin1");
    writeFileSync(path, text.replaceAll("otlp_grpc/a", "otlp_grpc/b"), "latin1");
    await assert.rejects(startStorage(t, { directory }), {
      message:
        /^the list of queues in .*queues\.mdb is damaged: its checksum .*; move the file away$/,
    });
    assert.deepEqual(claims(directory), []);
  });

  for (const size of [1_000, 3_000, 100_000, 1_500_000]) {
    test(`a disk full of records of ${size} bytes refuses, lets go what is delivered, and recovers`, async (t) => {
      const directory = temporaryDirectory(t);
      const child = await StorageProcess.start(t, { directory, timeout: "10s" });
      limitFileSize(child.pid, 6 * 1_048_576);
      const refusals: string[] = [];
      while (refusals.length < 3) {
        const { failure } = await child.ask({ append: size });
        if (failure !== undefined) refusals.push(failure);
      }
      assert.equal(refusals.length, 3);
      for (const text of refusals) assert.match(text, /^RetryableError: a record was not stored: /);
      const keys = child.appended;
      t.diagnostic(`${keys.length} records before ${refusals[0]}`);

      // What is delivered leaves one by one, although nothing can grow.
      const half = Math.ceil(keys.length / 2);
      const step = Math.ceil(half / 50);
      for (let from = 0; from < half; from += step) {
        const removed = await child.ask({ remove: keys.slice(from, Math.min(half, from + step)) });
        assert.deepEqual(removed, { removed: true });
      }
      limitFileSize(child.pid, "unlimited");
      const after = await child.ask({ append: size });
      assert.equal(after.failure, undefined);
      await child.kill();

      const { stop, storage } = await startStorage(t, { directory });
      const log = await storage.openRecordLog(owner);
      assert.deepEqual(
        log.recovered.map(({ key }) => key),
        [...keys.slice(half), after.appended],
      );
      for (const { key } of log.recovered) assert.equal(log.read(key).byteLength, size);
      await stop(log);
    });
  }

  // Scenario: there is space for the queue's own work, not for a compacted copy beside it.
  test("a compaction that finds no space leaves the file as it is", async (t) => {
    const directory = temporaryDirectory(t);
    const first = await startStorage(t, { directory });
    const log = await first.storage.openRecordLog(owner);
    for (let count = 0; count < 20; count++) await log.append([Buffer.alloc(100_000)], 1);
    await first.stop(log);
    const config = { directory, compaction: { on_start: true } };
    const child = await StorageProcess.start(t, config, 1_048_576);
    assert.deepEqual(child.answers, [{ ready: true }]);
    await child.kill();
    assert.deepEqual(
      readdirSync(directory).filter((name) => !name.includes("owner")),
      ["queues.mdb", "queues.mdb-lock"],
    );
    const second = await startStorage(t, { directory });
    const again = await second.storage.openRecordLog(owner);
    assert.equal(again.recovered.length, 20);
    await second.stop(again);
  });
});
