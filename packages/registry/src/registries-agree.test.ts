import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  createTestMapping,
  createTestNode,
  type RedisServer,
  startRedis,
  suiteTimes,
  testBootId,
  waitUntil,
} from "@inode-gateway/testkit";
import fc from "fast-check";
import type { ContainerRegistry, NodeRecord } from "./container-registry.js";
import { createMemoryRegistry } from "./memory/memory-registry.js";
import { createRedisRegistry } from "./redis/redis-registry.js";
import { systemClock } from "./registry-options.js";

let server: RedisServer;
before(async () => {
  server = await startRedis();
});
after(() => server.stop());

const nodes: readonly NodeRecord[] = [
  createTestNode({ bootId: testBootId(1), nodeName: "one" }),
  createTestNode({ bootId: testBootId(1), nodeName: "clone" }),
  createTestNode({
    bootId: testBootId(2),
    nodeName: "two",
    hierarchy: "hybrid",
    devices: [38, 32],
  }),
];
const inodes = [10, 11, 12, 13];
const devices = [undefined, 38, 32];

const nodeIndex = fc.nat({ max: nodes.length - 1 });
const mapping = fc.record({
  inode: fc.constantFrom(...inodes),
  container: fc.nat({ max: 3 }),
  device: fc.constantFrom(38, 32),
  name: fc.constantFrom("a", "b"),
});
const step = fc.oneof(
  fc.record({
    kind: fc.constant("publish" as const),
    nodeIndex,
    mappings: fc.array(mapping, { maxLength: 4 }),
  }),
  fc.record({
    kind: fc.constant("vanish" as const),
    nodeIndex,
    mappings: fc.array(mapping, { maxLength: 4 }),
  }),
  fc.record({
    kind: fc.constant("reconcile" as const),
    nodeIndex,
    mappings: fc.array(mapping, { maxLength: 4 }),
  }),
  fc.record({ kind: fc.constant("heartbeat" as const), nodeIndex }),
  fc.record({
    kind: fc.constant("advance" as const),
    ms: fc.constantFrom(
      1,
      suiteTimes.heartbeatTimeoutMs,
      suiteTimes.retentionMs,
      suiteTimes.nodeRetentionMs,
    ),
  }),
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

async function apply(registry: ContainerRegistry, one: Exclude<Step, { kind: "advance" }>) {
  const node = nodes[one.nodeIndex] ?? createTestNode();
  if (one.kind === "heartbeat") return registry.heartbeat(node);
  const mappings = one.mappings.map(({ inode, container, device, name }) =>
    createTestMapping(inode, container, {
      attributes: { "k8s.pod.name": name },
      ...(node.hierarchy === "v2" ? {} : { device }),
    }),
  );
  if (one.kind === "reconcile") return registry.reconcile(node, mappings);
  if (one.kind === "publish") return registry.publish(node, { published: mappings, vanished: [] });
  return registry.publish(node, { published: [], vanished: mappings });
}

/** Everything that can be seen of a registry. */
async function view(registry: ContainerRegistry) {
  const keys = [1, 2].flatMap((index) =>
    inodes.flatMap((inode) =>
      devices.map((device) => ({ bootId: testBootId(index), inode, device })),
    ),
  );
  const states = [...(await registry.nodes())];
  states.sort((a, b) => a.node.bootId.localeCompare(b.node.bootId));
  const found = await registry.nodesByName({ hostName: nodes[0]?.hostName });
  return {
    states,
    answers: await registry.lookup(keys),
    found: found.map(({ bootId }) => bootId).sort(),
  };
}

// Scenario: random steps of three reporters, two of which claim the same boot ID, on both
// implementations with one clock.
test("memory and Redis answer alike after any sequence of steps", async () => {
  let nowUnixMs = Date.UTC(2026, 0, 1);
  const clock = { ...systemClock, unixMs: () => nowUnixMs };
  let runCount = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
      const options = { ...suiteTimes, clock };
      const memory = createMemoryRegistry(options);
      const redis = createRedisRegistry({
        ...options,
        endpoint: server.endpoint,
        keyPrefix: `agree-${runCount++}`,
        timeSource: "client",
        cacheMaxEntries: 1,
        negativeCacheMs: 0,
      });
      await redis.start();
      await waitUntil(() => redis.availability.isAvailable);
      try {
        for (const one of steps) {
          if (one.kind === "advance") nowUnixMs += one.ms;
          else assert.deepEqual(await apply(redis, one), await apply(memory, one), one.kind);
        }
        // What was asked for a second ago is given again by name, so a name is asked for only here.
        nowUnixMs += 1;
        assert.deepEqual(await view(redis), await view(memory));
      } finally {
        await redis.stop();
      }
    }),
    { numRuns: 150 },
  );
});
