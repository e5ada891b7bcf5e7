import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { rootFolder } from "./executable.js";

const limitBytes = 314_572_800;
/** What a process prints that asks for its total memory. */
const script = `
import { totalMemoryBytes } from "${rootFolder}packages/components/dist/memory-limit/total-memory.js";
console.log(await totalMemoryBytes());
`;

/** Where memory is limited on this machine: on a hybrid one that is still version 1. */
function memoryHierarchy(): { readonly folder: string; readonly file: string } {
  const v1 = /^\d+:memory:(.*)$/m.exec(readFileSync("/proc/self/cgroup", "utf8"))?.[1];
  if (v1 !== undefined && existsSync("/sys/fs/cgroup/memory")) {
    return { folder: "/sys/fs/cgroup/memory", file: "memory.limit_in_bytes" };
  }
  return { folder: "/sys/fs/cgroup", file: "memory.max" };
}

/** A cgroup and one below it; they end with the test. Needs root, as e2e does. */
function makeCgroups(t: TestContext, outer: string): { outer: string; inner: string } {
  const inner = join(outer, "inner");
  mkdirSync(inner, { recursive: true });
  t.after(() => {
    rmdirSync(inner);
    rmdirSync(outer);
  });
  return { outer, inner };
}

// Scenario: the limit is set on a real cgroup, and the process is in one below it without a limit.
// Guarantees: the limit is found on the kernel that this runs on, whichever version it has.
test("a process in a real cgroup finds the limit that the kernel sets it", (t) => {
  const { file, folder } = memoryHierarchy();
  const { inner, outer } = makeCgroups(t, join(folder, `inode-gateway-test-${process.pid}`));
  if (file === "memory.max") {
    writeFileSync(join(folder, "cgroup.subtree_control"), "+memory");
    writeFileSync(join(outer, "cgroup.subtree_control"), "+memory");
  }
  writeFileSync(join(outer, file), String(limitBytes));
  const command = `echo $$ > ${inner}/cgroup.procs && exec "$@"`;
  const args = [process.execPath, "--input-type=module", "--eval", script];
  const printed = execFileSync("sh", ["-c", command, "_", ...args], { encoding: "utf8" });
  assert.equal(Number(printed), limitBytes);
});
