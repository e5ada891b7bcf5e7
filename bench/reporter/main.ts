// The reporter as a process of its own, on real cgroups and a real Redis: how soon a container is
// known, what the first walk over 4,000 cgroups costs, and what the process takes while idle.
// Run as root: node bench/dist/reporter/main.js (about 20 s; makes and removes cgroups of its own)
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { readFileSync, statSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type ContainerRegistry, createRedisRegistry } from "@inode-gateway/registry";
import {
  CgroupTree,
  type RedisServer,
  randomContainerId,
  seededRandom,
  startRedis,
  waitUntil,
} from "@inode-gateway/testkit";

const program = fileURLToPath(
  new URL("../../../packages/reporter/bin/inode-reporter.js", import.meta.url),
);
const bootId = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
const podCount = 1_000;
const containersPerPod = 3;
const walkTrials = 5;
const latencyContainers = 300;
const idleMs = 5_000;
const random = seededRandom(1);

interface Started {
  readonly process: ChildProcess;
  /** As the reporter logged it. */
  readonly walkMs: number;
  readonly directories: number;
}

async function startReporter(tree: CgroupTree, redis: RedisServer): Promise<Started> {
  const settings = [
    `reporter.cgroup_root=${tree.path}`,
    `registry.redis.endpoint=${redis.endpoint}`,
    "health.endpoint=127.0.0.1:0",
    "telemetry.metrics.endpoint=127.0.0.1:0",
  ];
  const args = settings.flatMap((setting) => ["--set", setting]);
  const child = spawn(process.execPath, [program, ...args], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let text = "";
  child.stderr?.on("data", (data) => {
    text += String(data);
  });
  const line = (msg: string) =>
    text
      .split("\n")
      .filter((candidate) => candidate.endsWith("}"))
      .map((candidate) => JSON.parse(candidate) as Record<string, unknown>)
      .find((record) => record["msg"] === msg);
  await waitUntil(() => line("the registry was compared with the node") !== undefined, {
    limitMs: 20_000,
    description: "a running reporter",
  });
  const walk = line("all cgroups were read");
  return {
    process: child,
    walkMs: Number(walk?.["duration_ms"]),
    directories: Number(walk?.["directories"]),
  };
}

async function stop({ process: child }: Started): Promise<void> {
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  await ended;
}

function memoryOf(pid: number | undefined): string {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const megabytes = (field: string) =>
    ((Number(new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(status)?.[1]) * 1_024) / 1e6).toFixed(1);
  return `${megabytes("VmRSS")} MB, ${megabytes("RssAnon")} MB of it its own`;
}

function quantile(values: readonly number[], share: number): string {
  const sorted = values.toSorted((one, other) => one - other);
  const index = Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1);
  return `${(sorted[index] ?? Number.NaN).toFixed(1)} ms`;
}

async function measureLatency(tree: CgroupTree, reader: ContainerRegistry): Promise<number[]> {
  const latenciesMs: number[] = [];
  tree.make("kubepods");
  for (let index = 0; index < latencyContainers; index++) {
    const id = randomContainerId();
    const beganMs = performance.now();
    const path = tree.make("kubepods", id);
    const inode = statSync(path).ino;
    for (;;) {
      const [answer] = await reader.lookup([{ bootId, inode }]);
      if (answer?.outcome === "found") break;
      if (performance.now() - beganMs > 5_000) throw new Error(`${id} was not published`);
    }
    latenciesMs.push(performance.now() - beganMs);
    await sleep(random() * 10);
  }
  return latenciesMs;
}

async function measureWalk(tree: CgroupTree, redis: RedisServer): Promise<void> {
  for (let pod = 0; pod < podCount; pod++) {
    const name = `pod${randomUUID()}`;
    for (let container = 0; container < containersPerPod; container++) {
      tree.make("kubepods", name, randomContainerId());
    }
  }
  const walksMs: number[] = [];
  let directories = 0;
  for (let trial = 0; trial < walkTrials; trial++) {
    const started = await startReporter(tree, redis);
    walksMs.push(started.walkMs);
    directories = started.directories;
    if (trial === walkTrials - 1) {
      await sleep(idleMs);
      console.log(`idle with ${directories} cgroups: ${memoryOf(started.process.pid)}`);
    }
    await stop(started);
  }
  console.log(
    `cold walk of ${directories} cgroups: median ${quantile(walksMs, 0.5)}, worst ${quantile(walksMs, 1)} of ${walkTrials}`,
  );
}

async function main(): Promise<void> {
  const redis = await startRedis();
  const tree = CgroupTree.create();
  const reader = createRedisRegistry({ endpoint: redis.endpoint, negativeCacheMs: 0 });
  await reader.start();
  try {
    const started = await startReporter(tree, redis);
    const latenciesMs = await measureLatency(tree, reader);
    console.log(
      `mkdir to visible in Redis, ${latenciesMs.length} containers: p50 ${quantile(latenciesMs, 0.5)}, p99 ${quantile(latenciesMs, 0.99)}, max ${quantile(latenciesMs, 1)}`,
    );
    await sleep(idleMs);
    console.log(`idle with ${latenciesMs.length} containers: ${memoryOf(started.process.pid)}`);
    await stop(started);
    await measureWalk(tree, redis);
  } finally {
    await reader.stop();
    await redis.stop();
    tree.dispose();
  }
}

await main();
