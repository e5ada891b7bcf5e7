import assert from "node:assert/strict";
import { test } from "node:test";
import { parseSection } from "@inode-gateway/config";
import { startRedis, waitUntil } from "@inode-gateway/testkit";
import { createRedisRegistryFromConfig, redisRegistryConfig, reporterConfig } from "./index.js";

function problems(schema: typeof reporterConfig | typeof redisRegistryConfig, written: unknown) {
  const parsed = parseSection(schema, written, ["reporter"]);
  return "problems" in parsed ? parsed.problems.map(({ path }) => path) : [];
}

test("an empty section gives the documented defaults, in milliseconds", () => {
  assert.deepEqual(reporterConfig.parse({}), {
    cgroup_root: "/sys/fs/cgroup",
    boot_id_path: "/proc/sys/kernel/random/boot_id",
    hierarchy: "auto",
    hierarchies: [],
    host_id_path: "/etc/machine-id",
    sweep_interval: 30_000,
    fallback_sweep_interval: 1_000,
    reconcile_interval: 600_000,
    heartbeat_interval: 30_000,
    publish_delay: 5,
    publish_timeout: 5_000,
    limits: {
      max_depth: 32,
      max_directories: 65_536,
      max_directories_per_container: 4_096,
      max_name_length: 255,
    },
  });
  assert.deepEqual(redisRegistryConfig.parse({}), {
    endpoint: "redis://localhost:6379",
    key_prefix: "inode-gateway",
    connect_timeout: 5_000,
    command_timeout: 1_000,
    retention: 3_600_000,
    node_retention: 86_400_000,
    heartbeat_timeout: 90_000,
    cache_max_entries: 1_048_576,
    negative_cache_ttl: 1_000,
  });
});

test("the last value within a limit is accepted and the next one refused, by its path", () => {
  const cases = [
    ["limits", "max_depth", 1_000, 1_001],
    ["limits", "max_directories", 1_000_000, 1_000_001],
    ["limits", "max_directories_per_container", 1, 0],
    ["limits", "max_name_length", 255, 256],
  ] as const;
  for (const [section, key, last, first] of cases) {
    assert.deepEqual(problems(reporterConfig, { [section]: { [key]: last } }), [], key);
    assert.deepEqual(problems(reporterConfig, { [section]: { [key]: first } }), [
      `reporter::${section}::${key}`,
    ]);
  }
  assert.deepEqual(problems(reporterConfig, { publish_delay: "1s" }), []);
  assert.deepEqual(problems(reporterConfig, { publish_delay: "1001ms" }), [
    "reporter::publish_delay",
  ]);
  for (const key of ["sweep_interval", "fallback_sweep_interval", "heartbeat_interval"]) {
    assert.deepEqual(problems(reporterConfig, { [key]: "1ms" }), []);
    assert.deepEqual(problems(reporterConfig, { [key]: "0s" }), [`reporter::${key}`]);
  }
  for (const key of ["retention", "node_retention", "heartbeat_timeout", "command_timeout"]) {
    assert.deepEqual(problems(redisRegistryConfig, { [key]: "0s" }), [`reporter::${key}`]);
  }
});

test("unknown keys and contradictions are refused, all at once", () => {
  assert.deepEqual(problems(reporterConfig, { hierarchy: "v2", hierarchies: ["memory"] }), [
    "reporter::hierarchies",
  ]);
  assert.deepEqual(problems(reporterConfig, { sweep: "3s", limits: { max_depht: 3 } }), [
    "reporter::limits",
    "reporter",
  ]);
  assert.deepEqual(problems(redisRegistryConfig, { endpoint: "http://redis" }), [
    "reporter::endpoint",
  ]);
  assert.deepEqual(problems(redisRegistryConfig, { key_prefix: "a{b}" }), ["reporter::key_prefix"]);
  const contradiction = { endpoint: "rediss://redis:6379", tls: { insecure: true } };
  assert.deepEqual(problems(redisRegistryConfig, contradiction), ["reporter::tls::insecure"]);
  const reloading = { tls: { reload_interval: "1h" } };
  assert.deepEqual(problems(redisRegistryConfig, reloading), ["reporter::tls::reload_interval"]);
  assert.deepEqual(problems(redisRegistryConfig, { tls: { reload_interval: "0s" } }), []);
});

test("every form of endpoint is accepted", () => {
  for (const endpoint of ["redis://h", "redis://u:p@h:1/2", "rediss://h:1", "unix:///run/r.sock"]) {
    assert.deepEqual(problems(redisRegistryConfig, { endpoint }), [], endpoint);
  }
});

test("TLS is spoken as configured: authority, name and versions", async (t) => {
  const redis = await startRedis({ tls: true, arguments: ["--tls-protocols", "TLSv1.2"] });
  t.after(() => redis.stop());
  const open = async (tls: Record<string, unknown>) => {
    const written = redisRegistryConfig.parse({ endpoint: redis.endpoint, tls });
    const registry = await createRedisRegistryFromConfig(written);
    t.after(() => registry.stop());
    await registry.start();
    return registry;
  };
  const trusted = await open({ ca_pem: redis.ca });
  await waitUntil(() => trusted.availability.isAvailable);
  const tooNew = await open({ ca_pem: redis.ca, min_version: "1.3" });
  const untrusted = await open({});
  await waitUntil(() => /alert protocol version/.test(tooNew.availability.reason ?? ""));
  await waitUntil(() => /not signed by an authority/.test(untrusted.availability.reason ?? ""));
  assert.equal(tooNew.availability.isAvailable, false);
});

test("a registry is made without touching the network, and a missing TLS file is named", async () => {
  const registry = await createRedisRegistryFromConfig(redisRegistryConfig.parse({}));
  await registry.stop();
  const written = redisRegistryConfig.parse({ tls: { ca_file: "/does/not/exist.pem" } });
  await assert.rejects(createRedisRegistryFromConfig(written), /ca_file.*\/does\/not\/exist\.pem/);
});
