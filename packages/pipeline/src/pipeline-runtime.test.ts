import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { type Host, RetryableError } from "@inode-gateway/contract";
import { createTestBatch, settle } from "@inode-gateway/testkit";
import { START_TIMEOUT_MS } from "./life/start-nodes.js";
import { SHUTDOWN_GRACE_MS } from "./life/stop-nodes.js";
import { Stage } from "./stage.rig.js";

const DIAMOND = `
receivers: {rec/a: , rec/b: }
processors: {proc/1: , proc/2: }
exporters: {exp/x: , exp/y: }
connectors: {conn: }
extensions: {ext/a: {extension: ext/b}, ext/b: }
service:
  extensions: [ext/a, ext/b]
  pipelines:
    traces/in: {receivers: [rec/a, rec/b], processors: [proc/1, proc/2], exporters: [exp/x, conn]}
    traces/out: {receivers: [conn], processors: [proc/1], exporters: [exp/x, exp/y]}
    logs: {receivers: [rec/a], exporters: [exp/x]}`;

const SIMPLE = `
receivers: {rec: }
processors: {proc: }
exporters: {exp: }
extensions: {ext: }
service:
  extensions: [ext]
  pipelines: {traces: {receivers: [rec], processors: [proc], exporters: [exp]}}`;

suite("order", () => {
  test("creates downstream first; starts extensions, exporters, then against the flow; stops with it", async () => {
    const stage = new Stage();
    const runtime = await stage.runtime(DIAMOND);
    const created = stage.taken();
    assert.equal(created.length, 11);
    assert.equal(new Set(created).size, 11, "every instance once");
    await runtime.start();
    assert.deepEqual(stage.taken(), [
      "start ext/b",
      "start ext/a",
      "start exp/x:traces",
      "start exp/y:traces",
      "start exp/x:logs",
      "start proc/1@traces/out",
      "start conn:traces",
      "start proc/2@traces/in",
      "start proc/1@traces/in",
      "start rec/a",
      "start rec/b",
      "ready ext/b",
      "ready ext/a",
    ]);
    await runtime.shutdown(stage.clock.nowMs() + 1_000);
    assert.deepEqual(stage.taken(), [
      "notReady ext/a",
      "notReady ext/b",
      "stop rec/a",
      "stop rec/b",
      "stop proc/1@traces/in",
      "stop proc/2@traces/in",
      "stop conn:traces",
      "stop proc/1@traces/out",
      "stop exp/x:traces",
      "stop exp/y:traces",
      "stop exp/x:logs",
      "stop ext/a",
      "stop ext/b",
    ]);
    await runtime.shutdown(stage.clock.nowMs() + 1_000);
    assert.deepEqual(stage.taken(), [], "a second shutdown does nothing");
  });

  test("a batch takes every way of the graph once", async () => {
    const stage = new Stage();
    const runtime = await stage.runtime(DIAMOND);
    await runtime.start();
    stage.taken();
    await stage.push("rec/b", createTestBatch({ itemCount: 5 }));
    assert.deepEqual(stage.taken().sort(), [
      "conn:traces <- 5",
      "exp/x:traces <- 5",
      "exp/x:traces <- 5",
      "exp/y:traces <- 5",
      "proc/1@traces/in <- 5",
      "proc/1@traces/out <- 5",
      "proc/2@traces/in <- 5",
    ]);
    assert.deepEqual(Object.keys(stage.outputs.get("rec/a") ?? {}), ["traces", "logs"]);
    assert.deepEqual(Object.keys(stage.outputs.get("rec/b") ?? {}), ["traces"]);
  });

  test("settings carry the instance, the logger the Collector's field names", async () => {
    const stage = new Stage();
    await stage.runtime(SIMPLE);
    const settings = stage.settings.get("proc@traces");
    assert.deepEqual(
      [settings?.id, settings?.signal, settings?.pipeline],
      ["proc", "traces", "traces"],
    );
    assert.equal(stage.settings.get("rec")?.signal, undefined);
    settings?.logger.info("hello");
    assert.deepEqual(stage.logger.records[0]?.fields, {
      "otelcol.component.id": "proc",
      "otelcol.component.kind": "processor",
      "otelcol.signal": "traces",
      "otelcol.pipeline.id": "traces",
    });
  });
});

suite("start", () => {
  test("a failing start names the component, stops what was started, and rejects", async () => {
    const stage = new Stage();
    const runtime = await stage.runtime(SIMPLE);
    stage.taken();
    const cause = new Error("listen EADDRINUSE: address already in use 127.0.0.1:4317");
    stage.hooks["proc@traces"] = { start: () => Promise.reject(cause) };
    await assert.rejects(runtime.start(), {
      name: "StartError",
      message: `cannot start processor "proc" in pipeline "traces": ${cause.message}`,
      cause,
    });
    assert.deepEqual(stage.taken(), [
      ...["start ext", "start exp:traces", "start proc@traces"],
      ...["notReady ext", "stop proc@traces", "stop exp:traces", "stop ext"],
    ]);
    await runtime.shutdown(stage.clock.nowMs() + 1_000);
    assert.deepEqual(stage.taken(), []);
  });

  test("a component that does not start in time is named", async () => {
    const stage = new Stage();
    const runtime = await stage.runtime(SIMPLE);
    stage.hooks["exp:traces"] = { start: () => new Promise(() => undefined) };
    const started = runtime.start();
    started.catch(() => undefined);
    await stage.clock.advanceAndSettle(START_TIMEOUT_MS - 1);
    assert.equal(runtime.statuses().find(({ kind }) => kind === "exporter")?.state, "starting");
    await stage.clock.advanceAndSettle(1);
    await assert.rejects(started, {
      message: 'exporter "exp" for traces did not start within 1m0s',
    });
    assert.equal(stage.clock.pendingTimers, 0);
  });

  test("shutdown during a start ends it at once", async () => {
    const stage = new Stage();
    const runtime = await stage.runtime(SIMPLE);
    stage.taken();
    stage.hooks["exp:traces"] = { start: () => new Promise(() => undefined) };
    const started = runtime.start();
    started.catch(() => undefined);
    await settle();
    await runtime.shutdown(stage.clock.nowMs() + 1_000);
    await assert.rejects(started, {
      message: /stopped while exporter "exp" for traces was starting/,
    });
    assert.deepEqual(stage.taken(), [
      ...["start ext", "start exp:traces", "notReady ext", "stop exp:traces", "stop ext"],
    ]);
  });

  test("a shutdown without a start stops nothing; starting twice or afterwards is refused", async () => {
    const stage = new Stage();
    const runtime = await stage.runtime(SIMPLE);
    stage.taken();
    await runtime.shutdown(stage.clock.nowMs());
    assert.deepEqual(stage.taken(), []);
    await assert.rejects(runtime.start(), /started or stopped before/);
  });

  test("the host knows the listed extensions and every state", async () => {
    const stage = new Stage();
    const runtime = await stage.runtime(SIMPLE);
    const hosts: Host[] = [];
    stage.hooks["exp:traces"] = {
      start: (given) => {
        hosts.push(given);
        stage.settings.get("exp:traces")?.reportState("recoverable_error", "backend is away");
      },
    };
    assert.deepEqual(runtime.statuses(), []);
    await runtime.start();
    const [host] = hosts;
    assert.ok(host);
    assert.ok(host.extension("ext"));
    assert.equal(host.extension("rec"), undefined);
    const states = () =>
      host.componentStatuses().map(({ id, state, reason }) => [id, state, reason]);
    assert.deepEqual(states(), [
      ["ext", "ok", undefined],
      ["exp", "recoverable_error", "backend is away"],
      ["proc", "ok", undefined],
      ["rec", "ok", undefined],
    ]);
    const since = host.componentStatuses()[1]?.sinceUnixMs;
    stage.clock.advance(10);
    stage.settings.get("exp:traces")?.reportState("recoverable_error", "still away");
    assert.equal(host.componentStatuses()[1]?.sinceUnixMs, since, "the state is the same one");
    assert.equal(host.componentStatuses()[1]?.reason, "still away");
    stage.settings.get("exp:traces")?.reportState("ok");
    assert.equal(host.componentStatuses()[1]?.sinceUnixMs, stage.clock.unixMs());
    await runtime.shutdown(stage.clock.nowMs() + 1_000);
    assert.ok(runtime.statuses().every(({ state }) => state === "stopped"));
  });
});

suite("stop", () => {
  test("every component gets the one deadline", async () => {
    const stage = new Stage();
    const runtime = await stage.runtime(SIMPLE);
    const deadlines: number[] = [];
    for (const name of ["rec", "proc@traces", "exp:traces", "ext"]) {
      stage.hooks[name] = { shutdown: (deadlineMs) => void deadlines.push(deadlineMs) };
    }
    await runtime.start();
    const deadlineMs = stage.clock.nowMs() + 1_000;
    await runtime.shutdown(deadlineMs);
    assert.deepEqual(deadlines, [deadlineMs, deadlineMs, deadlineMs, deadlineMs]);
  });

  test("one that overruns is reported and passed over, what it held is dropped and counted", async () => {
    const stage = new Stage();
    const runtime = await stage.runtime(SIMPLE);
    const settings = () => stage.settings.get("exp:traces");
    stage.hooks["exp:traces"] = {
      consume: (batch) => settings()?.ledger.held(batch.itemCount),
      shutdown: () => new Promise(() => undefined),
    };
    await runtime.start();
    await stage.push("rec", createTestBatch({ itemCount: 4 }));
    stage.taken();
    let isStopped = false;
    const stopped = runtime.shutdown(stage.clock.nowMs() + 1_000).then(() => {
      isStopped = true;
    });
    await stage.clock.advanceAndSettle(1_000 + SHUTDOWN_GRACE_MS - 1);
    assert.equal(isStopped, false, "the deadline and its grace are waited for");
    await stage.clock.advanceAndSettle(1);
    await stopped;
    assert.equal(stage.calls.at(-1), "stop ext", "the rest is stopped");
    const [record] = stage.logger.records.filter(({ level }) => level === "error");
    assert.match(record?.message ?? "", /did not stop by its deadline and is passed over/);
    assert.deepEqual(record?.fields, { component: 'exporter "exp" for traces', dropped_items: 4 });
    settings()?.ledger.released(4);
    const [identity] = runtime.accounting().identities;
    assert.deepEqual(
      [
        identity?.accepted,
        identity?.delivered,
        identity?.dropped,
        identity?.held,
        identity?.unaccounted,
      ],
      [4, 0, 4, 0, 0],
    );
    assert.equal(
      runtime.statuses().find(({ kind }) => kind === "exporter")?.reason,
      "did not stop by its deadline",
    );
  });

  // Scenario: what an exporter cuts off at its end comes back over many promises, and is dropped then.
  // Guarantees: the counts of a process that has stopped are final.
  test("what was cut off at the end is accounted for before the stop has ended", async () => {
    const stage = new Stage();
    const runtime = await stage.runtime(SIMPLE);
    await runtime.start();
    const drop = async () => {
      const ledger = stage.settings.get("exp:traces")?.ledger;
      ledger?.held(1);
      for (let hops = 0; hops < 100; hops++) await undefined;
      ledger?.released(1);
      ledger?.dropped(1, "shutting_down");
    };
    stage.hooks["exp:traces"] = { shutdown: () => void drop() };
    await runtime.shutdown(stage.clock.nowMs() + 1_000);
    const account = runtime.accounting().components.find(({ id }) => id === "exp");
    assert.equal(account?.held, 0);
    assert.deepEqual(account?.dropped, { shutting_down: 1 });
  });

  test("a rejected shutdown is a bug of that component and stops nobody else", async () => {
    const stage = new Stage();
    const runtime = await stage.runtime(SIMPLE);
    stage.hooks["rec"] = { shutdown: () => Promise.reject(new Error("x")) };
    await runtime.start();
    stage.taken();
    await runtime.shutdown(stage.clock.nowMs() + 1_000);
    assert.deepEqual(stage.taken(), [
      ...["notReady ext", "stop rec", "stop proc@traces", "stop exp:traces", "stop ext"],
    ]);
    const labels = { component_kind: "receiver", component_id: "rec" };
    assert.equal(stage.meter.value("inode_gateway_component_bugs", labels), 1);
  });
});

suite("what is seen", () => {
  test("a background promise that rejects is logged under its name and counted", async () => {
    const stage = new Stage();
    await stage.runtime(SIMPLE);
    const error = new Error("lost");
    stage.settings.get("rec")?.runInBackground("sweep", Promise.reject(error));
    await settle();
    assert.deepEqual(stage.logger.records.at(-1)?.fields["task"], "sweep");
    const labels = { component_kind: "receiver", component_id: "rec" };
    assert.equal(stage.meter.value("inode_gateway_component_bugs", labels), 1);
  });

  test("counts are on the metrics page by the Collector's names and ours, until the end", async () => {
    const stage = new Stage();
    const runtime = await stage.runtime(DIAMOND);
    const full = new RetryableError("QUEUE_FULL", "full");
    await runtime.start();
    await stage.push("rec/a", createTestBatch({ itemCount: 5 }));
    stage.hooks["exp/y:traces"] = { consume: () => Promise.reject(full) };
    await assert.rejects(stage.push("rec/a", createTestBatch({ itemCount: 2 })), full);
    stage.settings.get("exp/y:traces")?.ledger.dropped(1, "backend_rejected");
    const end = { component_kind: "exporter", component_id: "exp/x", otel_signal: "traces" };
    const table: readonly [string, Record<string, string>, number][] = [
      // Both pipelines name proc/1.
      ["otelcol_processor_incoming_items", { processor: "proc/1", otel_signal: "traces" }, 14],
      ["otelcol_processor_outgoing_items", { processor: "proc/1", otel_signal: "traces" }, 14],
      ["otelcol_processor_outgoing_items", { processor: "proc/2", otel_signal: "traces" }, 7],
      ["inode_gateway_pipeline_items", { pipeline: "traces/in", outcome: "accepted" }, 5],
      ["inode_gateway_pipeline_items", { pipeline: "traces/in", outcome: "refused" }, 2],
      ["inode_gateway_pipeline_in_flight_items", { pipeline: "traces/in" }, 0],
      ["inode_gateway_accepted_items", end, 10],
      ["inode_gateway_delivered_items", end, 14],
      ["inode_gateway_delivered_but_refused_items", end, 4],
      ["inode_gateway_in_flight_items", end, 0],
      ["inode_gateway_unaccounted_items", end, 0],
      ["inode_gateway_held_items", end, 0],
      [
        "inode_gateway_dropped_items",
        { ...end, component_id: "exp/y", reason: "backend_rejected" },
        1,
      ],
    ];
    for (const [name, labels, value] of table) {
      assert.equal(stage.meter.value(name, labels), value, `${name} ${JSON.stringify(labels)}`);
    }
    await runtime.shutdown(stage.clock.nowMs() + 1_000);
    assert.equal(stage.meter.value("inode_gateway_accepted_items", end), 0);
    assert.equal(runtime.accounting().pipelines[0]?.accepted, 5, "the counts are still there");
  });

  test("pipelines of one receiver: what one accepted while another refused is told", async () => {
    const stage = new Stage();
    const runtime = await stage.runtime(`
receivers: {rec: }
exporters: {exp/x: , exp/y: }
service:
  pipelines:
    traces/x: {receivers: [rec], exporters: [exp/x]}
    traces/y: {receivers: [rec], exporters: [exp/y]}`);
    await runtime.start();
    stage.hooks["exp/y:traces"] = {
      consume: () => Promise.reject(new RetryableError("QUEUE_FULL", "full")),
    };
    await assert.rejects(stage.push("rec", createTestBatch({ itemCount: 3 })));
    const accounts = runtime.accounting().pipelines;
    assert.deepEqual(
      accounts.map(({ acceptedButRefused, accepted, refused }) => [
        accepted,
        refused,
        acceptedButRefused,
      ]),
      [
        [3, 0, 3],
        [0, 3, 0],
      ],
    );
  });
});
