import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { startRedis, waitUntil } from "@inode-gateway/testkit";
import { Backend } from "./backend.js";
import { PretendedNode, reconciled } from "./pretended-node.js";
import { metricSum, RunningGateway, resolvingParts } from "./running-gateway.js";
import { sendSpans } from "./spans.js";

suite("the reporter's own life", () => {
  test("started before Redis it says so once, keeps what changes and publishes it all later", async (t) => {
    const redis = await startRedis();
    t.after(() => redis.stop());
    await redis.kill();
    const node = new PretendedNode(t);
    const early = node.addContainer();
    const reporter = node.startReporter(t, redis.endpoint);
    const away = "the registry does not answer, so changes are kept until it does";
    await reporter.logged(({ msg }) => msg === away, "that Redis is away");
    node.addContainer();
    node.removeContainer(early.id);
    const { metrics } = await reporter.logged(
      ({ msg }) => msg === "inode-reporter is running",
      "running",
    );
    const metric = async (name: string) =>
      metricSum(await (await fetch(`http://${String(metrics)}/metrics`)).text(), name);
    await waitUntil(async () => (await metric("inode_reporter_containers")) === 1);
    assert.equal(await metric("inode_reporter_registry_available"), 0);

    await redis.restart();
    // What came and went while Redis was away is published too, for telemetry that is late.
    const { published, unchanged } = await reconciled(reporter);
    assert.ok(published >= 1, `${published} published`);
    assert.equal(unchanged, 0);
    assert.equal(await metric("inode_reporter_registry_available"), 1);
    assert.equal(reporter.log().filter(({ msg }) => msg === away).length, 1);
    assert.equal(await reporter.stop(), 0, reporter.stderr);
  });

  // Scenario: kill -9; while no reporter runs one container goes and one comes.
  test("killed and started again it writes the differences only", async (t) => {
    const redis = await startRedis();
    t.after(() => redis.stop());
    const node = new PretendedNode(t);
    const containers = Array.from({ length: 50 }, () => node.addContainer());
    const first = node.startReporter(t, redis.endpoint);
    assert.deepEqual(await reconciled(first), { published: 50, vanished: 0, unchanged: 0 });
    await first.end();

    const second = node.startReporter(t, redis.endpoint);
    assert.deepEqual(await reconciled(second), { published: 0, vanished: 0, unchanged: 50 });
    await second.end();

    // In this order: a plain file system gives the inode of what was removed to what is made next.
    node.addContainer();
    node.removeContainer(containers[0]?.id ?? "");
    const third = node.startReporter(t, redis.endpoint);
    assert.deepEqual(await reconciled(third), { published: 1, vanished: 1, unchanged: 49 });
    assert.equal(await third.stop(), 0, third.stderr);
  });

  test("two gateways share one Redis: what is published once resolves at both", async (t) => {
    const redis = await startRedis();
    t.after(() => redis.stop());
    const backend = await Backend.start(t);
    const node = new PretendedNode(t);
    node.addContainer();
    await reconciled(node.startReporter(t, redis.endpoint));
    const resolver = { hold: { timeout: "5s" } };
    const parts = resolvingParts(redis.endpoint, backend.address, resolver);
    const gateways = await Promise.all([
      RunningGateway.start(t, parts),
      RunningGateway.start(t, parts),
    ]);
    for (let round = 0; round < 3; round++) {
      const { id, inode } = node.addContainer();
      const attributes = { "host.boot.id": node.bootId, "container.cgroup.inode": inode };
      await Promise.all(
        gateways.map(({ http }, index) => sendSpans(http, `${round}-${index}`, attributes)),
      );
      for (const index of gateways.keys()) {
        const sender = `${round}-${index}`;
        await waitUntil(() => backend.itemsFrom(sender, "traces").length === 1);
        assert.equal(backend.itemsFrom(sender, "traces")[0]?.resource["container.id"], id);
      }
    }
    for (const gateway of gateways) assert.equal(await gateway.process.stop(), 0);
  });
});
