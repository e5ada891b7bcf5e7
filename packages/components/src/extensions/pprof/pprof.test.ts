import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, type TestContext, test } from "node:test";
import { createTestSettings, runLifecycleSuite, waitUntil } from "@inode-gateway/testkit";
import { isLoopbackAddress } from "../../transport/loopback.js";
import { pprofConfig } from "./config.js";
import { pprof } from "./factory.js";
import { Pprof } from "./pprof.js";
import { parseProfileRequest, SECONDS_MAX } from "./profile-request.js";

async function startProfiler(context: TestContext, config: Record<string, unknown> = {}) {
  const settings = createTestSettings({ id: "pprof", kind: "extension" });
  const parsed = pprofConfig.parse({ endpoint: "127.0.0.1:0", ...config });
  const extension = new Pprof(settings, parsed);
  await extension.start();
  const stop = async () => {
    const stopped = extension.shutdown(settings.clock.nowMs() + 1_000);
    settings.clock.advance(1_000);
    await stopped;
  };
  context.after(stop);
  const get = async (path: string, init: RequestInit = {}) => {
    const headers = { connection: "close", ...init.headers };
    const answer = await fetch(`http://${extension.address}${path}`, { ...init, headers });
    return { status: answer.status, headers: answer.headers, body: await answer.text() };
  };
  /** A profile of `seconds`, of which none passes: the clock is ours. */
  const profile = async (path: string, seconds: number) => {
    const before = settings.clock.pendingTimers;
    const answered = get(`${path}?seconds=${seconds}`);
    await waitUntil(() => settings.clock.pendingTimers > before);
    settings.clock.advance(seconds * 1_000);
    return answered;
  };
  return { get, profile, settings, stop };
}

suite("pprof", () => {
  test("gives a CPU profile and a heap profile of as many seconds as asked for", async (t) => {
    const { profile } = await startProfiler(t);
    const cpu = await profile("/debug/pprof/profile", 2);
    assert.equal(cpu.status, 200);
    assert.match(cpu.headers.get("content-disposition") ?? "", /gateway\.cpuprofile/);
    const { nodes, startTime, endTime } = JSON.parse(cpu.body) as Record<string, unknown>;
    assert.ok(Array.isArray(nodes) && nodes.length > 0);
    assert.ok(Number(endTime) > Number(startTime));
    const heap = await profile("/debug/pprof/heap", SECONDS_MAX);
    assert.ok("head" in (JSON.parse(heap.body) as object), "a tree of allocations");
  });

  test("gives a heap snapshot", async (t) => {
    const { get } = await startProfiler(t);
    const { body, status } = await get("/debug/pprof/heapsnapshot");
    assert.equal(status, 200);
    assert.ok(body.startsWith('{"snapshot":{'), body.slice(0, 40));
    assert.ok(body.trimEnd().endsWith("}"), "it is whole");
  });

  test("takes one profile at a time, and the next one when it is over", async (t) => {
    const { get, profile, settings } = await startProfiler(t);
    const before = settings.clock.pendingTimers;
    const first = get("/debug/pprof/profile?seconds=5");
    await waitUntil(() => settings.clock.pendingTimers > before);
    for (const path of ["/debug/pprof/heap", "/debug/pprof/heapsnapshot"]) {
      const second = await get(path);
      assert.deepEqual([second.status, second.headers.get("retry-after")], [503, "10"]);
    }
    settings.clock.advance(5_000);
    assert.equal((await first).status, 200);
    assert.equal((await profile("/debug/pprof/heap", 1)).status, 200);
  });

  test("ends a profile that nobody waits for any more", async (t) => {
    const { get, profile, settings } = await startProfiler(t);
    const before = settings.clock.pendingTimers;
    const gone = new AbortController();
    const first = get("/debug/pprof/profile", { signal: gone.signal });
    await waitUntil(() => settings.clock.pendingTimers > before);
    gone.abort();
    await assert.rejects(first);
    await waitUntil(() => settings.clock.pendingTimers === before);
    assert.equal((await profile("/debug/pprof/profile", 1)).status, 200);
  });

  test("stopping ends a profile at once, and answers with what there is", async (t) => {
    const { get, settings, stop } = await startProfiler(t);
    const before = settings.clock.pendingTimers;
    const answered = get("/debug/pprof/profile?seconds=60");
    await waitUntil(() => settings.clock.pendingTimers > before);
    const stopped = stop();
    assert.equal((await answered).status, 200);
    await stopped;
  });

  test("save_to_file is written when the process stops, for its owner only", async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "pprof-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const path = join(folder, "start.cpuprofile");
    const { stop } = await startProfiler(t, { save_to_file: path });
    await stop();
    assert.ok("nodes" in (JSON.parse(readFileSync(path, "utf8")) as object));
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  test("save_to_file in a folder that is not there is a warning", async (t) => {
    const { settings, stop } = await startProfiler(t, { save_to_file: "/no/such/folder/x" });
    await stop();
    assert.deepEqual(
      settings.logger.records.filter(({ level }) => level === "warn").map(({ message }) => message),
      ["the CPU profile cannot be written"],
    );
  });

  test("is for reading, and not for web pages", async (t) => {
    const { get, settings } = await startProfiler(t);
    assert.match((await get("/debug/pprof/")).body, /^\/debug\/pprof\/profile\n/);
    assert.equal((await get("/debug/pprof/", { method: "POST" })).status, 405);
    assert.equal((await get("/debug/pprof/goroutine")).status, 404);
    const origin = { headers: { origin: "http://example.org" } };
    assert.equal((await get("/debug/pprof/heapsnapshot", origin)).status, 403);
    assert.equal(settings.meter.sum("inode_gateway_pprof_requests", { status: "403" }), 1);
  });
});

test("`seconds` is from 1 to its limit; without it a profile takes 30", () => {
  const ask = (query: string) => parseProfileRequest("GET", `/debug/pprof/profile${query}`);
  assert.deepEqual(ask(""), { kind: "cpu", seconds: 30 });
  assert.deepEqual(ask(`?seconds=${SECONDS_MAX}`), { kind: "cpu", seconds: SECONDS_MAX });
  for (const wrong of ["0", String(SECONDS_MAX + 1), "-1", "1.5", "x", ""]) {
    assert.deepEqual(ask(`?seconds=${wrong}`), {
      kind: "refused",
      status: 400,
      text: `\`seconds\` is "${wrong}", expected 1 to ${SECONDS_MAX}`,
    });
  }
});

test("this machine's own addresses are told from all others", () => {
  for (const own of ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"]) {
    assert.equal(isLoopbackAddress(own), true, own);
  }
  for (const other of ["128.0.0.1", "10.0.0.1", "::", "::2", "::ffff:10.0.0.1", "localhost", ""]) {
    assert.equal(isLoopbackAddress(other), false, other);
  }
});

test("a Collector's section loads, and its default is local", () => {
  assert.equal(pprofConfig.parse({}).endpoint, "localhost:1777");
  const all = { endpoint: "0.0.0.0:1777", block_profile_fraction: 3, mutex_profile_fraction: 5 };
  assert.equal(pprofConfig.parse({ ...all, save_to_file: "" }).endpoint, "0.0.0.0:1777");
});

runLifecycleSuite(pprof, { config: { endpoint: "127.0.0.1:0" } });
