import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { redisRegistryConfig, reporterConfig, reporterMetrics } from "./index.js";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

test("every metric and every key stands in the README", () => {
  for (const { name } of Object.values(reporterMetrics)) {
    assert.match(readme, new RegExp(`^\\| \`${name}[\`{]`, "m"), name);
  }
  const { limits, ...keys } = reporterConfig.shape;
  assert.ok(limits);
  for (const key of Object.keys(keys))
    assert.match(readme, new RegExp(`^\\| \`${key}\` `, "m"), key);
  for (const key of Object.keys(reporterConfig.parse({}).limits)) {
    assert.match(readme, new RegExp(`^\\| \`limits::${key}\` `, "m"), key);
  }
  for (const key of Object.keys(redisRegistryConfig.shape))
    assert.ok(readme.includes(`\`${key}\``), key);
});

test("the README names no metric that does not exist", () => {
  const names = new Set(Object.values(reporterMetrics).map(({ name }) => name as string));
  for (const [, name = ""] of readme.matchAll(/^\| `(inode_reporter_\w+)/gm)) {
    assert.ok(names.has(name), name);
  }
});
