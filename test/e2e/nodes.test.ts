import assert from "node:assert/strict";
import { after, before, suite, type TestContext, test } from "node:test";
import { type RedisServer, startRedis, waitUntil } from "@inode-gateway/testkit";
import { Backend } from "./backend.js";
import { PretendedNode, reconciled } from "./pretended-node.js";
import { RunningGateway, resolvingParts } from "./running-gateway.js";
import { type Attributes, sendSpans } from "./spans.js";

suite("several nodes", () => {
  let redis: RedisServer;
  let backend: Backend;
  let sendCount = 0;

  before(async () => {
    redis = await startRedis();
    backend = new Backend();
    await backend.listen();
  });
  after(async () => {
    await backend.close();
    await redis.stop();
  });

  function startGateway(t: TestContext): Promise<RunningGateway> {
    return RunningGateway.start(t, resolvingParts(redis.endpoint, backend.address));
  }

  /** `container.id` of a Resource with these attributes as it arrives. */
  async function resolved(gateway: RunningGateway, attributes: Attributes) {
    const sender = `node-sender-${sendCount++}`;
    assert.equal((await sendSpans(gateway.http, sender, attributes)).status, 200);
    await waitUntil(() => backend.itemsFrom(sender, "traces").length > 0);
    return backend.itemsFrom(sender, "traces")[0]?.resource["container.id"];
  }

  // Scenario: one tree for both nodes, one after the other; the directory is renamed in between and so
  // keeps its inode, as freshly booted nodes hand out the same numbers.
  test("the same inode under different boot IDs is two containers", async (t) => {
    const first = new PretendedNode(t);
    const one = first.addContainer();
    const early = first.startReporter(t, redis.endpoint);
    await reconciled(early);
    assert.equal(await early.stop(), 0);
    const other = first.replaceContainer(one.id);
    const second = new PretendedNode(t, first.cgroupRoot);
    await reconciled(second.startReporter(t, redis.endpoint));
    assert.equal(one.inode, other.inode);
    assert.notEqual(one.id, other.id);

    const gateway = await startGateway(t);
    const inode = { "container.cgroup.inode": one.inode };
    assert.equal(await resolved(gateway, { ...inode, "host.boot.id": first.bootId }), one.id);
    assert.equal(await resolved(gateway, { ...inode, "host.boot.id": second.bootId }), other.id);
    assert.equal(await resolved(gateway, inode), undefined, "an inode alone names nothing");
  });

  // Scenario: two nodes with names of their own and, by mistake, one common host name.
  test("a node's name finds it by step 2; a host name that two nodes have is never guessed", async (t) => {
    const host = { "reporter.host_name": "twin" };
    const first = new PretendedNode(t);
    const second = new PretendedNode(t);
    const container = first.addContainer();
    second.addContainer();
    const names = [
      { ...host, "reporter.node_name": "worker-1" },
      { ...host, "reporter.node_name": "worker-2" },
    ];
    for (const [index, node] of [first, second].entries()) {
      await reconciled(node.startReporter(t, redis.endpoint, names[index]));
    }
    const gateway = await startGateway(t);
    const inode = { "container.cgroup.inode": container.inode };

    assert.equal(await resolved(gateway, { ...inode, "k8s.node.name": "worker-1" }), container.id);
    const step = { step: "node_name" };
    assert.equal(await gateway.metric("inode_gateway_resolver_resolved_items", step), 1);
    assert.equal(await resolved(gateway, { ...inode, "k8s.node.name": "worker-3" }), undefined);

    assert.equal(await resolved(gateway, { ...inode, "host.name": "twin" }), undefined);
    const ambiguous = { reason: "ambiguous" };
    assert.equal(await gateway.metric("inode_gateway_resolver_unresolved_items", ambiguous), 1);
    // A boot ID that no reporter knows, as LXC makes one up, leaves the name to decide.
    const foreign = { "host.boot.id": "ffffffff-ffff-4fff-8fff-ffffffffffff" };
    const both = { ...inode, ...foreign, "k8s.node.name": "worker-1" };
    assert.equal(await resolved(gateway, both), container.id);
  });

  // Scenario: a v1 node mounts two controllers; a container has a directory, and an inode, in each.
  test("on a v1 node every hierarchy's inode resolves, with its device and without", async (t) => {
    const node = new PretendedNode(t);
    const memory = node.addContainer(undefined, "memory");
    const cpu = node.addContainer(memory.id, "cpu");
    const other = node.addContainer(undefined, "cpu");
    await reconciled(node.startReporter(t, redis.endpoint, { "reporter.hierarchy": "v1" }));
    const gateway = await startGateway(t);
    for (const { id, inode, device } of [memory, cpu, other]) {
      const attributes = { "container.cgroup.inode": inode, "host.boot.id": node.bootId };
      const withDevice = { ...attributes, "container.cgroup.device": device };
      assert.equal(await resolved(gateway, withDevice), id);
      assert.equal(await resolved(gateway, attributes), id, "one hierarchy only has that inode");
      const wrongDevice = { ...attributes, "container.cgroup.device": device + 1 };
      assert.equal(await resolved(gateway, wrongDevice), undefined);
    }
  });

  // Scenario: two reporters claim one boot ID under different names, as on clones of a VM snapshot.
  test("two reporters that claim one boot ID make its node ambiguous, and one of them says so", async (t) => {
    const first = new PretendedNode(t);
    const container = first.addContainer();
    const name = (host: string) => ({ "reporter.host_name": host });
    await reconciled(first.startReporter(t, redis.endpoint, name("original")));
    const clone = first.startReporter(t, redis.endpoint, name("clone"));
    const claim = "two reporters claim one boot ID, so its node is ambiguous";
    await clone.logged(({ msg }) => msg === claim, "the claim");
    const gateway = await startGateway(t);
    const attributes = {
      "container.cgroup.inode": container.inode,
      "host.boot.id": first.bootId,
    };
    assert.equal(await resolved(gateway, attributes), undefined);
    const reason = { reason: "ambiguous" };
    assert.equal(await gateway.metric("inode_gateway_resolver_unresolved_items", reason), 1);
  });
});
