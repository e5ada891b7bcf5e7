import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { PING_STRIKES_MAX, PingPolicy } from "./ping-policy.js";

suite("PingPolicy", () => {
  test("takes pings at the shortest time for ever, and few that are one millisecond early", () => {
    const policy = new PingPolicy({ minTimeMs: 1_000, permitWithoutStream: true });
    let nowMs = 0;
    for (let count = 0; count < 100; count++) {
      assert.equal(policy.isTooOften(nowMs, false), false);
      nowMs += 1_000;
    }
    nowMs -= 1;
    for (let strikes = 1; strikes <= PING_STRIKES_MAX; strikes++) {
      assert.equal(policy.isTooOften(nowMs, false), false, `strike ${strikes}`);
      nowMs += 999;
    }
    assert.equal(policy.isTooOften(nowMs, false), true);
  });

  test("wants two hours between the pings of a client without calls", () => {
    const policy = new PingPolicy({ minTimeMs: 0, permitWithoutStream: false });
    const answers = [0, 1, 2, 3].map((nowMs) => policy.isTooOften(nowMs, false));
    assert.deepEqual(answers, [false, false, false, true]);
    assert.equal(policy.isTooOften(7_200_003, true), true, "strikes stay");
  });

  test("forgives with every answer", () => {
    const policy = new PingPolicy({ minTimeMs: 60_000, permitWithoutStream: false });
    for (let count = 0; count < 100; count++) {
      assert.equal(policy.isTooOften(count, true), false);
      policy.answered();
    }
  });
});
