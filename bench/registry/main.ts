// The registry at full size: 1,000,000 containers on 10,000 nodes in a real Redis.
// Run: node bench/dist/registry/main.js (under two minutes, about 2 GB)
import {
  type ContainerRegistry,
  createRedisRegistry,
  type InodeKey,
} from "@inode-gateway/registry";
import { type RedisServer, seededRandom, startRedis, waitUntil } from "@inode-gateway/testkit";
import { Redis } from "ioredis";
import { measureHits, measureLookups, measureMemoryRead } from "./measure-lookups.js";
import {
  bootIdOf,
  containersPerNode,
  inodeOf,
  keyOf,
  nodeCount,
  publishAll,
} from "./population.js";

const containerCount = nodeCount * containersPerNode;
/** Keys asked for without a cache; enough for a stable figure. */
const sampleCount = 200_000;
const random = seededRandom(1);
const rows: [string, string][] = [];

async function open(server: RedisServer, cacheMaxEntries: number): Promise<ContainerRegistry> {
  const registry = createRedisRegistry({
    endpoint: server.unixEndpoint,
    cacheMaxEntries,
    commandTimeoutMs: 30_000,
  });
  await registry.start();
  await waitUntil(() => registry.availability.isAvailable, { description: "a connection" });
  return registry;
}

async function usedMemory(admin: Redis): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await admin.info("memory"))?.[1]);
}

async function redisCpuSeconds(admin: Redis): Promise<number> {
  const info = await admin.info("cpu");
  return (
    Number(/used_cpu_user:([\d.]+)/.exec(info)?.[1]) +
    Number(/used_cpu_sys:([\d.]+)/.exec(info)?.[1])
  );
}

/** Bytes that all nodes' keys of one kind take, found by deleting them. */
async function bytesOf(admin: Redis, suffix: string): Promise<number> {
  const before = await usedMemory(admin);
  for (let from = 0; from < nodeCount; from += 1_000) {
    const keys = Array.from(
      { length: 1_000 },
      (_, i) => `inode-gateway:{${bootIdOf(from + i)}}:${suffix}`,
    );
    await admin.del(...keys);
  }
  return before - (await usedMemory(admin));
}

function randomKey(): InodeKey {
  return keyOf(Math.floor(random() * nodeCount), Math.floor(random() * containersPerNode));
}

async function measurePublishing(server: RedisServer, admin: Redis): Promise<void> {
  const reporter = await open(server, 1);
  const cpu = await redisCpuSeconds(admin);
  const beganMs = performance.now();
  await publishAll(reporter);
  const seconds = (performance.now() - beganMs) / 1_000;
  const redisCpu = (await redisCpuSeconds(admin)) - cpu;
  rows.push(["first publication of all nodes", `${seconds.toFixed(1)} s`]);
  rows.push([
    "  CPU of Redis per container",
    `${((redisCpu * 1e6) / containerCount).toFixed(1)} us`,
  ]);
  await reporter.stop();
}

async function measureMisses(server: RedisServer, admin: Redis): Promise<void> {
  const gateway = await open(server, 1);
  const scattered = Array.from({ length: sampleCount }, randomKey);
  await measureLookups(gateway, scattered.slice(0, 20_000));
  const cpu = await redisCpuSeconds(admin);
  const figures = await measureLookups(gateway, scattered);
  const redisCpu = (await redisCpuSeconds(admin)) - cpu;
  rows.push([
    "lookups without cache, every key on another node",
    `${Math.round(figures.perSecond)} /s`,
  ]);
  rows.push(["  CPU of the gateway per lookup", `${figures.cpuUs.toFixed(1)} us`]);
  rows.push(["  CPU of Redis per lookup", `${((redisCpu * 1e6) / sampleCount).toFixed(1)} us`]);
  await gateway.stop();
}

async function measureCache(server: RedisServer, admin: Redis): Promise<void> {
  const gateway = await open(server, 1_048_576);
  const keys: InodeKey[] = [];
  const bootIds = Array.from({ length: nodeCount }, (_, index) => bootIdOf(index));
  for (const bootId of bootIds) {
    for (let index = 0; index < containersPerNode; index++)
      keys.push({ bootId, inode: inodeOf(index) });
  }
  const cpu = await redisCpuSeconds(admin);
  const fill = await measureLookups(gateway, keys);
  const redisCpu = (await redisCpuSeconds(admin)) - cpu;
  rows.push(["cold fill of a gateway's cache, node by node", `${fill.seconds.toFixed(1)} s`]);
  rows.push(["  lookups", `${Math.round(fill.perSecond)} /s`]);
  rows.push(["  CPU of the gateway per lookup", `${fill.cpuUs.toFixed(1)} us`]);
  rows.push(["  CPU of Redis per lookup", `${((redisCpu * 1e6) / containerCount).toFixed(1)} us`]);
  const order = shuffled(containerCount);
  const inodes = Array.from({ length: containersPerNode }, (_, index) => inodeOf(index));
  const all = measureHits(gateway, order, bootIds, inodes);
  const busy = measureHits(gateway, order.subarray(0, 10_000), bootIds, inodes);
  rows.push(["cache hit at 1,000,000 entries, 10,000 of them busy", `${busy.toFixed(0)} ns`]);
  rows.push(["cache hit at 1,000,000 entries, any of them", `${all.toFixed(0)} ns`]);
  rows.push([
    "  for comparison: one random read of 32 MB",
    `${measureMemoryRead(order).toFixed(0)} ns`,
  ]);
  await gateway.stop();
}

function shuffled(count: number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    const kept = order[last] ?? 0;
    order[last] = order[other] ?? 0;
    order[other] = kept;
  }
  return order;
}

async function measureMemory(admin: Redis): Promise<void> {
  const kinds: [string, string][] = [
    ["memory of the mapping hashes", "inodes:0"],
    ["memory of the containers' attributes (pod uid, runtime)", "containers"],
    ["memory of the node records", "node"],
  ];
  for (const [title, suffix] of kinds) {
    const bytes = await bytesOf(admin, suffix);
    const perContainer = (bytes / containerCount).toFixed(1);
    rows.push([title, `${(bytes / 1e6).toFixed(1)} MB, ${perContainer} bytes per container`]);
  }
}

const server = await startRedis();
const admin = new Redis(server.port, "127.0.0.1", { protocol: 2 });
try {
  await measurePublishing(server, admin);
  await measureMisses(server, admin);
  await measureCache(server, admin);
  await measureMemory(admin);
} finally {
  admin.disconnect();
  await server.stop();
}
console.log(`${containerCount} containers on ${nodeCount} nodes, Redis over a unix socket`);
for (const [title, value] of rows) console.log(`${title.padEnd(58)} ${value}`);
