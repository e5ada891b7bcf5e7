import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createTestMapping,
  createTestNode,
  type RedisServer,
  shortAnswers,
  startRedis,
  testBootId,
  testContainerId,
  waitUntil,
} from "@inode-gateway/testkit";
import { Redis } from "ioredis";
import type { ContainerRegistry } from "../container-registry.js";
import { type RedisRegistryOptions, systemClock } from "../registry-options.js";
import { collectMs } from "./lookup-batcher.js";
import { createRedisRegistry } from "./redis-registry.js";

const node = createTestNode();
const { bootId } = node;
const one = createTestMapping(1020, 1);
const key = { bootId, inode: 1020 };

function create(
  server: RedisServer,
  options: Partial<RedisRegistryOptions> = {},
): ContainerRegistry {
  return createRedisRegistry({ endpoint: server.endpoint, commandTimeoutMs: 500, ...options });
}

async function untilAvailable(registry: ContainerRegistry): Promise<void> {
  await waitUntil(() => registry.availability.isAvailable, {
    limitMs: 15_000,
    description: "the registry is available",
  });
}

async function subscribers(server: RedisServer): Promise<number> {
  const admin = new Redis(server.port, "127.0.0.1", { protocol: 2 });
  const [, count] = (await admin.pubsub("NUMSUB", "inode-gateway:publications")) as [
    string,
    number,
  ];
  admin.disconnect();
  return Number(count);
}

// Scenario: Redis is killed and comes back empty, while a gateway asks all the time.
test("serves its cache while Redis is away, never waits, and recovers by itself", async () => {
  await using server = await startRedis();
  const reporter = create(server);
  const gateway = create(server);
  let changes = 0;
  gateway.onAvailability(() => changes++);
  let reconnected = 0;
  reporter.onReconnected(() => {
    reconnected++;
    void reporter.reconcile(node, [one]);
  });
  await Promise.all([reporter.start(), gateway.start()]);
  await untilAvailable(gateway);
  await waitUntil(async () => shortAnswers(await gateway.lookup([key]))[0] === testContainerId(1));

  await server.kill();
  await waitUntil(() => !gateway.availability.isAvailable && !reporter.availability.isAvailable);
  const beganMs = performance.now();
  const other = { bootId, inode: 9999 };
  assert.deepEqual(shortAnswers(await gateway.lookup([key, other])), [
    testContainerId(1),
    "unavailable",
  ]);
  assert.deepEqual(await gateway.nodesByName({ hostName: node.hostName }), []);
  await assert.rejects(reporter.heartbeat(node), /^Error: registry is away: /);
  await assert.rejects(gateway.nodes(), /^Error: registry is away: /);
  assert.ok(performance.now() - beganMs < 250, "nothing waited for a connection");

  await server.restart();
  await untilAvailable(gateway);
  await waitUntil(() => reconnected === 2, {
    limitMs: 15_000,
    description: "a second reconciliation",
  });
  await waitUntil(async () => (await gateway.nodes())[0]?.mappingCount === 1);
  await waitUntil(async () => (await subscribers(server)) === 1, { limitMs: 15_000 });
  let heard = 0;
  gateway.onPublished(() => heard++);
  await reporter.publish(node, { published: [createTestMapping(1061, 2)], vanished: [] });
  await waitUntil(() => heard > 0, { description: "a publication after the restart" });
  assert.ok(changes >= 3, `${changes} changes: available, away, available`);
  await Promise.all([reporter.stop(), gateway.stop()]);
});

test("negative answers from before an outage are not believed after it", async () => {
  await using server = await startRedis();
  const reporter = create(server);
  const gateway = create(server, { negativeCacheMs: 3_600_000 });
  await Promise.all([reporter.start(), gateway.start()]);
  await Promise.all([untilAvailable(reporter), untilAvailable(gateway)]);
  assert.deepEqual(shortAnswers(await gateway.lookup([key])), ["unknown_node"]);
  await server.restart();
  await waitUntil(
    async () => {
      await reporter.publish(node, { published: [one], vanished: [] }).catch(() => {});
      return shortAnswers(await gateway.lookup([key]))[0] === testContainerId(1);
    },
    { limitMs: 15_000 },
  );
  await Promise.all([reporter.stop(), gateway.stop()]);
});

// Scenario: the process is stopped by a signal: connections stay open, nothing is answered.
test("a Redis that hangs costs one command timeout, then nothing, and is used again", async () => {
  await using server = await startRedis();
  const gateway = create(server, { commandTimeoutMs: 300, negativeCacheMs: 0 });
  await gateway.start();
  await untilAvailable(gateway);
  await server.pause();
  const beganMs = performance.now();
  assert.deepEqual(shortAnswers(await gateway.lookup([key])), ["unavailable"]);
  const firstMs = performance.now() - beganMs;
  assert.ok(firstMs >= 290 && firstMs < 2_000, `${firstMs} ms`);
  assert.match(gateway.availability.reason ?? "", /gave no answer within 300 ms$/);
  const againMs = performance.now();
  for (let i = 0; i < 100; i++) await gateway.lookup([{ bootId, inode: 2_000 + i }]);
  assert.ok(performance.now() - againMs < 250, "a hundred more cost nothing");
  server.resume();
  await untilAvailable(gateway);
  assert.deepEqual(shortAnswers(await gateway.lookup([key])), ["unknown_node"]);
  await gateway.stop();
});

test("stopping answers what is on its way", async () => {
  await using server = await startRedis();
  const clock = {
    ...systemClock,
    setTimer: (delayMs: number, callback: () => void) => {
      if (delayMs !== collectMs) return systemClock.setTimer(delayMs, callback);
      callback();
      return { cancel: () => {} };
    },
  };
  const gateway = create(server, { commandTimeoutMs: 60_000, clock });
  await gateway.start();
  await untilAvailable(gateway);
  await server.pause();
  const pending = gateway.lookup([key]);
  await gateway.stop();
  assert.deepEqual(await pending, [{ outcome: "unavailable" }]);
  assert.deepEqual(gateway.availability, { isAvailable: false, reason: "stopped" });
  assert.deepEqual(await gateway.lookup([key]), [{ outcome: "unavailable" }]);
});

test("starts without a Redis and uses it when it comes", async () => {
  const server = await startRedis();
  await server.kill();
  const gateway = create(server);
  await gateway.start();
  await waitUntil(() => gateway.availability.reason?.includes("refused") === true);
  assert.equal(
    gateway.availability.reason,
    `nothing listens at redis://127.0.0.1:${server.port} (connection refused): ` +
      "start Redis, or correct `endpoint`",
  );
  await server.restart();
  await untilAvailable(gateway);
  await gateway.stop();
  await server.stop();
});

test("Lua commands that Redis forgot are given to it again", async () => {
  await using server = await startRedis();
  const registry = create(server);
  await registry.start();
  await untilAvailable(registry);
  const admin = new Redis(server.port, "127.0.0.1", { protocol: 2 });
  await admin.script("FLUSH");
  await registry.publish(node, { published: [one], vanished: [] });
  await admin.script("FLUSH");
  const keys = [key, { bootId: testBootId(2), inode: 5 }];
  assert.deepEqual(shortAnswers(await registry.lookup(keys)), [testContainerId(1), "unknown_node"]);
  admin.disconnect();
  await registry.stop();
});

test("a reporter whose node was flushed away is asked to reconcile at its next heartbeat", async () => {
  await using server = await startRedis();
  const registry = create(server);
  await registry.start();
  await untilAvailable(registry);
  await registry.reconcile(node, [one]);
  let asked = 0;
  registry.onReconnected(() => asked++);
  await registry.heartbeat(node);
  assert.equal(asked, 0);
  const admin = new Redis(server.port, "127.0.0.1", { protocol: 2 });
  await admin.flushall();
  admin.disconnect();
  await registry.heartbeat(node);
  assert.equal(asked, 1);
  await registry.stop();
});

// Scenario: another program uses the keys and the channel for something else.
test("keys and messages that are not ours end neither the process nor a lookup", async () => {
  await using server = await startRedis();
  const warnings: string[] = [];
  const observer = { warning: (message: string) => warnings.push(message) };
  const registry = create(server, { observer, negativeCacheMs: 0 });
  await registry.start();
  await untilAvailable(registry);
  let heard = 0;
  registry.onPublished(() => heard++);
  await waitUntil(async () => (await subscribers(server)) === 1);
  const admin = new Redis(server.port, "127.0.0.1", { protocol: 2 });
  for (const message of ["", "x", "{} *", `${bootId} 1 2 3`, `${bootId} 1020@x`, "x".repeat(1e6)]) {
    await admin.publish("inode-gateway:publications", message);
  }
  await admin.publish("inode-gateway:publications", `${bootId} *`);
  await waitUntil(() => heard === 1, { description: "only the last one" });
  await admin.set(`inode-gateway:{${bootId}}:node`, "text instead of a hash");
  assert.deepEqual(await registry.lookup([key]), [{ outcome: "unavailable" }]);
  await assert.rejects(registry.heartbeat(node), /WRONGTYPE/);
  assert.deepEqual(warnings, ["a lookup failed"]);
  assert.equal(registry.availability.isAvailable, true);
  admin.disconnect();
  await registry.stop();
});

test("a gateway that no longer may believe a node drops what it remembers of it", async () => {
  await using server = await startRedis();
  const reporter = create(server);
  const gateway = create(server);
  await Promise.all([reporter.start(), gateway.start()]);
  await Promise.all([untilAvailable(reporter), untilAvailable(gateway)]);
  await reporter.publish(node, { published: [one], vanished: [] });
  assert.deepEqual(shortAnswers(await gateway.lookup([key])), [testContainerId(1)]);
  await waitUntil(async () => (await subscribers(server)) === 1);
  await reporter.heartbeat({ ...node, nodeName: "clone" });
  await waitUntil(() => gateway.cached(key) === undefined);
  assert.deepEqual(shortAnswers(await gateway.lookup([key])), ["ambiguous"]);
  await Promise.all([reporter.stop(), gateway.stop()]);
});
