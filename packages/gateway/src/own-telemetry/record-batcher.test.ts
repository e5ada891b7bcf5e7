import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { CapturingLogger, FakeClock, RecordingMeter, settle } from "@inode-gateway/testkit";
import { telemetryConfig } from "../telemetry-config.js";
import { Destination } from "./destination.js";
import { RecordBatcher } from "./record-batcher.js";

/** A destination whose requests end when the test says so. */
class HeldDestination extends Destination {
  readonly requests: { readonly items: readonly number[]; readonly end: () => void }[] = [];

  override send(request: object): Promise<void> {
    const { items } = request as { readonly items: readonly number[] };
    return new Promise((end) => this.requests.push({ items, end }));
  }
}

function createBatcher(limits: Record<string, number>) {
  const clock = new FakeClock();
  const meter = new RecordingMeter();
  const otlp = { protocol: "grpc", endpoint: "127.0.0.1:1", insecure: true };
  const written = { logs: { processors: [{ batch: { ...limits, exporter: { otlp } } }] } };
  const batch = telemetryConfig.parse(written).logs.processors[0]?.batch;
  assert.ok(batch !== undefined);
  const build = { command: "test", version: "0" };
  const services = { logger: new CapturingLogger(), meter, clock, random: () => 0.5, build };
  const destination = new HeldDestination("logs", batch.exporter.otlp, {
    services,
    timeoutMs: batch.export_timeout,
  });
  const batcher = new RecordBatcher<number>(destination, batch, {
    clock,
    requestOf: (items) => ({ items }),
  });
  const dropped = () =>
    meter.sum("inode_gateway_own_telemetry_dropped", { signal: "logs", reason: "queue_full" });
  return { batcher, clock, destination, dropped };
}

/** The items of every request so far. */
const itemsOf = ({ requests }: HeldDestination) => requests.map(({ items }) => items);

suite("records of own telemetry", () => {
  test("go when a batch is full, and what is left at the end of the delay", async () => {
    const { batcher, clock, destination } = createBatcher({
      max_export_batch_size: 2,
      schedule_delay: 100,
    });
    for (const item of [1, 2, 3]) batcher.add(item);
    assert.deepEqual(itemsOf(destination), [[1, 2]]);
    destination.requests[0]?.end();
    await settle();
    assert.deepEqual(itemsOf(destination), [[1, 2]], "one is no batch yet");
    await clock.advance(100);
    assert.deepEqual(itemsOf(destination), [[1, 2], [3]]);
  });

  test("wait while a request is under way: the last that is taken and the first that is dropped", () => {
    const { batcher, destination, dropped } = createBatcher({
      max_export_batch_size: 1,
      max_queue_size: 3,
    });
    for (const item of [1, 2, 3, 4]) batcher.add(item);
    assert.equal(dropped(), 0);
    batcher.add(5);
    assert.equal(dropped(), 1);
    assert.deepEqual(itemsOf(destination), [[1]], "one request at a time");
  });

  test("are all sent at the stop, and none is taken afterwards", async () => {
    const { batcher, clock, destination, dropped } = createBatcher({ max_export_batch_size: 2 });
    for (const item of [1, 2, 3]) batcher.add(item);
    const stopped = batcher.shutdown(clock.nowMs() + 1_000);
    destination.requests[0]?.end();
    await settle();
    assert.deepEqual(itemsOf(destination), [[1, 2], [3]]);
    destination.requests[1]?.end();
    await stopped;
    batcher.add(4);
    assert.equal(dropped(), 1);
  });

  // Scenario: the destination never answers.
  test("do not hold the stop longer than it may take", async () => {
    const { batcher, clock, destination } = createBatcher({ max_export_batch_size: 1 });
    batcher.add(1);
    let isStopped = false;
    const stopped = batcher.shutdown(clock.nowMs() + 500).then(() => {
      isStopped = true;
    });
    await clock.advance(499);
    assert.equal(isStopped, false);
    await clock.advance(1);
    await stopped;
    assert.equal(destination.requests.length, 1);
  });
});
