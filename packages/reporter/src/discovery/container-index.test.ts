import assert from "node:assert/strict";
import { test } from "node:test";
import { CgroupDirectory } from "./cgroup-directory.js";
import { ContainerIndex, type Place } from "./container-index.js";
import { childPath } from "./file-system.js";
import { PendingChanges } from "./pending-changes.js";

const a = "57bd9c30801f8ba75af549773090e8f6b25cebaa6d476316cf5585564a868c92";
const b = "1d6f52de1635785a1754e36094ec54acec6ec617b1a555f553b9c28fb78da977";
const podUid = "5449328a-3884-4605-834c-5d1e6f391ae5";

// A tree in memory: paths are added with their parents, inodes count up from 100.
class Fixture {
  readonly pending = new PendingChanges(() => assert.fail("nothing is dropped"));
  readonly contested: string[] = [];
  readonly index: ContainerIndex;
  readonly root: CgroupDirectory;
  readonly #directories = new Map<string, CgroupDirectory>();
  readonly #isDeviceNeeded: boolean;
  #inode = 100;

  constructor({ maxDirectoriesPerContainer = 1_000, isDeviceNeeded = false } = {}) {
    this.#isDeviceNeeded = isDeviceNeeded;
    this.root = this.addRoot("/cgroup", 38);
    this.index = new ContainerIndex({
      pending: this.pending,
      nowMs: () => 5,
      maxDirectoriesPerContainer,
      observer: {
        changed: () => undefined,
        contested: (place: Place, others) =>
          this.contested.push(`${place.containerId.slice(0, 2)} ${place.verdict} ${others}`),
      },
    });
  }

  addRoot(path: string, device: number): CgroupDirectory {
    const hierarchy = { name: "", path, device, isDeviceNeeded: this.#isDeviceNeeded };
    return CgroupDirectory.root(hierarchy, { inode: 1, device, linkCount: 2, ownerUid: 0 });
  }

  add(path: string, { ownerUid = 0, inode = this.#inode++, root = this.root } = {}): number {
    let directory = root;
    const segments = path.split("/").slice(1);
    for (const [depth, name] of segments.entries()) {
      const known = directory.children?.get(name);
      if (known !== undefined) {
        directory = known;
        continue;
      }
      const isLast = depth === segments.length - 1;
      const facts = {
        inode: isLast ? inode : this.#inode++,
        device: root.hierarchy.device,
        linkCount: 2,
        ownerUid,
      };
      const child = CgroupDirectory.below(directory, name, childPath(directory.path, name), facts);
      directory.children ??= new Map();
      directory.children.set(name, child);
      this.index.add(child);
      directory = child;
    }
    this.#directories.set(path, directory);
    return directory.inode;
  }

  remove(path: string): void {
    const directory = this.#directories.get(path);
    assert.ok(directory);
    directory.parent?.children?.delete(directory.name);
    this.index.remove(directory);
  }

  /** Inode to the first two characters of the container ID, for everything published. */
  get published(): Record<number, string> {
    return Object.fromEntries(
      this.index.mappings().map(({ inode, record }) => [inode, record.containerId.slice(0, 2)]),
    );
  }
}

test("a container's directory and everything below it belong to it, the innermost one wins", () => {
  const node = new Fixture();
  const outer = node.add(`/docker/${a}`);
  const service = node.add(`/docker/${a}/init.scope`);
  const inner = node.add(`/docker/${a}/docker/${b}/container`);
  node.add("/system.slice/docker.service");

  // 104 and 105 are the directories between: `docker` inside the outer container, and the inner one.
  const between = { 104: "57", 105: "1d" };
  assert.deepEqual(node.published, {
    [outer]: "57",
    [service]: "57",
    ...between,
    [inner]: "1d",
  });
  assert.deepEqual(node.index.countContainers(), { accepted: 2, contested: 0 });
  assert.deepEqual(node.contested, []);
});

test("the record is what the path tells where the container is named", () => {
  const node = new Fixture();
  node.add(
    `/kubepods.slice/kubepods-pod${podUid.replaceAll("-", "_")}.slice/crio-${a}.scope/container`,
  );
  // Scenario: a process that may write its own cgroup pretends to be in another pod.
  node.add(`/docker/${b}/pod17925b25-15b4-4688-88f6-b40a61665570`);
  const records = new Map(node.index.mappings().map(({ record }) => [record.containerId, record]));
  assert.deepEqual(records.get(a)?.attributes, {
    "k8s.pod.uid": podUid,
    "container.runtime.name": "cri-o",
  });
  assert.deepEqual(records.get(b)?.attributes, { "container.runtime.name": "docker" });
});

test("a static pod's hash is no pod UID, and a runtime the path does not tell is left out", () => {
  const node = new Fixture();
  node.add(`/kubepods/burstable/pod2053dbbf6ec7135c4e994d3464c478db/${a}`);
  assert.deepEqual(node.index.mappings()[0]?.record.attributes, {});
});

test("a copy nested in another container is refused and belongs to the container around it", () => {
  const node = new Fixture();
  const victim = node.add(`/docker/${b}`);
  const attacker = node.add(`/docker/${a}`);
  const copy = node.add(`/docker/${a}/${b}`);
  const below = node.add(`/docker/${a}/${b}/x`);
  assert.deepEqual(node.published, {
    [victim]: "1d",
    [attacker]: "57",
    [copy]: "57",
    [below]: "57",
  });
  assert.deepEqual(node.contested, ["1d refused 1"]);
});

test("a copy made by a user is refused and belongs to nobody", () => {
  const node = new Fixture();
  const victim = node.add(`/system.slice/docker-${b}.scope`);
  node.add(`/user.slice/docker-${b}.scope/x`, { ownerUid: 1000 });
  assert.deepEqual(node.published, { [victim]: "1d" });
  assert.deepEqual(node.index.countContainers(), { accepted: 1, contested: 1 });
});

// Scenario: the forged copy is there first, as for a stopped container that is started again.
test("a forged copy that came first loses as soon as the real one appears", () => {
  const node = new Fixture();
  const forged = node.add(`/user.slice/docker-${b}.scope`, { ownerUid: 1000 });
  assert.deepEqual(node.published, { [forged]: "1d" });
  const real = node.add(`/docker/${b}`);
  assert.deepEqual(node.published, { [real]: "1d" });
  const { published, vanished } = node.pending.take(10);
  assert.deepEqual(
    published.map(({ mapping }) => mapping.inode),
    [forged, real],
  );
  assert.deepEqual(vanished, [], "never in the batch that publishes the same key");
  assert.deepEqual(node.pending.take(10).vanished, [{ inode: forged }]);
});

test("two places without a better claim are ambiguous, and neither is published", () => {
  for (const ownerUid of [0, 1000]) {
    const node = new Fixture();
    node.add(`/docker/${a}`, { ownerUid });
    node.add(`/custom/${a}/child`, { ownerUid });
    assert.deepEqual(node.published, {}, `owned by ${ownerUid}`);
    assert.deepEqual(node.contested, ["57 ambiguous 1", "57 ambiguous 1"]);
  }
});

test("an ambiguous place inside a container does not fall back to that container", () => {
  const node = new Fixture();
  const outer = node.add(`/docker/${a}`);
  const outerInner = node.add(`/docker/${a}/docker`);
  node.add(`/docker/${a}/docker/${b}`);
  const other = "c".repeat(64);
  const second = node.add(`/docker/${other}`);
  node.add(`/docker/${other}/${b}`);
  assert.deepEqual(node.published, { [outer]: "57", [outerInner]: "57", [second]: "cc" });
});

test("when a contested place goes, what is left is judged anew", () => {
  const node = new Fixture();
  const first = node.add(`/docker/${a}`);
  const below = node.add(`/docker/${a}/x`);
  node.add(`/custom/${a}`);
  assert.deepEqual(node.published, {});
  node.remove(`/custom/${a}`);
  assert.deepEqual(node.published, { [first]: "57", [below]: "57" });
  assert.deepEqual(node.index.countContainers(), { accepted: 1, contested: 0 });
});

test("one container in the same place of several hierarchies is no conflict", () => {
  const node = new Fixture({ isDeviceNeeded: true });
  const inode = node.add(`/docker/${a}`);
  node.add(`/docker/${a}`, { root: node.addRoot("/cgroup/memory", 32), inode });
  assert.deepEqual(
    node.index.mappings().map(({ device }) => device),
    [38, 32],
  );
  assert.deepEqual(node.contested, []);
});

test("the same ID inside itself is one place", () => {
  const node = new Fixture();
  const outer = node.add(`/docker/${a}`);
  const inner = node.add(`/docker/${a}/${a}`);
  assert.deepEqual(node.published, { [outer]: "57", [inner]: "57" });
  assert.deepEqual(node.contested, []);
});

test("inode 3 is published, 2 is not", () => {
  const node = new Fixture();
  node.add(`/docker/${a}`, { inode: 3 });
  node.add(`/docker/${b}`, { inode: 2 });
  assert.deepEqual(node.published, { 3: "57" });
});

test("a container takes its last directory and refuses one more, also under IDs of its own making", () => {
  const node = new Fixture({ maxDirectoriesPerContainer: 3 });
  node.add(`/docker/${a}/${b}`);
  const directory = (path: string) =>
    path
      .split("/")
      .slice(1)
      .reduce<CgroupDirectory>((parent, name) => {
        const child = parent.children?.get(name);
        assert.ok(child);
        return child;
      }, node.root);
  const inner = directory(`/docker/${a}/${b}`);
  assert.equal(node.index.hasRoomBelow(inner), true);
  node.add(`/docker/${a}/${b}/x`);
  assert.equal(node.index.hasRoomBelow(inner), false);
  assert.equal(node.index.hasRoomBelow(directory("/docker")), true, "others have their own limit");
  node.remove(`/docker/${a}/${b}/x`);
  assert.equal(node.index.hasRoomBelow(inner), true);
});

// Scenario: a file system that uses inodes again; the removal is seen after the new directory.
test("with a reused inode the newer directory wins, and its removal is the one that counts", () => {
  const node = new Fixture();
  node.add(`/docker/${a}`, { inode: 500 });
  node.add(`/docker/${b}`, { inode: 500 });
  node.remove(`/docker/${a}`);
  assert.deepEqual(node.published, { 500: "1d" });
  assert.deepEqual(node.pending.take(10).vanished, []);
  node.remove(`/docker/${b}`);
  assert.deepEqual(node.pending.take(10).vanished, [{ inode: 500 }]);
});
