import assert from "node:assert/strict";
import { test } from "node:test";
import type {
  ContainerPublisher,
  Mapping,
  MappingChanges,
  NodeRecord,
  ReconcileResult,
} from "@inode-gateway/registry";
import { CapturingLogger, FakeClock, RecordingMeter } from "@inode-gateway/testkit";
import { keyText, PendingChanges } from "../discovery/pending-changes.js";
import { reporterConfig } from "../reporter-config.js";
import { Publication } from "./publication.js";

const node: NodeRecord = {
  bootId: "4530dc38-04ea-45a8-95e6-f9bdbdda2992",
  hostName: "worker-1",
  kernelRelease: "6.1",
  reporterVersion: "0.1.0",
  hierarchy: "v2",
  devices: [38],
};
const mappingOf = (inode: number): Mapping => ({
  inode,
  record: { containerId: `c${inode}`, attributes: {} },
});

/** Answers as told, and writes down what it was asked. */
class FakePublisher implements ContainerPublisher {
  readonly calls: string[] = [];
  isAway = false;
  /** Calls are answered only when this is called, while it is set to an array. */
  held: (() => void)[] | undefined;
  #reconnected: () => void = () => undefined;
  subscriptions = 0;

  async publish(_node: NodeRecord, { published, vanished }: MappingChanges): Promise<void> {
    const inodes = (list: readonly { readonly inode: number }[]) => list.map(({ inode }) => inode);
    await this.#answer(`publish +[${inodes(published)}] -[${inodes(vanished)}]`);
  }

  async reconcile(_node: NodeRecord, mappings: readonly Mapping[]): Promise<ReconcileResult> {
    await this.#answer(`reconcile [${mappings.map(({ inode }) => inode)}]`);
    return { published: mappings.length, vanished: 0, unchanged: 0 };
  }

  async heartbeat(): Promise<void> {
    await this.#answer("heartbeat");
  }

  onReconnected(listener: () => void): () => void {
    this.#reconnected = listener;
    this.subscriptions++;
    return () => this.subscriptions--;
  }

  reconnect(): void {
    this.isAway = false;
    this.#reconnected();
  }

  async #answer(call: string): Promise<void> {
    this.calls.push(this.isAway ? `${call} (away)` : call);
    if (this.isAway) throw new Error("connection refused");
    if (this.held) await new Promise<void>((resolve) => this.held?.push(resolve));
  }
}

class Fixture {
  readonly clock = new FakeClock();
  readonly meter = new RecordingMeter();
  readonly logger = new CapturingLogger();
  readonly publisher = new FakePublisher();
  readonly pending = new PendingChanges(() => undefined);
  readonly present = new Map<string, Mapping>();
  readonly publication: Publication;

  constructor(written: Record<string, unknown> = {}) {
    this.publication = new Publication({
      config: reporterConfig.parse(written),
      node,
      publisher: this.publisher,
      view: {
        mappings: () => [...this.present.values()],
        isPublished: (key) => this.present.has(key),
      },
      pending: this.pending,
      logger: this.logger,
      meter: this.meter,
      clock: this.clock,
    });
  }

  appear(...inodes: readonly number[]): void {
    for (const inode of inodes) {
      this.present.set(`${inode}`, mappingOf(inode));
      this.pending.publish({ mapping: mappingOf(inode), seenAtMs: this.clock.nowMs() });
      this.publication.changed();
    }
  }

  vanish(...inodes: readonly number[]): void {
    for (const inode of inodes) {
      this.present.delete(keyText({ inode }));
      this.pending.vanish({ inode });
      this.publication.changed();
    }
  }

  /** Starts and comes to rest. */
  async start(): Promise<void> {
    this.publication.start();
    await this.clock.advanceAndSettle(0);
    this.publisher.calls.length = 0;
  }

  /** What was asked since the last time this was read. */
  get calls(): string[] {
    return this.publisher.calls.splice(0);
  }
}

test("the whole view is compared first, and the changes before it are not told again", async () => {
  const reporter = new Fixture();
  reporter.appear(5, 6);
  assert.deepEqual(reporter.calls, [], "nothing is published before the start");
  reporter.publication.start();
  await reporter.clock.advanceAndSettle(0);
  assert.deepEqual(reporter.calls, ["reconcile [5,6]"]);
  assert.deepEqual(reporter.meter.recorded("inode_reporter_publish_latency_seconds"), []);
  assert.equal(reporter.publication.status.isReconciled, true);
});

test("changes within the delay are published together, and their latency is recorded", async () => {
  const reporter = new Fixture({ publish_delay: "5ms" });
  await reporter.start();
  reporter.appear(5);
  await reporter.clock.advanceAndSettle(4);
  reporter.appear(6);
  reporter.vanish(7);
  assert.deepEqual(reporter.calls, []);
  await reporter.clock.advanceAndSettle(1);
  assert.deepEqual(reporter.calls, ["publish +[5,6] -[7]"]);
  const latencies = reporter.meter.recorded("inode_reporter_publish_latency_seconds");
  assert.deepEqual(
    latencies.map((seconds) => Math.round(seconds * 1_000)),
    [5, 1],
  );
});

test("1,000 changes go in one call, one more goes in the next", async () => {
  const reporter = new Fixture();
  await reporter.start();
  reporter.appear(...Array.from({ length: 1_001 }, (_, index) => index + 3));
  await reporter.clock.advanceAndSettle(5);
  const calls = reporter.calls;
  assert.equal(calls.length, 2);
  assert.equal(calls[0]?.split(",").length, 1_000);
  assert.equal(calls[1], "publish +[1003] -[]");
});

test("one call is on its way at a time, so changes arrive in their order", async () => {
  const reporter = new Fixture();
  await reporter.start();
  reporter.publisher.held = [];
  reporter.appear(5);
  await reporter.clock.advanceAndSettle(5);
  reporter.vanish(5);
  reporter.appear(6);
  await reporter.clock.advanceAndSettle(100);
  assert.deepEqual(reporter.calls, ["publish +[5] -[]"]);
  const [answer] = reporter.publisher.held;
  reporter.publisher.held = undefined;
  answer?.();
  await reporter.clock.advanceAndSettle(0);
  assert.deepEqual(reporter.calls, ["publish +[6] -[5]"]);
});

test("while the registry is away changes are kept; afterwards the view is compared first", async () => {
  const reporter = new Fixture();
  await reporter.start();
  reporter.publisher.isAway = true;
  reporter.appear(5);
  await reporter.clock.advanceAndSettle(5);
  assert.deepEqual(reporter.calls, ["publish +[5] -[] (away)"]);
  assert.equal(reporter.publication.status.isAvailable, false);
  assert.equal(reporter.publication.status.lastError, "connection refused");
  // Scenario: 6 comes and goes during the outage, 7 stays.
  reporter.appear(6, 7);
  reporter.vanish(6);
  reporter.publisher.reconnect();
  await reporter.clock.advanceAndSettle(0);
  assert.deepEqual(reporter.calls, ["reconcile [5,7]", "publish +[6] -[]", "publish +[] -[6]"]);
  assert.equal(reporter.publication.status.isReconciled, true);
  assert.equal(reporter.pending.size, 0);
});

test("without word of a reconnection it tries again after 1 s, doubling to 30 s", async () => {
  const reporter = new Fixture({ heartbeat_interval: "1h", reconcile_interval: "1h" });
  reporter.publisher.isAway = true;
  reporter.publication.start();
  await reporter.clock.advanceAndSettle(0);
  const waits: number[] = [];
  for (let attempt = 0; attempt < 7; attempt++) {
    reporter.publisher.calls.length = 0;
    const startMs = reporter.clock.nowMs();
    while (reporter.publisher.calls.length === 0) await reporter.clock.advanceAndSettle(500);
    waits.push(reporter.clock.nowMs() - startMs);
  }
  assert.deepEqual(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  assert.deepEqual(reporter.logger.messages("warn"), [
    "the registry does not answer, so changes are kept until it does",
  ]);
  reporter.publisher.isAway = false;
  await reporter.clock.advanceAndSettle(30_000);
  assert.equal(reporter.publication.status.isReconciled, true);
});

test("a registry that was not connected yet at the very first call is no news", async () => {
  const reporter = new Fixture();
  reporter.publisher.isAway = true;
  reporter.publication.start();
  await reporter.clock.advanceAndSettle(0);
  reporter.publisher.reconnect();
  await reporter.clock.advanceAndSettle(0);
  assert.deepEqual(reporter.logger.messages("warn"), []);
  assert.deepEqual(reporter.calls, ["reconcile [] (away)", "reconcile []"]);
});

test("a call that takes longer than `publish_timeout` counts as failed and is not lost", async () => {
  const reporter = new Fixture({ publish_timeout: "2s" });
  await reporter.start();
  reporter.publisher.held = [];
  reporter.appear(5);
  await reporter.clock.advanceAndSettle(5 + 1_999);
  assert.equal(reporter.publication.status.isAvailable, true);
  await reporter.clock.advanceAndSettle(1);
  assert.equal(reporter.publication.status.lastError, "no answer within 2000 ms");
  assert.equal(
    reporter.meter.value("inode_reporter_registry_failures", { operation: "publish" }),
    1,
  );
  reporter.publisher.held = undefined;
  reporter.publisher.calls.length = 0;
  await reporter.clock.advanceAndSettle(1_000);
  assert.deepEqual(reporter.calls, ["reconcile [5]"]);
});

test("heartbeats go on, and one that succeeds after a failure leads to a comparison", async () => {
  const reporter = new Fixture({ heartbeat_interval: "30s" });
  await reporter.start();
  await reporter.clock.advanceAndSettle(30_000);
  assert.deepEqual(reporter.calls, ["heartbeat"]);
  reporter.publisher.isAway = true;
  await reporter.clock.advanceAndSettle(30_000);
  assert.deepEqual(reporter.calls, ["heartbeat (away)"]);
  assert.equal(reporter.publication.status.isReconciled, false);
  reporter.publisher.isAway = false;
  await reporter.clock.advanceAndSettle(30_000);
  assert.deepEqual(reporter.calls, ["heartbeat", "reconcile []"]);
});

test("the view is compared every `reconcile_interval`, for what the registry lost unnoticed", async () => {
  const reporter = new Fixture({ reconcile_interval: "10m", heartbeat_interval: "1h" });
  await reporter.start();
  reporter.appear(5);
  await reporter.clock.advanceAndSettle(599_999);
  assert.deepEqual(reporter.calls, ["publish +[5] -[]"]);
  await reporter.clock.advanceAndSettle(1);
  assert.deepEqual(reporter.calls, ["reconcile [5]"]);
});

test("a comparison asked for during another one is made after it", async () => {
  const reporter = new Fixture();
  await reporter.start();
  reporter.publisher.held = [];
  reporter.publication.reconcileSoon();
  await reporter.clock.advanceAndSettle(0);
  reporter.publication.reconcileSoon();
  await reporter.clock.advanceAndSettle(0);
  assert.deepEqual(reporter.calls, ["reconcile []"]);
  const [answer] = reporter.publisher.held;
  reporter.publisher.held = undefined;
  answer?.();
  await reporter.clock.advanceAndSettle(0);
  assert.deepEqual(reporter.calls, ["reconcile []"]);
});

test("stopping publishes what is pending, ends every timer and may be repeated", async () => {
  const reporter = new Fixture();
  await reporter.start();
  reporter.appear(5);
  await reporter.publication.stop(reporter.clock.nowMs() + 1_000);
  assert.deepEqual(reporter.calls, ["publish +[5] -[]"]);
  assert.equal(reporter.clock.pendingTimers, 0);
  assert.equal(reporter.publisher.subscriptions, 0);
  await reporter.publication.stop(reporter.clock.nowMs() + 1_000);
  assert.deepEqual(reporter.logger.messages("warn"), []);
});

test("stopping waits for the registry no longer than the deadline, and says what it left", async () => {
  const reporter = new Fixture();
  await reporter.start();
  reporter.publisher.held = [];
  reporter.appear(5);
  await reporter.clock.advanceAndSettle(5);
  reporter.appear(6);
  const stopped = reporter.publication.stop(reporter.clock.nowMs() + 1_000);
  await reporter.clock.advanceAndSettle(1_000);
  await stopped;
  assert.deepEqual(reporter.logger.messages("warn"), [
    "stopped with changes the registry does not have; the next start publishes them",
  ]);
});

test("stopping without a start does nothing", async () => {
  const reporter = new Fixture();
  await reporter.publication.stop(reporter.clock.nowMs());
  assert.deepEqual(reporter.calls, []);
});
