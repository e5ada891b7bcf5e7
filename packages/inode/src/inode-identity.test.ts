import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import { CgroupTree, hostCgroup2Path, spawnInCgroupNamespace } from "@inode-gateway/testkit";
import { type InodeIdentityPaths, readBootId, readInodeIdentity } from "./index.js";

const hostBootId = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
const moduleUrl = new URL("./index.js", import.meta.url).href;

function temporaryFile(t: TestContext, content: string): string {
  const folder = mkdtempSync(join(tmpdir(), "inode-identity-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "boot_id");
  writeFileSync(path, content);
  return path;
}

async function readInside(cgroup: string, paths: InodeIdentityPaths = {}): Promise<string> {
  const script = `import { readInodeIdentity } from ${JSON.stringify(moduleUrl)};
    const identity = readInodeIdentity(${JSON.stringify(paths)});
    console.log(identity ? identity.inode + " " + identity.bootId : "nothing");`;
  const command = [process.execPath, "--input-type=module", "--eval", script];
  const child = spawnInCgroupNamespace(cgroup, command, { stdio: ["ignore", "pipe", "inherit"] });
  assert.ok(child.stdout);
  const [output, [exitCode]] = await Promise.all([text(child.stdout), once(child, "exit")]);
  assert.equal(exitCode, 0);
  return output.trim();
}

test("in a private cgroup namespace it is the inode the host sees, with the boot ID", async (t) => {
  const tree = CgroupTree.create();
  t.after(() => tree.dispose());
  const cgroup = tree.make("container");
  const { ino } = statSync(cgroup, { bigint: true });
  assert.equal(await readInside(cgroup), `${ino} ${hostBootId}`);
});

test("without a boot ID the inode is still told", async (t) => {
  const tree = CgroupTree.create();
  t.after(() => tree.dispose());
  const cgroup = tree.make("container");
  const { ino } = statSync(cgroup, { bigint: true });
  const bootIdPath = temporaryFile(t, "not a boot id\n");
  assert.equal(await readInside(cgroup, { bootIdPath }), `${ino} undefined`);
});

test("in the host's cgroup namespace there is nothing to tell", async () => {
  assert.equal(await readInside(hostCgroup2Path()), "nothing");
});

test("another file system there, or none, gives nothing and no error", () => {
  assert.equal(readInodeIdentity({ cgroupRoot: tmpdir() }), undefined);
  assert.equal(readInodeIdentity({ cgroupRoot: "/sys" }), undefined);
  assert.equal(readInodeIdentity({ cgroupRoot: "/does/not/exist" }), undefined);
});

test("a boot ID is a UUID in lower case, and anything else is none", (t) => {
  assert.equal(readBootId("/proc/sys/kernel/random/boot_id"), hostBootId);
  assert.equal(readBootId(temporaryFile(t, hostBootId.toUpperCase())), hostBootId);
  assert.equal(readBootId(temporaryFile(t, "")), undefined);
  assert.equal(readBootId(temporaryFile(t, `${hostBootId}0`)), undefined);
  assert.equal(readBootId("/does/not/exist"), undefined);
  assert.equal(readBootId("/proc"), undefined);
});
