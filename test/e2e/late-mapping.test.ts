import assert from "node:assert/strict";
import { suite, type TestContext, test } from "node:test";
import { startRedis, waitUntil } from "@inode-gateway/testkit";
import { Backend } from "./backend.js";
import { PretendedNode, reconciled } from "./pretended-node.js";
import { RunningGateway, resolvingParts } from "./running-gateway.js";
import { sendSpans } from "./spans.js";

const holdMs = 4_000;

async function startAll(t: TestContext, publishDelay: string) {
  const redis = await startRedis();
  t.after(() => redis.stop());
  const backend = await Backend.start(t);
  const node = new PretendedNode(t);
  node.addContainer();
  const settings = { "reporter.publish_delay": publishDelay };
  await reconciled(node.startReporter(t, redis.endpoint, settings));
  const resolver = { hold: { timeout: `${holdMs}ms` } };
  const parts = resolvingParts(redis.endpoint, backend.address, resolver);
  const gateway = await RunningGateway.start(t, parts);
  const arrived = async (sender: string) => {
    await waitUntil(() => backend.itemsFrom(sender, "traces").length > 0);
    return backend.itemsFrom(sender, "traces")[0]?.resource ?? {};
  };
  return { node, gateway, arrived };
}

suite("a container that is newer than its mapping", () => {
  // Scenario: the reporter waits a second before it publishes, the sender does not.
  test("its first span is held until the reporter has published, and enriched", async (t) => {
    const { node, gateway, arrived } = await startAll(t, "1s");
    const { id, inode } = node.addContainer();
    const attributes = { "host.boot.id": node.bootId, "container.cgroup.inode": inode };
    const { status, tookMs } = await sendSpans(gateway.http, "first", attributes);
    t.diagnostic(`held for ${Math.round(tookMs)} ms`);
    assert.equal(status, 200);
    assert.ok(tookMs < holdMs, `woken by the publication, not by the time: ${tookMs} ms`);
    assert.equal((await arrived("first"))["container.id"], id);
    assert.equal(await gateway.metric("inode_gateway_resolver_holds_started"), 1);
    const woken = { result: "woken" };
    assert.equal(await gateway.metric("inode_gateway_resolver_holds_ended", woken), 1);
    assert.equal(await gateway.metric("inode_gateway_resolver_hold_batches"), 0);
  });

  test("spans of twenty new containers at once are all enriched", async (t) => {
    const { node, gateway, arrived } = await startAll(t, "5ms");
    const containers = Array.from({ length: 20 }, () => node.addContainer());
    await Promise.all(
      containers.map(({ id, inode }) =>
        sendSpans(gateway.http, id, {
          "host.boot.id": node.bootId,
          "container.cgroup.inode": inode,
        }),
      ),
    );
    for (const { id } of containers) assert.equal((await arrived(id))["container.id"], id);
  });

  test("nobody waits for a node without a reporter, nor twice for an inode that never comes", async (t) => {
    const { node, gateway, arrived } = await startAll(t, "5ms");
    const foreign = { "host.boot.id": "ffffffff-ffff-4fff-8fff-ffffffffffff" };
    const unknown = await sendSpans(gateway.http, "foreign", {
      ...foreign,
      "container.cgroup.inode": 5_000_000,
    });
    assert.equal(unknown.status, 200);
    assert.ok(unknown.tookMs < holdMs / 2, `${unknown.tookMs} ms`);
    assert.equal((await arrived("foreign"))["container.id"], undefined);
    assert.equal(await gateway.metric("inode_gateway_resolver_holds_started"), 0);

    const never = { "host.boot.id": node.bootId, "container.cgroup.inode": 9_000_000_000 };
    const first = await sendSpans(gateway.http, "never", never);
    assert.ok(first.tookMs >= holdMs - 100, `held for the whole time: ${first.tookMs} ms`);
    const second = await sendSpans(gateway.http, "never", never);
    assert.ok(second.tookMs < holdMs / 2, `${second.tookMs} ms`);
    assert.equal(await gateway.metric("inode_gateway_resolver_holds_started"), 1);
    const reason = { reason: "unknown_inode" };
    assert.equal(await gateway.metric("inode_gateway_resolver_unresolved_items", reason), 2);
  });
});
