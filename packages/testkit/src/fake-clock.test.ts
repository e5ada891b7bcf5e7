import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "./fake-clock.js";

test("stands still until it is moved, and both of its times move together", () => {
  const clock = new FakeClock();
  const [nowMs, unixMs] = [clock.nowMs(), clock.unixMs()];
  assert.equal(new Date(unixMs).toISOString(), "2026-01-01T00:00:00.000Z");
  clock.advance(1_500);
  assert.deepEqual([clock.nowMs() - nowMs, clock.unixMs() - unixMs], [1_500, 1_500]);
});

test("timers fire in the order they are due, at their own time, and not when cancelled", () => {
  const clock = new FakeClock();
  const startMs = clock.nowMs();
  const fired: [string, number][] = [];
  const note = (name: string) => () => fired.push([name, clock.nowMs() - startMs]);
  clock.setTimer(20, note("b"));
  clock.setTimer(10, () => {
    note("a")();
    clock.setTimer(5, note("a2"));
  });
  clock.setTimer(20, note("c"));
  clock.setTimer(15, note("cancelled")).cancel();
  clock.setTimer(21, note("later"));
  assert.equal(clock.nextTimerMs, 10);
  clock.advance(20);
  assert.deepEqual(fired, [
    ["a", 10],
    ["a2", 15],
    ["b", 20],
    ["c", 20],
  ]);
  assert.equal(clock.pendingTimers, 1);
});

test("promises go on between timers when asked to", async () => {
  const clock = new FakeClock();
  const steps: number[] = [];
  const sleep = (ms: number) => new Promise<void>((resolve) => void clock.setTimer(ms, resolve));
  const work = (async () => {
    for (let step = 0; step < 3; step++) {
      await sleep(10);
      steps.push(step);
    }
  })();
  await clock.advanceAndSettle(30);
  assert.deepEqual(steps, [0, 1, 2]);
  await work;
});

test("a timer that sets itself again without end is refused", () => {
  const clock = new FakeClock();
  const again = () => void clock.setTimer(0, again);
  again();
  assert.throws(() => clock.advance(1), /more than 100000 timers/);
  assert.throws(() => clock.setTimer(Number.NaN, () => undefined), TypeError);
});
