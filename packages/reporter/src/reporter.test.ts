import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { hostname, release, tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import {
  type ContainerPublisher,
  type ContainerRegistry,
  createMemoryRegistry,
  type Mapping,
  type NodeRecord,
} from "@inode-gateway/registry";
import {
  CapturingLogger,
  CgroupTree,
  FakeClock,
  RecordingMeter,
  randomContainerId,
  realClock,
  startRedis,
  waitUntil,
} from "@inode-gateway/testkit";
import {
  type Clock,
  createRedisRegistryFromConfig,
  createReporter,
  type Reporter,
  redisRegistryConfig,
  reporterConfig,
} from "./index.js";

const bootId = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();

interface Running {
  readonly reporter: Reporter;
  readonly logger: CapturingLogger;
  readonly meter: RecordingMeter;
}

function make(
  publisher: ContainerPublisher,
  written: Record<string, unknown>,
  clock: Clock = realClock,
): Running {
  const logger = new CapturingLogger();
  const meter = new RecordingMeter();
  const config = reporterConfig.parse(written);
  const reporter = createReporter({ config, logger, meter, clock, version: "1.2.3" }, publisher);
  return { reporter, logger, meter };
}

function realTree(t: TestContext): CgroupTree {
  const tree = CgroupTree.create();
  t.after(() => tree.dispose());
  return tree;
}

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "reporter-"));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

async function containerOf(
  registry: ContainerRegistry,
  path: string,
  key: { bootId?: string; device?: number } = {},
): Promise<string> {
  const [answer] = await registry.lookup([{ bootId, inode: statSync(path).ino, ...key }]);
  return answer?.outcome === "found" ? answer.record.containerId : (answer?.outcome ?? "nothing");
}

/** Takes every call and remembers the latest view. */
class View implements ContainerPublisher {
  node: NodeRecord | undefined;
  reconciles = 0;
  mappings: readonly Mapping[] = [];

  async publish(node: NodeRecord): Promise<void> {
    this.node = node;
  }

  async reconcile(node: NodeRecord, mappings: readonly Mapping[]) {
    this.node = node;
    this.mappings = mappings;
    this.reconciles++;
    return { published: mappings.length, vanished: 0, unchanged: 0 };
  }

  async heartbeat(): Promise<void> {}

  onReconnected(): () => void {
    return () => undefined;
  }
}

test("containers there at the start and those that come later resolve, and still do when gone", async (t) => {
  const cgroups = realTree(t);
  const registry = createMemoryRegistry();
  const first = randomContainerId();
  const scope = cgroups.make("system.slice", `crio-${first}.scope`, "container");
  const { reporter, meter } = make(registry, { cgroup_root: cgroups.path, hierarchy: "v2" });
  t.after(() => reporter.stop(realClock.nowMs()));
  await reporter.start();
  await waitUntil(async () => (await containerOf(registry, scope)) === first);

  const second = randomContainerId();
  const later = cgroups.make("docker", second);
  await waitUntil(async () => (await containerOf(registry, later)) === second);
  const inode = statSync(later).ino;
  cgroups.remove("docker", second);
  await waitUntil(() => reporter.status().containers === 1);
  const [answer] = await registry.lookup([{ bootId, inode }]);
  assert.equal(answer?.outcome, "found", "late telemetry still resolves");

  const { phase, isReady, hierarchy, mappings, watches, directories } = reporter.status();
  assert.deepEqual(
    { phase, isReady, hierarchy },
    { phase: "running", isReady: true, hierarchy: "v2" },
  );
  assert.equal(mappings, 2);
  assert.equal(watches, directories);
  assert.equal(meter.value("inode_reporter_containers"), 1);
  assert.equal(meter.recorded("inode_reporter_publish_latency_seconds").length, 1);
});

test("the node record says what the node is", async (t) => {
  const root = folder(t);
  const pretended = "11111111-2222-3333-4444-555555555555";
  writeFileSync(join(root, "boot_id"), `${pretended.toUpperCase()}\n`);
  writeFileSync(join(root, "machine-id"), "0123456789abcdef0123456789abcdef\n");
  mkdirSync(join(root, "cgroup"));
  const view = new View();
  const { reporter } = make(view, {
    cgroup_root: join(root, "cgroup"),
    boot_id_path: join(root, "boot_id"),
    host_id_path: join(root, "machine-id"),
    node_name: "worker-7",
    hierarchy: "v2",
  });
  await reporter.start();
  await waitUntil(() => view.node !== undefined);
  await reporter.stop(realClock.nowMs());
  assert.deepEqual(view.node, {
    bootId: pretended,
    nodeName: "worker-7",
    hostName: hostname(),
    hostId: "0123456789abcdef0123456789abcdef",
    kernelRelease: release(),
    reporterVersion: "1.2.3",
    hierarchy: "v2",
    devices: [statSync(root).dev],
  });
});

test("an empty or unset node name and a missing host ID are left out", async (t) => {
  const view = new View();
  const { reporter } = make(view, {
    cgroup_root: folder(t),
    hierarchy: "v2",
    node_name: null,
    host_name: "",
    host_id_path: "/does/not/exist",
  });
  await reporter.start();
  await waitUntil(() => view.node !== undefined);
  await reporter.stop(realClock.nowMs());
  assert.equal(view.node?.nodeName, undefined);
  assert.equal(view.node?.hostId, undefined);
  assert.equal(view.node?.hostName, hostname());
});

test("every hierarchy of a hybrid node is indexed, with its device in the key", async (t) => {
  const root = folder(t);
  const id = randomContainerId();
  for (const name of ["memory", "pids", "unified"]) {
    mkdirSync(join(root, name, "docker", id), { recursive: true });
  }
  const registry = createMemoryRegistry();
  const { reporter } = make(registry, { cgroup_root: root, hierarchy: "hybrid" });
  t.after(() => reporter.stop(realClock.nowMs()));
  await reporter.start();
  const { dev: device } = statSync(root);
  for (const name of ["memory", "pids", "unified"]) {
    const path = join(root, name, "docker", id);
    await waitUntil(async () => (await containerOf(registry, path, { device })) === id);
  }
  const { hierarchy, mappings, containers } = reporter.status();
  assert.deepEqual(
    { hierarchy, mappings, containers },
    { hierarchy: "hybrid", mappings: 3, containers: 1 },
  );
});

test("a node that cannot be read is an error that names the key, and a later start may succeed", async (t) => {
  const root = folder(t);
  const bootIdPath = join(root, "boot_id");
  const written = { cgroup_root: root, boot_id_path: bootIdPath, hierarchy: "v2" };
  const { reporter } = make(new View(), written);
  await assert.rejects(reporter.start(), {
    message: `\`boot_id_path\` ${bootIdPath} holds no boot ID: it must be a readable file with a UUID, as /proc/sys/kernel/random/boot_id is`,
  });
  assert.equal(reporter.status().phase, "stopped");
  writeFileSync(bootIdPath, bootId);
  await reporter.start();
  await assert.rejects(reporter.start(), { message: "reporter is running already" });
  await reporter.stop(realClock.nowMs());
});

test("stopping is safe twice, without a start, and in the middle of one", async (t) => {
  const cgroups = realTree(t);
  for (let index = 0; index < 200; index++) cgroups.make("docker", randomContainerId());
  const { reporter } = make(new View(), { cgroup_root: cgroups.path, hierarchy: "v2" });
  await reporter.stop(realClock.nowMs());
  const starting = reporter.start();
  await reporter.stop(realClock.nowMs());
  await starting;
  assert.equal(reporter.status().phase, "stopped");
  assert.equal(reporter.status().watches, 0);
  await reporter.stop(realClock.nowMs());
  await reporter.start();
  assert.equal(reporter.status().phase, "running");
  await reporter.stop(realClock.nowMs());
});

// Scenario: the clock jumps to the sweep before the event loop could read the event.
test("what a sweep finds first is counted and makes the registry be compared", async (t) => {
  const cgroups = realTree(t);
  const clock = new FakeClock();
  const view = new View();
  const written = { cgroup_root: cgroups.path, hierarchy: "v2", sweep_interval: "30s" };
  const { reporter, meter } = make(view, written, clock);
  t.after(() => reporter.stop(clock.nowMs()));
  await reporter.start();
  await clock.advanceAndSettle(0);
  assert.equal(view.reconciles, 1);
  const container = cgroups.make(randomContainerId());
  clock.advance(30_000);
  await waitUntil(() => meter.value("inode_reporter_sweeps") === 1);
  assert.equal(meter.value("inode_reporter_sweep_found"), 1);
  await clock.advanceAndSettle(0);
  assert.equal(view.reconciles, 2);
  assert.deepEqual(
    view.mappings.map(({ inode }) => inode),
    [statSync(container).ino],
  );
  clock.advance(30_000);
  await waitUntil(() => meter.value("inode_reporter_sweeps") === 2);
  assert.equal(meter.value("inode_reporter_sweep_found"), 1);
});

test("a contested ID is counted, logged with its fields, and shown in the status", async (t) => {
  const root = folder(t);
  const id = randomContainerId();
  mkdirSync(join(root, "docker", id), { recursive: true });
  mkdirSync(join(root, "other", id), { recursive: true });
  const { reporter, meter, logger } = make(new View(), { cgroup_root: root, hierarchy: "v2" });
  await reporter.start();
  assert.equal(reporter.status().contestedContainerIds, 1);
  assert.equal(reporter.status().mappings, 0);
  assert.equal(meter.value("inode_reporter_conflicts", { outcome: "ambiguous" }), 2);
  const record = logger.records.find(({ level }) => level === "warn");
  assert.equal(record?.fields["path"], undefined, "a plain tree is no partial hierarchy");
  assert.equal(record?.message, "a container ID is claimed at more than one place");
  assert.equal(record.fields["container_id"], id);
  await reporter.stop(realClock.nowMs());
});

test("containers are in Redis soon after their cgroup, also after Redis was lost", async (t) => {
  const cgroups = realTree(t);
  cgroups.make("docker");
  const redis = await startRedis();
  t.after(() => redis.stop());
  const written = redisRegistryConfig.parse({ endpoint: redis.endpoint, negative_cache_ttl: "0s" });
  const [writer, reader] = await Promise.all([
    createRedisRegistryFromConfig(written),
    createRedisRegistryFromConfig(written),
  ]);
  await Promise.all([writer.start(), reader.start()]);
  t.after(() => Promise.all([writer.stop(), reader.stop()]));
  const { reporter } = make(writer, { cgroup_root: cgroups.path, hierarchy: "v2" });
  t.after(() => reporter.stop(realClock.nowMs() + 1_000));
  await reporter.start();
  await waitUntil(() => reporter.status().isReady);

  const before = randomContainerId();
  const early = cgroups.make("docker", before);
  await waitUntil(async () => (await containerOf(reader, early)) === before);

  await redis.kill();
  const during = randomContainerId();
  const missed = cgroups.make("docker", during);
  await waitUntil(() => reporter.status().registry.isAvailable === false);
  assert.equal(reporter.status().isReady, false);
  await redis.restart();
  await waitUntil(async () => (await containerOf(reader, missed)) === during, { limitMs: 15_000 });
  await waitUntil(async () => (await containerOf(reader, early)) === before);
  await waitUntil(() => reporter.status().isReady);
});
