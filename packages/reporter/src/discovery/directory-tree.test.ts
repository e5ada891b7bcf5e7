import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, renameSync, rmdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { promisify } from "node:util";
import { CgroupTree, randomContainerId, waitUntil } from "@inode-gateway/testkit";
import { ContainerIndex } from "./container-index.js";
import { DirectoryTree, type TreeLimits } from "./directory-tree.js";
import { inspectDirectory } from "./file-system.js";
import { PendingChanges } from "./pending-changes.js";
import { Watches } from "./watches.js";

const run = promisify(execFile);

interface FollowOptions extends Partial<TreeLimits> {
  readonly maxDirectoriesPerContainer?: number;
}

/** A tree over a real folder, with everything around it but the reporter. */
class Followed {
  readonly index: ContainerIndex;
  readonly tree: DirectoryTree;
  readonly watches = new Watches({ limitReached: () => assert.fail("watches are enough") });
  readonly count = { directories: 0 };

  constructor(path: string, options: FollowOptions = {}) {
    const nowMs = () => performance.now();
    this.index = new ContainerIndex({
      pending: new PendingChanges(() => assert.fail("nothing is dropped")),
      observer: { changed: () => undefined, contested: () => undefined },
      maxDirectoriesPerContainer: options.maxDirectoriesPerContainer ?? 65_536,
      nowMs,
    });
    const device = inspectDirectory(path)?.device ?? 0;
    this.tree = new DirectoryTree(
      { name: "", path, device, isDeviceNeeded: false },
      {
        index: this.index,
        watches: this.watches,
        count: this.count,
        nowMs,
        limits: { maxDepth: 32, maxDirectories: 65_536, maxNameLength: 255, ...options },
      },
    );
  }

  /** Inodes published, as a sorted list. */
  get inodes(): readonly number[] {
    return this.index
      .mappings()
      .map(({ inode }) => inode)
      .sort((one, other) => one - other);
  }

  hasInodes(...paths: readonly string[]): boolean {
    const wanted = paths.map((path) => statSync(path).ino).sort((one, other) => one - other);
    return JSON.stringify(this.inodes) === JSON.stringify(wanted);
  }
}

async function follow(t: TestContext, path: string, options?: FollowOptions): Promise<Followed> {
  const followed = new Followed(path, options);
  t.after(() => followed.tree.stop());
  await followed.tree.walk();
  await followed.tree.sweep();
  return followed;
}

function realTree(t: TestContext): CgroupTree {
  const tree = CgroupTree.create();
  t.after(() => tree.dispose());
  return tree;
}

function plainFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "cgroup-tree-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test("a walk finds every directory of a container, leaves and descendants alike", async (t) => {
  const cgroups = realTree(t);
  const scope = cgroups.make("system.slice", `crio-${randomContainerId()}.scope`);
  const inner = cgroups.make("system.slice", scope.split("/").at(-1) ?? "", "container");
  const leaf = cgroups.make("docker", randomContainerId());
  cgroups.make("system.slice", "ssh.service");
  const followed = new Followed(cgroups.path);
  await followed.tree.walk();
  assert.ok(followed.hasInodes(scope, inner, leaf));
  assert.equal(followed.watches.count, 0, "the walk adds no watches");
  assert.equal(followed.count.directories, 7);
});

test("events tell of containers and of what is made inside them, at once", async (t) => {
  const cgroups = realTree(t);
  cgroups.make("docker");
  const followed = await follow(t, cgroups.path);
  const id = randomContainerId();
  const container = cgroups.make("docker", id);
  const deep = cgroups.make("docker", id, "system.slice", "nginx.service");
  await waitUntil(() => followed.hasInodes(container, join(container, "system.slice"), deep));
  const later = cgroups.make("docker", id, "system.slice", "nginx.service", "worker");
  await waitUntil(() =>
    followed.hasInodes(container, join(container, "system.slice"), deep, later),
  );
  cgroups.remove("docker", id, "system.slice", "nginx.service", "worker");
  cgroups.remove("docker", id, "system.slice", "nginx.service");
  await waitUntil(() => followed.hasInodes(container, join(container, "system.slice")));
  cgroups.remove("docker", id, "system.slice");
  cgroups.remove("docker", id);
  await waitUntil(() => followed.inodes.length === 0);
  assert.equal(
    followed.watches.count,
    followed.count.directories,
    "no watch outlives its directory",
  );
});

test("a directory that is removed and made again under its name is a new one", async (t) => {
  const cgroups = realTree(t);
  const id = randomContainerId();
  cgroups.make("docker", id);
  const followed = await follow(t, cgroups.path);
  for (let round = 0; round < 20; round++) {
    cgroups.remove("docker", id);
    const again = cgroups.make("docker", id);
    await waitUntil(() => followed.hasInodes(again));
  }
});

test("a storm of 2,000 directories made and removed ends with the truth", async (t) => {
  const cgroups = realTree(t);
  cgroups.make("docker");
  const followed = await follow(t, cgroups.path);
  // A process of its own, so that making and following overlap.
  const script = `
    const { mkdirSync, rmdirSync } = require("node:fs");
    const id = (index) => process.argv[1] + "/" + String(index).padStart(64, "0");
    for (let index = 0; index < 2000; index++) {
      mkdirSync(id(index));
      if (index % 3 > 0) rmdirSync(id(index));
    }
    for (let index = 0; index < 1000; index += 3) rmdirSync(id(index));`;
  await run(process.execPath, ["-e", script, join(cgroups.path, "docker")]);
  const left: string[] = [];
  for (let index = 1_002; index < 2_000; index += 3) {
    left.push(join(cgroups.path, "docker", String(index).padStart(64, "0")));
  }
  await waitUntil(() => followed.hasInodes(...left));
  const { found } = await followed.tree.sweep();
  assert.equal(found, 0, "nothing was left to the sweep");
});

test("a sweep finds what no event told, and only that", async (t) => {
  const cgroups = realTree(t);
  const gone = randomContainerId();
  cgroups.make("docker", gone);
  const stays = cgroups.make("docker", randomContainerId());
  const followed = new Followed(cgroups.path);
  t.after(() => followed.tree.stop());
  await followed.tree.walk();
  // Scenario: all of this happens while nothing is watched.
  cgroups.remove("docker", gone);
  const replaced = cgroups.make("docker", randomContainerId());
  const deep = cgroups.make("kubepods", "burstable", randomContainerId());
  const { found, unwatched } = await followed.tree.sweep();
  assert.ok(followed.hasInodes(stays, replaced, deep));
  assert.equal(found, 5, "one gone, one in its place, three levels of a new branch");
  assert.equal(unwatched, 0);
  assert.deepEqual(await followed.tree.sweep(), { found: 0, unwatched: 0 });
});

test("directories that vanish in the middle of a walk are no error", async (t) => {
  const cgroups = realTree(t);
  const ids = Array.from({ length: 300 }, () => randomContainerId());
  for (const id of ids) cgroups.make("docker", id, "container");
  const script = `
    const { rmdirSync } = require("node:fs");
    for (const id of process.argv.slice(2)) {
      rmdirSync(process.argv[1] + "/" + id + "/container");
      rmdirSync(process.argv[1] + "/" + id);
    }`;
  const removing = run(process.execPath, ["-e", script, join(cgroups.path, "docker"), ...ids]);
  let walks = 0;
  const isRemoved = removing.then(() => true);
  while (!(await Promise.race([isRemoved, Promise.resolve(false)]))) {
    await new Followed(cgroups.path).tree.walk();
    walks++;
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(walks > 0);
  const followed = await follow(t, cgroups.path);
  assert.deepEqual(followed.inodes, []);
});

test("a hierarchy's root that goes away empties the tree and may come back", async (t) => {
  const folder = plainFolder(t);
  const root = join(folder, "cgroup");
  const container = join(root, "docker", randomContainerId());
  mkdirSync(container, { recursive: true });
  const followed = await follow(t, root);
  renameSync(root, join(folder, "away"));
  await followed.tree.sweep();
  assert.deepEqual(followed.inodes, []);
  renameSync(join(folder, "away"), root);
  await followed.tree.sweep();
  assert.ok(followed.hasInodes(container));
});

test("the last level within `max_depth` is read, the next one is not", async (t) => {
  const cgroups = realTree(t);
  const id = randomContainerId();
  const path = ["one", "two", id];
  const container = cgroups.make(...path);
  cgroups.make(...path, "below");
  const followed = await follow(t, cgroups.path, { maxDepth: 3 });
  assert.ok(followed.hasInodes(container));
  assert.equal(followed.tree.countSkipped("max_depth"), 1);
  const deeper = await follow(t, cgroups.path, { maxDepth: 4 });
  assert.ok(deeper.hasInodes(container, join(container, "below")));
  assert.equal(deeper.tree.countSkipped("max_depth"), 0);
});

test("1,000 levels cost no more than the limit allows", async (t) => {
  const folder = plainFolder(t);
  // Names of one character: Linux allows paths of 4,096 bytes.
  mkdirSync(join(folder, ...Array.from({ length: 1_000 }, () => "x")), { recursive: true });
  const followed = await follow(t, folder);
  assert.equal(followed.count.directories, 33, "the root and 32 levels");
  assert.equal(followed.tree.countSkipped("max_depth"), 1);
  const whole = await follow(t, folder, { maxDepth: 1_000 });
  assert.equal(whole.count.directories, 1_001);
});

test("the last directory within `max_directories` is read, one more is not until there is room", async (t) => {
  const cgroups = realTree(t);
  const docker = cgroups.make("docker");
  const ids = Array.from({ length: 3 }, () => randomContainerId());
  for (const id of ids) cgroups.make("docker", id);
  const followed = await follow(t, cgroups.path, { maxDirectories: 4 });
  assert.equal(followed.inodes.length, 2);
  assert.equal(followed.tree.countSkipped("max_directories"), 1);
  const known = ids.filter((id) => followed.inodes.includes(statSync(join(docker, id)).ino));
  cgroups.remove("docker", known[0] ?? "");
  await waitUntil(() => followed.inodes.length === 1);
  await followed.tree.sweep();
  assert.equal(followed.inodes.length, 2, "the room that became free is used");
  assert.equal(followed.tree.countSkipped("max_directories"), 0);
});

// Scenario: a container makes cgroups without end, one of them named like a container.
test("a container that makes too many directories takes nothing from the others", async (t) => {
  const cgroups = realTree(t);
  const greedy = randomContainerId();
  cgroups.make("docker", greedy);
  const followed = await follow(t, cgroups.path, { maxDirectoriesPerContainer: 5 });
  cgroups.make("docker", greedy, randomContainerId());
  for (let index = 0; index < 20; index++) cgroups.make("docker", greedy, `g${index}`);
  await waitUntil(() => followed.tree.countSkipped("max_directories_per_container") === 17);
  const other = cgroups.make("docker", randomContainerId());
  await waitUntil(() => followed.inodes.includes(statSync(other).ino));
  assert.equal(followed.inodes.length, 6);
});

test("the longest name within `max_name_length` is read, one byte more is not", async (t) => {
  const cgroups = realTree(t);
  const id = randomContainerId();
  const accepted = cgroups.make(`${"a".repeat(35)}-${id}`);
  cgroups.make(`${"a".repeat(36)}-${id}`);
  const followed = await follow(t, cgroups.path, { maxNameLength: 100 });
  assert.ok(followed.hasInodes(accepted));
  assert.equal(followed.tree.countSkipped("max_name_length"), 1);
});

test("names that are no UTF-8 are followed like any other", async (t) => {
  const cgroups = realTree(t);
  const followed = await follow(t, cgroups.path);
  const odd = Buffer.concat([Buffer.from(`${cgroups.path}/`), Buffer.from([0x61, 0xff, 0x5c])]);
  mkdirSync(odd);
  await waitUntil(() => followed.count.directories === 2);
  const container = Buffer.concat([odd, Buffer.from(`/docker-${randomContainerId()}.scope`)]);
  mkdirSync(container);
  await waitUntil(() => followed.inodes.length === 1);
  const lxc = Buffer.concat([Buffer.from(`${cgroups.path}/lxc.payload.`), Buffer.from([0xff])]);
  mkdirSync(lxc);
  await waitUntil(() => followed.count.directories === 4);
  assert.deepEqual(followed.inodes, [statSync(container).ino], "a name that is no text is no ID");
  rmdirSync(container);
  rmdirSync(odd);
  await waitUntil(() => followed.count.directories === 2);
});

test("a plain directory tree is followed as well, files and links aside", async (t) => {
  const folder = plainFolder(t);
  const followed = await follow(t, folder);
  const container = join(folder, "docker", randomContainerId());
  mkdirSync(container, { recursive: true });
  await waitUntil(() => followed.hasInodes(container));
  const moved = join(folder, "docker", randomContainerId());
  renameSync(container, moved);
  await waitUntil(
    () => followed.index.mappings()[0]?.record.containerId === moved.split("/").at(-1),
  );
  await waitUntil(() => followed.hasInodes(moved));
});
