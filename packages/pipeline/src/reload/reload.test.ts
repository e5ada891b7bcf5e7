import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { RetryableError } from "@inode-gateway/contract";
import { createTestBatch, settle } from "@inode-gateway/testkit";
import { PAUSE_LIMIT_MS } from "../flow/gate.js";
import type { PipelineRuntime } from "../pipeline-runtime.js";
import { Stage } from "../stage.rig.js";
import { BLOCKING_STOP_MS } from "./graph-reload.js";
import { RETIREMENTS_MAX } from "./reload-context.js";

interface Sizes {
  readonly rec?: string;
  readonly proc?: string;
  readonly exp?: string;
  readonly ext?: string;
  readonly exporters?: string;
}

/** One pipeline; what is given is written below the component. */
const yaml = ({ exp = "", exporters = "exp", ext = "", proc = "", rec = "" }: Sizes = {}) => `
receivers: {rec: {${rec}}}
processors: {proc: {${proc}}}
exporters: {exp: {${exp}}, exp/other: }
extensions: {ext: {${ext}}}
service:
  extensions: [ext]
  pipelines: {traces: {receivers: [rec], processors: [proc], exporters: [${exporters}]}}`;

async function startStage(text = yaml()) {
  const stage = new Stage();
  const runtime = await stage.runtime(text);
  await runtime.start();
  stage.taken();
  const reload = async (to: string) =>
    runtime.reload(await stage.checked(to), stage.clock.nowMs() + 10_000);
  /** Reloads and lets what is replaced drain. */
  const reloadAndSettle = async (to: string) => {
    const outcome = await reload(to);
    await settle();
    return outcome;
  };
  return { stage, runtime, reload, reloadAndSettle };
}

const identityOf = (runtime: PipelineRuntime, id = "exp") =>
  runtime.accounting().identities.find((identity) => identity.id === id);

suite("what a reload keeps", () => {
  test("an equal configuration touches nothing and says so", async () => {
    const { reload, stage } = await startStage();
    assert.deepEqual(await reload(yaml()), { outcome: "unchanged" });
    assert.deepEqual(stage.taken(), []);
  });

  test("a changed exporter replaces itself and its pipeline; the receiver goes on", async () => {
    const { reloadAndSettle, stage } = await startStage();
    assert.deepEqual(await reloadAndSettle(yaml({ exp: "size: 2" })), {
      outcome: "applied",
      started: ['exporter "exp" for traces', 'processor "proc" in pipeline "traces"'],
      stopped: ['exporter "exp" for traces', 'processor "proc" in pipeline "traces"'],
      kept: 2,
    });
    assert.deepEqual(stage.taken(), [
      ...["create exp:traces", "create proc@traces", "start exp:traces", "start proc@traces"],
      ...["stop proc@traces", "stop exp:traces"],
    ]);
    await stage.push("rec", createTestBatch());
    assert.deepEqual(stage.taken(), ["proc@traces <- 1", "exp:traces <- 1"]);
  });

  test("a changed processor leaves exporters alone, an exporter added leaves the others", async () => {
    const { reloadAndSettle, stage } = await startStage();
    await reloadAndSettle(yaml({ proc: "size: 2" }));
    assert.deepEqual(stage.taken(), [
      ...["create proc@traces", "start proc@traces", "stop proc@traces"],
    ]);
    await reloadAndSettle(yaml({ proc: "size: 2", exporters: "exp, exp/other" }));
    assert.deepEqual(stage.taken(), [
      ...["create exp/other:traces", "create proc@traces"],
      ...["start exp/other:traces", "start proc@traces", "stop proc@traces"],
    ]);
  });

  test("a receiver is restarted when it changes, or when other signals are wanted of it", async () => {
    const { reloadAndSettle, stage } = await startStage();
    await reloadAndSettle(yaml({ rec: "size: 2" }));
    assert.deepEqual(stage.taken(), ["create rec", "stop rec", "start rec"]);
    const withLogs = `${yaml({ rec: "size: 2" }).slice(0, -1)}, logs: {receivers: [rec], exporters: [exp]}}`;
    await reloadAndSettle(withLogs);
    assert.deepEqual(stage.taken(), [
      ...["create exp:logs", "create rec", "start exp:logs", "stop rec", "start rec"],
    ]);
  });

  test("whoever refers to a changed extension is replaced too, and finds the new one", async () => {
    const { reloadAndSettle, stage } = await startStage(yaml({ exp: "extension: ext" }));
    const found: unknown[] = [];
    stage.hooks["exp:traces"] = { start: (host) => void found.push(host.extension("ext")) };
    await reloadAndSettle(yaml({ exp: "extension: ext", ext: "size: 2" }));
    assert.deepEqual(stage.taken(), [
      ...["create ext", "create exp:traces", "create proc@traces", "start proc@traces"],
      ...["notReady ext", "stop proc@traces", "stop exp:traces", "stop ext"],
      ...["start ext", "start exp:traces", "ready ext"],
    ]);
    assert.ok(found[0] !== undefined);
  });
});

suite("while it goes on", () => {
  test("requests finish in the graph they entered, which drains with the flow", async () => {
    const { reload, runtime, stage } = await startStage();
    let release: () => void = () => assert.fail("the processor has no batch");
    stage.hooks["proc@traces"] = {
      consume: (batch) =>
        batch.itemCount === 3 ? new Promise<void>((resolve) => (release = resolve)) : undefined,
    };
    const slow = stage.push("rec", createTestBatch({ itemCount: 3 }));
    await settle();
    assert.equal((await reload(yaml({ proc: "size: 2" }))).outcome, "applied");
    await settle();
    assert.ok(!stage.taken().includes("stop proc@traces"), "it still has a batch");
    await stage.push("rec", createTestBatch({ itemCount: 1 }));
    release();
    await slow;
    await settle();
    assert.deepEqual(stage.taken(), [
      ...["proc@traces <- 1", "exp:traces <- 1", "exp:traces <- 3", "stop proc@traces"],
    ]);
    assert.deepEqual(identityOf(runtime)?.delivered, 4);
  });

  // Scenario: a request waits in a processor that one reload replaces; the next one replaces the exporter.
  // Guarantees: the exporter stops only when nothing retired earlier leads to it any more.
  test("an exporter outlives what an earlier reload has retired and what still feeds it", async () => {
    const { reload, stage } = await startStage();
    let release: () => void = () => assert.fail("the processor has no batch");
    stage.hooks["proc@traces"] = {
      consume: () => new Promise<void>((resolve) => (release = resolve)),
    };
    const slow = stage.push("rec", createTestBatch());
    await settle();
    assert.equal((await reload(yaml({ proc: "size: 2" }))).outcome, "applied");
    const both = yaml({ proc: "size: 2", exp: "size: 2" });
    assert.equal((await reload(both)).outcome, "applied");
    await settle();
    assert.ok(!stage.taken().includes("stop exp:traces"), "a request is on its way to it");
    release();
    await slow;
    await settle();
    assert.deepEqual(stage.taken(), ["exp:traces <- 1", "stop proc@traces", "stop exp:traces"]);
    assert.equal(stage.clock.pendingTimers, 0);
  });

  test("requests wait while an exclusive exporter is replaced, and all arrive", async () => {
    const exclusive = (size: number) => yaml({ exp: `exclusive: true, size: ${size}` });
    const { reload, runtime, stage } = await startStage(exclusive(1));
    let stopped: () => void = () => assert.fail("not stopping");
    stage.hooks["exp:traces"] = {
      shutdown: () => new Promise((resolve) => (stopped = resolve)),
    };
    const reloaded = reload(exclusive(2));
    await settle();
    const waiting = [1, 2, 3].map(() => stage.push("rec", createTestBatch()));
    assert.equal(stage.outputs.get("rec")?.traces?.refusal?.(), undefined, "they may come");
    await stage.clock.advanceAndSettle(BLOCKING_STOP_MS - 1);
    stopped();
    assert.equal((await reloaded).outcome, "applied");
    await Promise.all(waiting);
    assert.deepEqual(stage.taken(), [
      ...["create exp:traces", "create proc@traces", "start proc@traces", "stop proc@traces"],
      ...["stop exp:traces", "start exp:traces"],
      ...Array.from({ length: 3 }, () => "proc@traces <- 1"),
      ...Array.from({ length: 3 }, () => "exp:traces <- 1"),
    ]);
    assert.equal(identityOf(runtime)?.delivered, 3);
    assert.equal(stage.clock.pendingTimers, 0);
  });

  test("whoever waits too long is refused with a time to come back, not one moment earlier", async () => {
    const exclusive = (size: number) => yaml({ exp: `exclusive: true, size: ${size}` });
    const { reload, stage } = await startStage(exclusive(1));
    stage.hooks["exp:traces"] = { start: () => new Promise(() => undefined) };
    const reloaded = reload(exclusive(2));
    await settle();
    const answers: unknown[] = [];
    stage.push("rec", createTestBatch()).catch((error: unknown) => answers.push(error));
    await stage.clock.advanceAndSettle(PAUSE_LIMIT_MS - 1);
    assert.equal(answers.length, 0);
    await stage.clock.advanceAndSettle(1);
    const error: unknown = answers.at(0);
    assert.ok(error instanceof RetryableError && error.retryAfterMs === 1_000);
    assert.equal(error.code, "SHUTTING_DOWN");
    assert.equal(stage.outputs.get("rec")?.traces?.refusal?.()?.code, "SHUTTING_DOWN");
    delete stage.hooks["exp:traces"];
    await stage.clock.advanceAndSettle(60_000);
    assert.equal((await reloaded).outcome, "rolled_back");
    await stage.push("rec", createTestBatch());
  });

  test("of the requests to reload that wait only the latest is carried out", async () => {
    const { reload, stage } = await startStage();
    let started: () => void = () => assert.fail("not starting");
    stage.hooks["exp:traces"] = {
      start: () => new Promise((resolve) => (started = resolve)),
    };
    const first = reload(yaml({ exp: "size: 2" }));
    await settle();
    const second = reload(yaml({ exp: "size: 3" }));
    await settle();
    const third = reload(yaml({ exp: "size: 2" }));
    await settle();
    assert.deepEqual(await second, { outcome: "superseded" });
    started();
    assert.equal((await first).outcome, "applied");
    assert.deepEqual(await third, { outcome: "unchanged" });
  });

  test("no more than so many replaced parts drain; a further reload waits for one to end", async () => {
    const { reload, stage } = await startStage();
    stage.hooks["exp:traces"] = { shutdown: () => new Promise(() => undefined) };
    for (let size = 2; size < 2 + RETIREMENTS_MAX; size++) {
      assert.equal((await reload(yaml({ exp: `size: ${size}` }))).outcome, "applied");
    }
    await settle();
    let isApplied = false;
    const further = reload(yaml({ exp: "size: 100" })).then(() => {
      isApplied = true;
    });
    await stage.clock.advanceAndSettle(9_000);
    assert.equal(isApplied, false);
    await stage.clock.advanceAndSettle(2_000);
    await further;
  });
});

suite("a reload that fails", () => {
  test("while a component is made or started leaves everything as it was", async () => {
    const { reload, runtime, stage } = await startStage();
    stage.hooks["exp:traces"] = { start: () => Promise.reject(new Error("no such host")) };
    const reason = 'cannot start exporter "exp" for traces: no such host';
    assert.deepEqual(await reload(yaml({ exp: "size: 2" })), {
      outcome: "rolled_back",
      component: 'exporter "exp" for traces',
      reason,
    });
    assert.deepEqual(stage.taken(), [
      ...["create exp:traces", "create proc@traces", "start exp:traces", "stop exp:traces"],
    ]);
    await stage.push("rec", createTestBatch());
    assert.equal(identityOf(runtime)?.delivered, 1);
    assert.ok(runtime.statuses().every(({ state }) => state === "ok"));
    assert.equal(stage.states.includes("fatal_error"), false);
  });

  test("after something was stopped makes that anew and starts it again", async () => {
    const before = yaml({ exp: "exclusive: true, size: 1" });
    const { reload, runtime, stage } = await startStage(before);
    await stage.push("rec", createTestBatch({ itemCount: 2 }));
    stage.taken();
    let starts = 0;
    stage.hooks["exp:traces"] = {
      start: () => (++starts === 1 ? Promise.reject(new Error("no")) : undefined),
    };
    const outcome = await reload(yaml({ exp: "exclusive: true, size: 2" }));
    assert.equal(outcome.outcome, "rolled_back");
    assert.equal(starts, 2);
    await stage.push("rec", createTestBatch({ itemCount: 5 }));
    assert.equal(identityOf(runtime)?.delivered, 7);
    assert.equal(identityOf(runtime)?.accepted, 7);
    delete stage.hooks["exp:traces"];
    assert.deepEqual(await reload(before), { outcome: "unchanged" });
    assert.equal((await reload(yaml({ exp: "size: 3" }))).outcome, "applied");
  });

  test("and whose way back fails too says so with a fatal status", async () => {
    const { reload, runtime, stage } = await startStage();
    stage.hooks["rec"] = { start: () => Promise.reject(new Error("port in use")) };
    const outcome = await reload(yaml({ rec: "size: 2" }));
    assert.equal(outcome.outcome, "failed");
    assert.deepEqual(stage.states.at(-1), "fatal_error");
    await runtime.shutdown(stage.clock.nowMs() + 1_000);
    assert.ok(stage.taken().includes("stop exp:traces"));
  });
});

suite("stopping", () => {
  test("during a reload stops both graphs with the flow, and the reload says so", async () => {
    const { reload, runtime, stage } = await startStage();
    stage.hooks["proc@traces"] = { start: () => new Promise(() => undefined) };
    const reloaded = reload(yaml({ exp: "size: 2" }));
    await settle();
    stage.taken();
    await runtime.shutdown(stage.clock.nowMs() + 1_000);
    assert.deepEqual(await reloaded, { outcome: "stopped" });
    assert.deepEqual(stage.taken(), [
      ...["notReady ext", "stop rec", "stop proc@traces", "stop proc@traces"],
      ...["stop exp:traces", "stop exp:traces", "stop ext"],
    ]);
    assert.deepEqual(await reload(yaml()), { outcome: "stopped" });
  });

  test("waits for what a reload replaced, before its exporters and extensions stop", async () => {
    const { reload, runtime, stage } = await startStage();
    let flushed: () => void = () => assert.fail("not stopping");
    stage.hooks["proc@traces"] = {
      shutdown: () => new Promise((resolve) => (flushed = resolve)),
    };
    await reload(yaml({ proc: "size: 2" }));
    await settle();
    delete stage.hooks["proc@traces"];
    stage.taken();
    const stopped = runtime.shutdown(stage.clock.nowMs() + 1_000);
    await settle();
    assert.deepEqual(stage.taken(), ["notReady ext", "stop rec", "stop proc@traces"]);
    flushed();
    await stopped;
    assert.deepEqual(stage.taken(), ["stop exp:traces", "stop ext"]);
  });
});

suite("counting", () => {
  // Scenario: each reload replaces the exporter and its pipeline; now and then an item is dropped.
  test("goes on over 1,000 reloads, on the page too, and keeps nothing of them", async () => {
    const { reloadAndSettle, runtime, stage } = await startStage();
    const end = { component_kind: "exporter", component_id: "exp", otel_signal: "traces" };
    let components = 0;
    for (let round = 1; round <= 1_000; round++) {
      await stage.push("rec", createTestBatch());
      if (round % 10 === 0) stage.settings.get("exp:traces")?.ledger.dropped(1, "rejected");
      const outcome = await reloadAndSettle(yaml({ exp: `size: ${round}` }));
      assert.equal(outcome.outcome, "applied");
      if (round === 10) components = runtime.accounting().components.length;
      stage.taken();
    }
    const account = runtime.accounting();
    assert.equal(account.components.length, components);
    const [identity] = account.identities;
    assert.deepEqual(
      [identity?.accepted, identity?.delivered, identity?.dropped, identity?.unaccounted],
      [1_000, 900, 100, 0],
    );
    assert.deepEqual(identity?.dropReasons, { rejected: 100 });
    assert.equal(stage.meter.value("inode_gateway_accepted_items", end), 1_000);
    const dropped = { ...end, reason: "rejected" };
    assert.equal(stage.meter.value("inode_gateway_dropped_items", dropped), 100);
    const processor = { processor: "proc", otel_signal: "traces" };
    assert.equal(stage.meter.value("otelcol_processor_incoming_items", processor), 1_000);
    const pipeline = { pipeline: "traces", outcome: "accepted" };
    assert.equal(stage.meter.value("inode_gateway_pipeline_items", pipeline), 1_000);
    assert.equal(stage.clock.pendingTimers, 0);
  });

  test("of items left on disk and found by the successor comes out even", async () => {
    const exclusive = (size: number) => yaml({ exp: `exclusive: true, size: ${size}` });
    const { reloadAndSettle, runtime, stage } = await startStage(exclusive(1));
    const ledger = () => stage.settings.get("exp:traces")?.ledger;
    const old = ledger();
    stage.hooks["exp:traces"] = {
      consume: (batch) => old?.held(batch.itemCount),
      shutdown: () => old?.persisted(4),
      start: () => ledger()?.recovered(4),
    };
    await stage.push("rec", createTestBatch({ itemCount: 4 }));
    await reloadAndSettle(exclusive(2));
    ledger()?.released(1);
    const identity = identityOf(runtime);
    assert.deepEqual([identity?.accepted, identity?.recovered, identity?.persisted], [4, 4, 4]);
    assert.deepEqual([identity?.delivered, identity?.held, identity?.unaccounted], [1, 3, 0]);
    const end = { component_kind: "exporter", component_id: "exp", otel_signal: "traces" };
    assert.equal(stage.meter.value("inode_gateway_recovered_items", end), 4);
    assert.equal(stage.meter.value("inode_gateway_persisted_items", end), 4);
  });

  test("what one destination has is remembered over a reload", async () => {
    const both = (size: number) => yaml({ proc: `size: ${size}`, exporters: "exp, exp/other" });
    const { reloadAndSettle, runtime, stage } = await startStage(both(1));
    const full = () => Promise.reject(new RetryableError("QUEUE_FULL", "full"));
    stage.hooks["exp/other:traces"] = { consume: full };
    await assert.rejects(stage.push("rec", createTestBatch()));
    delete stage.hooks["exp/other:traces"];
    await reloadAndSettle(both(2));
    stage.taken();
    await stage.push("rec", createTestBatch());
    assert.deepEqual(stage.taken(), ["proc@traces <- 1", "exp/other:traces <- 1"]);
    for (const id of ["exp", "exp/other"]) {
      const identity = identityOf(runtime, id);
      assert.deepEqual(
        [identity?.accepted, identity?.delivered, identity?.deliveredButRefused],
        [1, 1, 0],
        id,
      );
    }
  });

  test("knows pipelines behind a connector, also when they change", async () => {
    const text = (size: number) => `
receivers: {rec: }
processors: {proc: {size: ${size}}}
exporters: {exp: }
connectors: {conn: }
service:
  pipelines:
    traces/in: {receivers: [rec], exporters: [conn]}
    traces/out: {receivers: [conn], processors: [proc], exporters: [exp]}`;
    const { reloadAndSettle, runtime, stage } = await startStage(text(1));
    await stage.push("rec", createTestBatch({ itemCount: 2 }));
    assert.equal((await reloadAndSettle(text(2))).outcome, "applied");
    await stage.push("rec", createTestBatch({ itemCount: 3 }));
    for (const id of ["conn", "exp"]) {
      const identity = identityOf(runtime, id);
      assert.deepEqual([identity?.accepted, identity?.delivered], [5, 5], id);
      assert.equal(identity?.unaccounted, 0);
    }
  });
});
