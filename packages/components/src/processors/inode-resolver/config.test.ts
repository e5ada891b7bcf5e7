import assert from "node:assert/strict";
import { test } from "node:test";
import { inodeResolverConfig } from "./config.js";
import { inodeResolver } from "./factory.js";

function problems(config: Record<string, unknown>): string[] {
  const issues = inodeResolverConfig.safeParse({ registry: "r", ...config }).error?.issues ?? [];
  return issues.map(({ message, path }) => `${path.join("::")}: ${message}`);
}

test("defaults are those of the documentation", () => {
  assert.deepEqual(inodeResolverConfig.parse({ registry: "redis_registry" }), {
    registry: "redis_registry",
    hold: { timeout: 300, bytes_max: 67_108_864, batches_max: 10_000 },
    keep_inode: false,
    container_id_conflict: "replace",
    overwrite_attributes: false,
    inode_attributes: ["datadog.container.cgroup_inode"],
    enrich: "all",
    resource_cache: { max_entries: 65_536, max_bytes: 67_108_864, max_age: 300_000 },
  });
});

test("a hold without room is refused, unless nothing is held", () => {
  assert.deepEqual(problems({ hold: { bytes_max: 0 } }), [
    "hold::bytes_max: must be above 0 while `hold.timeout` is above 0s",
  ]);
  assert.deepEqual(problems({ hold: { batches_max: 0 } }), [
    "hold::batches_max: must be above 0 while `hold.timeout` is above 0s",
  ]);
  assert.deepEqual(problems({ hold: { timeout: "0s", bytes_max: 0, batches_max: 0 } }), []);
});

test("the registry is required and a reference that a validation can check", () => {
  assert.equal(inodeResolverConfig.safeParse({}).success, false);
  const config = inodeResolverConfig.parse({ registry: "redis_registry/shared" });
  assert.deepEqual(inodeResolver.extensions?.(config), [
    { extensionId: "redis_registry/shared", path: ["registry"] },
  ]);
});

test("a misspelt key is an error at its place", () => {
  assert.deepEqual(problems({ hold: { timout: "1s" } }), ['hold: Unrecognized key: "timout"']);
});

test("16 inode attributes and 256 names to enrich are the most", () => {
  const names = (count: number) => Array.from({ length: count }, (_, index) => `name.${index}`);
  assert.deepEqual(problems({ inode_attributes: names(16), enrich: names(256) }), []);
  assert.equal(problems({ inode_attributes: names(17) }).length, 1);
  assert.equal(problems({ enrich: names(257) }).length, 1);
});
