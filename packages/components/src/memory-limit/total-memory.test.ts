import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { totalMemoryBytes } from "./total-memory.js";

const MACHINE_BYTES = 8_000_000_000;

/** Writes files below a folder that stands for `/`, and reads the total from there. */
function totalOf(t: TestContext, files: Readonly<Record<string, string>>): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "total-memory-"));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return totalMemoryBytes(folder, MACHINE_BYTES);
}

const v2Mount = (root = "/") =>
  `30 24 0:27 ${root} /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime - cgroup2 cgroup2 rw,nsdelegate\n`;
const v1Mount = (root = "/") =>
  "29 24 0:25 / /sys/fs/cgroup ro - tmpfs tmpfs ro,mode=755\n" +
  `31 29 0:28 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n` +
  `32 29 0:29 ${root} /sys/fs/cgroup/memory rw,nosuid - cgroup cgroup rw,memory\n`;

test("v2: a namespace of its own shows `/`, and the container's limit at the mount point", async (t) => {
  const total = await totalOf(t, {
    "proc/self/cgroup": "0::/\n",
    "proc/self/mountinfo": v2Mount(),
    "sys/fs/cgroup/memory.max": "250000000\n",
  });
  assert.equal(total, 250_000_000);
});

test("v2: the smallest limit of the cgroup and those above it counts", async (t) => {
  const files = {
    "proc/self/cgroup": "0::/pods/pod1/app\n",
    "proc/self/mountinfo": v2Mount(),
    "sys/fs/cgroup/pods/memory.max": "900000000\n",
    "sys/fs/cgroup/pods/pod1/memory.max": "300000000\n",
    "sys/fs/cgroup/pods/pod1/app/memory.max": "max\n",
  };
  assert.equal(await totalOf(t, files), 300_000_000);
});

test("v2: without a limit the machine's memory counts, and as a limit above it does", async (t) => {
  const files = { "proc/self/cgroup": "0::/app\n", "proc/self/mountinfo": v2Mount() };
  assert.equal(await totalOf(t, files), MACHINE_BYTES);
  const unlimited = { ...files, "sys/fs/cgroup/app/memory.max": "max\n" };
  assert.equal(await totalOf(t, unlimited), MACHINE_BYTES);
  const above = { ...files, "sys/fs/cgroup/app/memory.max": `${MACHINE_BYTES + 1}\n` };
  assert.equal(await totalOf(t, above), MACHINE_BYTES);
});

test("v2: a mount of the container's own directory under the host's names", async (t) => {
  const total = await totalOf(t, {
    "proc/self/cgroup": "0::/docker/abc/init\n",
    "proc/self/mountinfo": v2Mount("/docker/abc"),
    "sys/fs/cgroup/memory.max": "400000000\n",
    "sys/fs/cgroup/init/memory.max": "350000000\n",
  });
  assert.equal(total, 350_000_000);
});

test("v2: a process outside of what is mounted gets the limit at the mount point", async (t) => {
  const total = await totalOf(t, {
    "proc/self/cgroup": "0::/../other\n",
    "proc/self/mountinfo": v2Mount("/docker/abc"),
    "sys/fs/cgroup/memory.max": "400000000\n",
  });
  assert.equal(total, 400_000_000);
});

test("v1: limit_in_bytes along the memory controller's path; 2^63 is no limit", async (t) => {
  const files = {
    "proc/self/cgroup": "5:cpu,cpuacct:/docker\n4:memory:/docker/large\n1:name=systemd:/\n",
    "proc/self/mountinfo": v1Mount("/docker"),
    "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
  };
  assert.equal(await totalOf(t, files), MACHINE_BYTES);
  const limited = {
    ...files,
    "sys/fs/cgroup/memory/large/memory.limit_in_bytes": "536870912\n",
  };
  assert.equal(await totalOf(t, limited), 536_870_912);
});

test("hybrid: the v2 hierarchy beside v1 has no limit files, v1's limit counts", async (t) => {
  const total = await totalOf(t, {
    "proc/self/cgroup": "4:memory:/app\n0::/app\n",
    "proc/self/mountinfo": `${v1Mount()}33 29 0:30 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n`,
    "sys/fs/cgroup/memory/app/memory.limit_in_bytes": "123456789\n",
    "sys/fs/cgroup/unified/app/cgroup.procs": "",
  });
  assert.equal(total, 123_456_789);
});

test("a mount point with a space, as mountinfo writes it", async (t) => {
  const total = await totalOf(t, {
    "proc/self/cgroup": "0::/\n",
    "proc/self/mountinfo": "30 24 0:27 / /my\\040cgroups rw - cgroup2 cgroup2 rw\n",
    "my cgroups/memory.max": "5000000\n",
  });
  assert.equal(total, 5_000_000);
});

test("without /proc, or with one that says nothing, the machine's memory counts", async (t) => {
  assert.equal(await totalOf(t, {}), MACHINE_BYTES);
  const empty = { "proc/self/cgroup": "", "proc/self/mountinfo": "\nnot a mount\n" };
  assert.equal(await totalOf(t, empty), MACHINE_BYTES);
});

test("a limit that is no number is an error that names the file", async (t) => {
  const files = { "proc/self/cgroup": "0::/\n", "proc/self/mountinfo": v2Mount() };
  await assert.rejects(totalOf(t, { ...files, "sys/fs/cgroup/memory.max": "asdf\n" }), {
    message: /sys\/fs\/cgroup\/memory\.max holds "asdf", which is no limit$/,
  });
  await assert.rejects(
    totalOf(t, { ...files, "sys/fs/cgroup/memory.max": "" }),
    /which is no limit/,
  );
});
