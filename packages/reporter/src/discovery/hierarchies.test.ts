import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { CgroupTree, hostCgroup2Path } from "@inode-gateway/testkit";
import { type ReporterConfig, reporterConfig } from "../reporter-config.js";
import { findHierarchies } from "./hierarchies.js";

function temporaryFolder(t: TestContext, ...folders: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), "hierarchies-"));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const name of folders) mkdirSync(join(folder, name));
  return folder;
}

function find(written: Partial<Record<keyof ReporterConfig, unknown>>) {
  return findHierarchies(reporterConfig.parse(written));
}

test("a cgroup2 mount is the pure v2 hierarchy, and keys need no device", () => {
  const root = hostCgroup2Path();
  const { kind, hierarchies, partialRoot } = find({ cgroup_root: root });
  assert.equal(kind, "v2");
  assert.equal(partialRoot, undefined);
  assert.deepEqual(hierarchies, [
    { name: "", path: root, device: statSync(root).dev, isDeviceNeeded: false },
  ]);
});

test("this machine's own mounts are recognised", () => {
  const { kind, hierarchies } = find({ cgroup_root: "/sys/fs/cgroup" });
  if (hostCgroup2Path() === "/sys/fs/cgroup") {
    assert.equal(kind, "v2");
    return;
  }
  assert.equal(kind, "hybrid");
  const names = hierarchies.map(({ name }) => name);
  assert.ok(names.includes("unified"), names.join());
  const devices = new Set(hierarchies.map(({ device }) => device));
  assert.equal(devices.size, hierarchies.length, "one device for each hierarchy");
  assert.ok(hierarchies.every(({ isDeviceNeeded }) => isDeviceNeeded));
});

test("a part of a hierarchy is recognised as one", (t) => {
  const tree = CgroupTree.create();
  t.after(() => tree.dispose());
  assert.equal(find({ cgroup_root: tree.path }).partialRoot, tree.path);
});

test("a plain directory tree is refused unless its hierarchy is stated", (t) => {
  const root = temporaryFolder(t, "memory", "unified");
  symlinkSync("memory", join(root, "alias"));
  assert.throws(() => find({ cgroup_root: root }), {
    message: `\`cgroup_root\` ${root} holds no cgroup hierarchy: mount the node's /sys/fs/cgroup there, or state \`hierarchy\` to read a plain directory tree`,
  });
  assert.deepEqual(
    find({ cgroup_root: root, hierarchy: "v2" }).hierarchies.map(({ path }) => path),
    [root],
  );
  for (const hierarchy of ["hybrid", "v1"]) {
    const found = find({ cgroup_root: root, hierarchy });
    assert.equal(found.kind, hierarchy);
    assert.deepEqual(
      found.hierarchies.map(({ name }) => name),
      ["memory", "unified"],
      "a symbolic link is no hierarchy of its own",
    );
  }
});

test("only the hierarchies that are named are read, and one that is not mounted is an error", (t) => {
  const root = temporaryFolder(t, "memory", "unified", "pids");
  const found = find({ cgroup_root: root, hierarchy: "hybrid", hierarchies: ["unified"] });
  assert.deepEqual(
    found.hierarchies.map(({ name }) => name),
    ["unified"],
  );
  assert.throws(() => find({ cgroup_root: root, hierarchy: "hybrid", hierarchies: ["memry"] }), {
    message: '`hierarchies` names "memry", mounted are memory, pids, unified',
  });
});

test("a root that is not there is an error that says what to mount", (t) => {
  const root = join(temporaryFolder(t), "gone");
  assert.throws(() => find({ cgroup_root: root }), {
    message: `\`cgroup_root\` ${root} is no readable directory: mount the node's /sys/fs/cgroup there, read-only is enough`,
  });
});

test("a trailing slash and a link to the root are followed", (t) => {
  const root = temporaryFolder(t, "docker");
  assert.equal(find({ cgroup_root: `${root}/`, hierarchy: "v2" }).kind, "v2");
  const link = join(dirname(root), `${basename(root)}-link`);
  symlinkSync(root, link);
  t.after(() => rmSync(link));
  assert.equal(find({ cgroup_root: link, hierarchy: "v2" }).kind, "v2");
});
