import assert from "node:assert/strict";
import { test } from "node:test";
import type { MetricDefinition } from "@inode-gateway/contract";
import { RecordingLedger } from "./recording-ledger.js";
import { RecordingMeter } from "./recording-meter.js";
import { createTestSettings } from "./test-settings.js";

const sent: MetricDefinition = { name: "sent", help: "x", kind: "counter", labels: ["to"] };
const size: MetricDefinition = { name: "size", help: "x", kind: "gauge", labels: [] };
const took: MetricDefinition = { name: "took", help: "x", kind: "histogram", labels: [] };

test("metrics can be read by name and labels, alone and summed", () => {
  const meter = new RecordingMeter();
  meter.counter(sent, { to: "a" }).add(2);
  meter.counter(sent, { to: "a" }).add(3);
  meter.counter(sent, { to: "b" }).add(1);
  meter.gauge(size).set(7);
  meter.histogram(took).record(0.5);
  const end = meter.observe(sent, { to: "b" }, () => 10);
  assert.deepEqual([meter.value("sent", { to: "a" }), meter.value("sent", { to: "b" })], [5, 11]);
  assert.deepEqual(
    [meter.sum("sent"), meter.value("size"), meter.recorded("took")],
    [16, 7, [0.5]],
  );
  end();
  assert.equal(meter.value("sent", { to: "b" }), 1);
  assert.equal(meter.value("gone"), undefined);
});

test("the meter refuses what would be wrong on a real page", () => {
  const meter = new RecordingMeter();
  assert.throws(() => meter.counter(sent), /has the labels \[to\], not \[\]/);
  assert.throws(() => meter.gauge(sent, { to: "a" }), /sent is no gauge/);
  assert.throws(() => meter.counter(sent, { to: "a" }).add(-1), RangeError);
  meter.gauge(size);
  assert.throws(() => meter.gauge({ ...size, help: "y" }), /size has two definitions/);
});

test("the ledger refuses what no honest component reports", () => {
  const ledger = new RecordingLedger();
  ledger.held(5);
  ledger.released(5);
  ledger.dropped(2, "shutdown");
  assert.deepEqual(
    [ledger.heldItems, ledger.droppedItems(), ledger.dropReasons],
    [0, 2, { shutdown: 2 }],
  );
  assert.throws(() => ledger.released(1), /more items than were held/);
  assert.throws(() => ledger.held(-1), RangeError);
  assert.throws(() => ledger.dropped(1, "Not snake"), TypeError);
});

test("settings keep what is reported and what fails in the background", async () => {
  const settings = createTestSettings({ kind: "processor" });
  settings.reportState("recoverable_error", "away");
  settings.runInBackground("sweep", Promise.reject(new Error("x")));
  settings.runInBackground("fine", Promise.resolve());
  await settings.backgroundSettled();
  assert.deepEqual(settings.states, [{ state: "recoverable_error", reason: "away" }]);
  assert.deepEqual(
    settings.backgroundFailures.map(({ name }) => name),
    ["sweep"],
  );
});
