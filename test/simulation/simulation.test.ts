import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { runSchedule } from "./run-schedule.js";

suite("a simulated world", () => {
  test("is the same for the same seed", async () => {
    for (const seed of [42, 84, 225]) {
      assert.deepEqual(await runSchedule(seed), await runSchedule(seed));
    }
  });

  test("has kills, reloads, routes and damage in it, over some seeds", async () => {
    const seen = new Set<string>();
    for (let seed = 1; seed <= 100; seed++) {
      const { plan } = await runSchedule(seed);
      seen.add(plan.gateway.layout);
      for (const id of Object.keys(plan.gateway.processors)) seen.add(id);
      for (const { reload } of plan.interventions) seen.add(reload ? "reload" : "kill");
      if (plan.damageProbability > 0) seen.add("damage");
      if (Number.isFinite(plan.killAfterMs)) seen.add("killed while it stops");
    }
    const wanted = ["single", "split", "forward", "routing", "reload", "kill", "damage"];
    const processors = ["memory_limiter", "filter", "probabilistic_sampler", "resource"];
    const all = [...wanted, ...processors, "batch", "inode_resolver", "killed while it stops"];
    for (const each of all) assert.ok(seen.has(each), `no ${each} in 100 worlds`);
  });
});
