import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { CgroupTree, hostCgroup2Path, spawnInCgroupNamespace } from "@inode-gateway/testkit";

const hostBootId = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
const script = fileURLToPath(new URL("../otel-inode.sh", import.meta.url));

// A folder in which every command the script needs is busybox's.
const busyboxFolder = mkdtempSync(join(tmpdir(), "otel-inode-"));
for (const applet of ["sh", "stat"]) symlinkSync("/bin/busybox", join(busyboxFolder, applet));
after(() => rmSync(busyboxFolder, { recursive: true }));

const shells = [
  { name: "sh", command: ["sh", "-c"] },
  { name: "bash", command: ["bash", "-c"] },
  {
    name: "busybox",
    command: ["env", `PATH=${busyboxFolder}`, join(busyboxFolder, "sh"), "-c"],
  },
];

/** Sources the script inside `cgroup` and gives what `after` prints. */
async function sourceInside(
  cgroup: string,
  shell: readonly string[],
  { before = "", after = "" } = {},
): Promise<string> {
  const show = `echo "[\${OTEL_RESOURCE_ATTRIBUTES-unset}]"`;
  const program = `set -eu; ${before} . '${script}'; ${after} ${show}`;
  const child = spawnInCgroupNamespace(cgroup, [...shell, program], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { PATH: process.env["PATH"] },
  });
  assert.ok(child.stdout);
  const [output, [exitCode]] = await Promise.all([text(child.stdout), once(child, "exit")]);
  assert.equal(exitCode, 0, output);
  return output.trim();
}

for (const { name, command } of shells) {
  test(`${name}: inside a container the variable carries inode and boot ID`, async (t) => {
    const tree = CgroupTree.create();
    t.after(() => tree.dispose());
    const cgroup = tree.make("container");
    const own = `container.cgroup.inode=${statSync(cgroup).ino},host.boot.id=${hostBootId}`;

    assert.equal(await sourceInside(cgroup, command), `[${own}]`);
    assert.equal(
      await sourceInside(cgroup, command, {
        before: "OTEL_RESOURCE_ATTRIBUTES=service.name=shop,k=v,;",
        after: `. '${script}';`,
      }),
      `[service.name=shop,k=v,${own}]`,
      "what was there stays, and sourcing twice adds nothing twice",
    );
    assert.equal(
      await sourceInside(cgroup, command, {
        after: `sh -c 'echo "$OTEL_RESOURCE_ATTRIBUTES"'; exit;`,
      }),
      own,
      "it is exported",
    );
  });

  test(`${name}: in the host's cgroup namespace nothing is added`, async () => {
    const root = hostCgroup2Path();
    assert.equal(await sourceInside(root, command), "[unset]");
    assert.equal(
      await sourceInside(root, command, { before: "OTEL_RESOURCE_ATTRIBUTES=a=b;" }),
      "[a=b]",
    );
  });

  test(`${name}: without a cgroup2 mount nothing is added`, async (t) => {
    const tree = CgroupTree.create();
    t.after(() => tree.dispose());
    const before = "umount /sys/fs/cgroup;";
    const path = process.env["PATH"] ?? "";
    const withUmount = { before: `PATH=$PATH:${path}; ${before}` };
    assert.equal(await sourceInside(tree.make("container"), command, withUmount), "[unset]");
  });

  test(`${name}: a boot ID that is no UUID is left out`, async (t) => {
    const tree = CgroupTree.create();
    t.after(() => tree.dispose());
    const cgroup = tree.make("container");
    const path = process.env["PATH"] ?? "";
    const before = `PATH=$PATH:${path}; mount --bind /dev/null /proc/sys/kernel/random/boot_id;`;
    assert.equal(
      await sourceInside(cgroup, command, { before }),
      `[container.cgroup.inode=${statSync(cgroup).ino}]`,
    );
  });
}

test("without `stat` nothing is added and nothing is printed", async (t) => {
  const tree = CgroupTree.create();
  t.after(() => tree.dispose());
  const before = "PATH=/does/not/exist;";
  assert.equal(await sourceInside(tree.make("container"), ["sh", "-c"], { before }), "[unset]");
});

test("the line in the README does the same", async (t) => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const line = /```sh\n(.+)\n```/.exec(readme)?.[1];
  assert.ok(line?.startsWith("i=$(stat"));
  const tree = CgroupTree.create();
  t.after(() => tree.dispose());
  const cgroup = tree.make("container");
  const own = `container.cgroup.inode=${statSync(cgroup).ino},host.boot.id=${hostBootId}`;
  const show = `echo "[$OTEL_RESOURCE_ATTRIBUTES]"`;

  for (const [folder, attributes, expected] of [
    [cgroup, "", `[${own}]`],
    [cgroup, "a=b", `[a=b,${own}]`],
    [hostCgroup2Path(), "a=b", "[a=b]"],
  ] as const) {
    const child = spawnInCgroupNamespace(folder, ["sh", "-c", `${line}; ${show}`], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { PATH: process.env["PATH"], OTEL_RESOURCE_ATTRIBUTES: attributes },
    });
    assert.ok(child.stdout);
    assert.equal((await text(child.stdout)).trim(), expected);
  }
});
