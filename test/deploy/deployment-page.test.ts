import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { createRedisRegistry } from "@inode-gateway/registry";
import { createTestMapping, createTestNode, startRedis, waitUntil } from "@inode-gateway/testkit";
import { Redis } from "ioredis";
import { codeBlocks } from "../docs/code-blocks.js";
import { readText } from "../docs/repository.js";

const page = readText("docs/deployment.md");

/** The rules of a Redis user that the page gives. */
function rulesOf(user: string): string[] {
  const lines = codeBlocks(page).flatMap(({ text }) => text.split("\n"));
  const line = lines.find((each) => each.startsWith(`user ${user} `));
  assert.ok(line !== undefined, `the page has a user ${user}`);
  return line.split(" ").slice(2);
}

suite("docs/deployment.md", () => {
  test("names only metrics that exist", () => {
    const existing = readText("docs/metrics.md");
    const named = page.match(/\b(?:otelcol|inode_gateway|inode_reporter)_[a-z_]+/g) ?? [];
    const metrics = named.filter((name) => !/^inode_reporter_?$/.test(name));
    assert.ok(metrics.length > 10);
    for (const name of metrics) assert.ok(existing.includes(`\`${name}\``), name);
  });

  // Scenario: a real Redis with the page's two users; its own log of denials is the judge.
  test("its users of Redis may do all they need, and the gateway's may not write", async () => {
    await using server = await startRedis();
    const admin = new Redis(server.port);
    const registryAs = (user: string) => {
      const endpoint = `redis://${user}@127.0.0.1:${server.port}`;
      return createRedisRegistry({ endpoint, password: "PASSWORD" });
    };
    const users = ["inode-reporter", "inode-gateway"] as const;
    const [reporter, gateway] = [registryAs(users[0]), registryAs(users[1])];
    try {
      for (const user of users) await admin.call("ACL", "SETUSER", user, ...rulesOf(user));
      await admin.call("ACL", "LOG", "RESET");
      await Promise.all([reporter.start(), gateway.start()]);
      let heardCount = 0;
      gateway.onPublished(() => heardCount++);
      await waitUntil(() => reporter.availability.isAvailable && gateway.availability.isAvailable, {
        limitMs: 5_000,
        description: "both users are let in",
      });
      const subscribed = async () =>
        (await admin.pubsub("NUMSUB", "inode-gateway:publications"))[1];
      await waitUntil(async () => Number(await subscribed()) > 0, {
        limitMs: 5_000,
        description: "the gateway's subscription",
      });

      const node = createTestNode();
      const mapping = createTestMapping(4711, 1);
      await reporter.reconcile(node, [mapping, createTestMapping(4712, 2)]);
      await reporter.publish(node, { published: [mapping], vanished: [{ inode: 4712 }] });
      await reporter.heartbeat(node);
      const [answer] = await gateway.lookup([{ bootId: node.bootId, inode: 4711 }]);
      assert.equal(answer?.outcome, "found");
      const { nodeName } = node;
      assert.ok(nodeName !== undefined);
      assert.equal((await gateway.nodesByName({ nodeName })).length, 1);
      assert.equal((await gateway.nodes()).length, 1);
      const listed: number[] = [];
      for await (const { inode } of gateway.mappings(node.bootId)) listed.push(inode);
      assert.ok(listed.includes(4711));
      await waitUntil(() => heardCount > 0, { limitMs: 5_000, description: "a publication" });
      assert.deepEqual(await admin.call("ACL", "LOG"), [], "nothing was denied");

      const written = createTestMapping(4713, 3);
      await assert.rejects(gateway.publish(node, { published: [written], vanished: [] }));
      const [unknown] = await reporter.lookup([{ bootId: node.bootId, inode: 4713 }]);
      assert.equal(unknown?.outcome, "unknown_inode");
    } finally {
      await Promise.all([reporter.stop(), gateway.stop()]);
      admin.disconnect();
    }
  });
});
