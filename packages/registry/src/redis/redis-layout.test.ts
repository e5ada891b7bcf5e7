import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  createTestMapping,
  createTestNode,
  type RedisServer,
  shortAnswers,
  startRedis,
  testBootId,
  waitUntil,
} from "@inode-gateway/testkit";
import { Redis } from "ioredis";
import type { ContainerRegistry, Mapping } from "../container-registry.js";
import { registryLimits } from "../limits.js";
import type { RedisRegistryOptions } from "../registry-options.js";
import { RegistryKeys } from "./keys.js";
import { createRedisRegistry } from "./redis-registry.js";

const node = createTestNode();
const { bootId } = node;
let server: RedisServer;
let admin: Redis;
let registry: ContainerRegistry;

async function open(options: Partial<RedisRegistryOptions> = {}): Promise<ContainerRegistry> {
  const opened = createRedisRegistry({ endpoint: server.endpoint, ...options });
  await opened.start();
  await waitUntil(() => opened.availability.isAvailable, { description: "a connection" });
  return opened;
}

before(async () => {
  server = await startRedis();
  admin = new Redis(server.port, "127.0.0.1", { protocol: 2 });
  registry = await open();
});

after(async () => {
  await registry.stop();
  admin.disconnect();
  await server.stop();
});

/** Mappings whose inodes grow by `step`, as the kernel's do. */
function mappings(count: number, step = 41): Mapping[] {
  return Array.from({ length: count }, (_, i) => createTestMapping(1020 + step * i, i));
}

async function buckets(prefix: string): Promise<{ key: string; size: number; encoding: string }[]> {
  const found = await admin.keys(
    `${new RegistryKeys(prefix).ofNode(bootId).buckets.replaceAll("{", "\\{")}:*`,
  );
  return Promise.all(
    found.map(async (key) => ({
      key,
      size: await admin.hlen(key),
      encoding: String(await admin.object("ENCODING", key)),
    })),
  );
}

test("128 directories fill one listpack; the next one splits it and all stay listpacks", async () => {
  const writer = await open({ keyPrefix: "grow" });
  const all = mappings(5_000);
  await writer.publish(node, { published: all.slice(0, 128), vanished: [] });
  assert.deepEqual(
    (await buckets("grow")).map(({ size, encoding }) => [size, encoding]),
    [[128, "listpack"]],
  );
  await writer.publish(node, { published: all.slice(128, 129), vanished: [] });
  assert.equal((await buckets("grow")).length, 2);
  await writer.publish(node, { published: all.slice(129), vanished: [] });
  const grown = await buckets("grow");
  assert.equal(
    grown.reduce((sum, { size }) => sum + size, 0),
    5_000,
  );
  for (const { key, size, encoding } of grown) {
    assert.equal(encoding, "listpack", key);
    assert.ok(size <= 128, `${key} has ${size}`);
  }
  assert.ok(grown.length <= 64, `${grown.length} buckets for 5,000 directories`);
  await writer.stop();
});

test("spreads evenly whatever the step between inodes is", async () => {
  for (const step of [1, 2, 19, 32, 33, 41, 64, 1_024]) {
    const writer = await open({ keyPrefix: `step-${step}` });
    await writer.reconcile(node, mappings(2_000, step));
    const found = await buckets(`step-${step}`);
    assert.ok(found.length <= 32, `step ${step}: ${found.length} buckets for 2,000 directories`);
    await writer.stop();
  }
});

test("every key of a node has its boot ID as hash tag and ends with the node", async () => {
  const writer = await open({ keyPrefix: "ttl", nodeRetentionMs: 600_000 });
  const published = mappings(300);
  await writer.publish(node, { published, vanished: [] });
  await writer.publish(node, { published: [], vanished: [{ inode: 1020 }] });
  const keys = await admin.keys("ttl:*");
  const ofNode = keys.filter((key) => key.includes(`:{${bootId}}:`));
  const indexes = keys.filter((key) => !ofNode.includes(key)).sort();
  assert.equal(ofNode.length, 3 + 4, "node, containers, vanished and four buckets");
  assert.deepEqual(indexes, [
    "ttl:nodes",
    "ttl:nodes_by_host_id:0f343b0931126a20f133d67c2b018a3b",
    "ttl:nodes_by_host_name:node-1.example",
    "ttl:nodes_by_node_name:node-1",
  ]);
  for (const key of keys) {
    const leftMs = await admin.pttl(key);
    assert.ok(leftMs > 590_000 && leftMs <= 600_000, `${key}: ${leftMs} ms`);
  }
  await admin.pexpire(`ttl:{${bootId}}:inodes:0`, 1_000);
  await writer.heartbeat(node);
  assert.ok((await admin.pttl(`ttl:{${bootId}}:inodes:0`)) > 590_000);
  await writer.stop();
});

// Scenario: a node grows from 64 to 6,400 directories while a gateway without a cache asks for those
// that were there before; then it is read bucket by bucket while it grows on.
test("a node that grows never answers a miss for what it had", async () => {
  const writer = await open({ keyPrefix: "race" });
  const gateway = await open({ keyPrefix: "race", cacheMaxEntries: 1, negativeCacheMs: 0 });
  const all = mappings(9_600);
  await writer.publish(node, { published: all.slice(0, 64), vanished: [] });
  let publishedCount = 64;
  const write = async (until: number) => {
    while (publishedCount < until) {
      const next = Math.min(publishedCount + 64, until);
      await writer.publish(node, { published: all.slice(publishedCount, next), vanished: [] });
      publishedCount = next;
    }
  };
  const writing = write(6_400);
  let asked = 0;
  while (publishedCount < 6_400) {
    const known = publishedCount;
    const some = Array.from({ length: 50 }, (_, i) => all[(i * 977 + asked) % known] ?? all[0]);
    const keys = some.map((mapping) => ({ bootId, inode: mapping?.inode ?? 0 }));
    const answers = shortAnswers(await gateway.lookup(keys));
    assert.deepEqual(
      answers,
      some.map((mapping) => mapping?.record.containerId),
    );
    asked += 50;
  }
  await writing;
  assert.ok(asked >= 1_000, `${asked} questions while it grew`);

  const growing = write(9_600);
  const seen = new Set<number>();
  for await (const { inode } of gateway.mappings(bootId)) seen.add(inode);
  await growing;
  assert.equal(all.slice(0, 6_400).filter(({ inode }) => !seen.has(inode)).length, 0);
  await writer.stop();
  await gateway.stop();
});

test("stores as many mappings as a node may have and refuses one more", async () => {
  const writer = await open({ keyPrefix: "full", commandTimeoutMs: 10_000 });
  const all = mappings(registryLimits.mappingsPerNode + 1);
  await writer.publish(node, { published: all.slice(0, -1), vanished: [] });
  await assert.rejects(writer.publish(node, { published: all.slice(-2), vanished: [] }), {
    name: "RangeError",
    message: `node ${bootId} has 32768 mappings, the limit; 1 more were not stored`,
  });
  assert.equal((await writer.nodes())[0]?.mappingCount, 32_768);
  const sizes = (await buckets("full")).map(({ size }) => size);
  assert.ok(Math.max(...sizes) <= 128, `largest bucket: ${Math.max(...sizes)}`);
  await writer.stop();
});

test("a crash between index and node leaves an index that leads nowhere, and that is harmless", async () => {
  const keys = new RegistryKeys("crash");
  const gateway = await open({ keyPrefix: "crash" });
  for (const index of [keys.nodes, keys.nodesNamed("host_name", "gone")]) {
    await admin.zadd(index, Date.now(), testBootId(1), Date.now(), "no {boot} ID");
  }
  assert.deepEqual(await gateway.nodesByName({ hostName: "gone" }), []);
  assert.deepEqual(await gateway.nodes(), []);
  await gateway.stop();
});

test("takes old entries out of an index", async () => {
  const { nodes } = new RegistryKeys("old");
  await admin.zadd(
    nodes,
    Date.now() - 86_400_001,
    testBootId(1),
    Date.now() - 86_000_000,
    testBootId(2),
  );
  const writer = await open({ keyPrefix: "old" });
  await writer.heartbeat(node);
  assert.deepEqual(await admin.zrange(nodes, "0", "-1"), [testBootId(2), bootId]);
  await writer.stop();
});

test("server time stamps heartbeats, not the reporter's clock", async () => {
  const clock = { unixMs: () => 5, setTimer: () => ({ cancel: () => {} }) };
  const writer = createRedisRegistry({ endpoint: server.endpoint, keyPrefix: "skew", clock });
  await writer.start();
  await waitUntil(() => writer.availability.isAvailable);
  await writer.heartbeat(node);
  const [state] = await writer.nodes();
  assert.ok(Math.abs((state?.lastHeartbeatUnixMs ?? 0) - Date.now()) < 60_000);
  assert.equal(state?.isAlive, true);
  await writer.stop();
});

test("braces in the prefix do not move a node's keys to another slot", () => {
  assert.equal(new RegistryKeys("a{b}").ofNode("x").node, "a_b_:{x}:node");
});
