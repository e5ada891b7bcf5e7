import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { CgroupTree, hostCgroup2Path, spawnInCgroupNamespace } from "@inode-gateway/testkit";
import { detectResources } from "@opentelemetry/resources";
import { createInodeDetector, inodeDetector } from "./index.js";

const hostBootId = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();

// Detects with the SDK's own function, in a process of its own inside the cgroup.
async function resourceInside(cgroup: string, bootIdPath?: string): Promise<unknown> {
  const detectorUrl = new URL("./index.js", import.meta.url).href;
  const sdkUrl = import.meta.resolve("@opentelemetry/resources");
  const paths = bootIdPath === undefined ? {} : { bootIdPath };
  const script = `
    import { createInodeDetector } from ${JSON.stringify(detectorUrl)};
    import { detectResources } from ${JSON.stringify(sdkUrl)};
    const detector = createInodeDetector(${JSON.stringify(paths)});
    console.log(JSON.stringify(detectResources({ detectors: [detector] }).attributes));`;
  const command = [process.execPath, "--input-type=module", "--eval", script];
  const child = spawnInCgroupNamespace(cgroup, command, { stdio: ["ignore", "pipe", "inherit"] });
  assert.ok(child.stdout);
  const [output, [exitCode]] = await Promise.all([text(child.stdout), once(child, "exit")]);
  assert.equal(exitCode, 0);
  return JSON.parse(output);
}

test("inside a container the Resource carries the inode as an int and the boot ID", async (t) => {
  const tree = CgroupTree.create();
  t.after(() => tree.dispose());
  const cgroup = tree.make("container");
  assert.deepEqual(await resourceInside(cgroup), {
    "container.cgroup.inode": statSync(cgroup).ino,
    "host.boot.id": hostBootId,
  });
});

test("a boot ID that cannot be read is left out", async (t) => {
  const tree = CgroupTree.create();
  t.after(() => tree.dispose());
  const cgroup = tree.make("container");
  assert.deepEqual(await resourceInside(cgroup, "/does/not/exist"), {
    "container.cgroup.inode": statSync(cgroup).ino,
  });
});

test("in the host's cgroup namespace the Resource gets nothing", async () => {
  assert.deepEqual(await resourceInside(hostCgroup2Path()), {});
});

test("outside any cgroup2 file system the Resource gets nothing", () => {
  const detector = createInodeDetector({ cgroupRoot: tmpdir() });
  assert.deepEqual(detectResources({ detectors: [detector] }).attributes, {});
});

test("the ready-made detector answers at once and never throws", () => {
  const { attributes } = inodeDetector.detect();
  for (const value of Object.values(attributes ?? {})) assert.ok(!(value instanceof Promise));
});
