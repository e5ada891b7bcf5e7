import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { cgroupPathRoot, descend, maxCgroupPathLength, parseCgroupPath } from "./index.js";

const a = "57bd9c30801f8ba75af549773090e8f6b25cebaa6d476316cf5585564a868c92";
const b = "1d6f52de1635785a1754e36094ec54acec6ec617b1a555f553b9c28fb78da977";
const none = { containerId: undefined, runtime: undefined, podUid: undefined };

const vectors = readFileSync(new URL("../test-vectors/cgroup-paths.tsv", import.meta.url), "utf8")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"))
  .map((line) => {
    const [number, path = "", containerId, runtime, podUid, note] = line.split("\t");
    const orNone = (cell: string | undefined) => (cell === "-" ? undefined : cell);
    const expected = {
      containerId: orNone(containerId),
      runtime: orNone(runtime),
      podUid: orNone(podUid),
    };
    return { title: `vector ${number}: ${note}`, path, expected };
  });

test("there are 107 vectors", () => assert.equal(vectors.length, 107));

for (const { title, path, expected } of vectors) {
  test(title, () => assert.deepEqual(parseCgroupPath(path), expected));
}

test("one step per segment reads what the whole path gives", () => {
  for (const { title, path, expected } of vectors) {
    if (path.includes("..")) continue;
    const segments = path.split("/").filter((segment) => segment !== "");
    const state = segments.reduce(descend, cgroupPathRoot);
    const { containerId, runtime, podUid } = state;
    assert.deepEqual({ containerId, runtime, podUid }, expected, title);
  }
});

test("only the segment that names a container defines it, not its descendants", () => {
  const docker = descend(cgroupPathRoot, "docker");
  const outer = descend(docker, a);
  const below = descend(outer, "init.scope");
  const inner = descend(descend(below, "docker"), b);
  const states = [docker, outer, below, inner];
  assert.deepEqual(
    states.map((state) => state.definesContainer),
    [false, true, false, true],
  );
});

test("a path of 4,096 characters is read, one of 4,097 gives nothing", () => {
  const padding = "/x".repeat((maxCgroupPathLength - "/docker/".length - 64) / 2);
  const longest = `/docker/${a}${padding}`;
  assert.equal(longest.length, maxCgroupPathLength);
  assert.equal(parseCgroupPath(longest).containerId, a);
  assert.deepEqual(parseCgroupPath(`${longest}y`), none);
});

test("the innermost of 1,000 levels is read", () => {
  const deep = `${"/x".repeat(999)}/docker-${a}.scope`;
  assert.equal(parseCgroupPath(deep).containerId, a);
});

test("255 bytes that end like an ID are no ID without a separator", () => {
  const glued = `${"a".repeat(255 - 64)}${b}`;
  assert.deepEqual(parseCgroupPath(`/${glued}`), none);
  const separated = `${"a".repeat(254 - 64)}-${b}`;
  assert.deepEqual(parseCgroupPath(`/${separated}`), {
    containerId: b,
    runtime: "unknown",
    podUid: undefined,
  });
});

test("text that was no UTF-8, control characters and slashes make no name", () => {
  for (const path of [
    "/lxc.payload.web\ufffd",
    "/lxc/web\u0007",
    "/machine.slice/machine-a\\x0ab.scope",
    "/machine.slice/machine-a\\x2fb.scope",
    "/machine.slice/machine-a\\xffb.scope",
    "/nomad.slice/share.slice/9f3c2a1e-77b0-4c1d-a2f4-0d5e6b7c8a90.a\u0000b.scope",
  ]) {
    assert.equal(parseCgroupPath(path).containerId, undefined, JSON.stringify(path));
  }
  assert.equal(
    parseCgroupPath("/machine.slice/machine-100%\\xc3\\xa9.scope").containerId,
    "100%é",
    "escaped bytes are UTF-8, and a percent sign is just that",
  );
  assert.equal(parseCgroupPath(`/docker/\ufffd/${a}`).containerId, a);
});

test("an empty path, empty segments and a trailing slash change nothing", () => {
  assert.deepEqual(parseCgroupPath(""), none);
  assert.deepEqual(parseCgroupPath("//"), none);
  assert.deepEqual(parseCgroupPath(`//docker//${a}/`), parseCgroupPath(`/docker/${a}`));
});

test("`..` and `.` give nothing wherever they stand", () => {
  assert.deepEqual(parseCgroupPath(`/docker/${a}/..`), none);
  assert.deepEqual(parseCgroupPath(`/./docker/${a}`), none);
});

test("an inner virtual machine belongs to nobody, names inside it included", () => {
  const path = `/docker/${a}/kubepods/kata_${b}`;
  assert.deepEqual(parseCgroupPath(path), { ...none, runtime: "kata" });
  assert.deepEqual(parseCgroupPath(`${path}/vcpu`), { ...none, runtime: "kata" });
});

test("a machine that is a virtual one is none even when a container is around it", () => {
  const path = `/docker/${a}/machine.slice/machine-qemu\\x2d1\\x2ddb.scope`;
  assert.equal(parseCgroupPath(path).containerId, a);
});

test("any text is answered without throwing", () => {
  for (const path of ["__proto__", `/constructor-${a}.scope`, "/\ud800", "0::/docker", "/pod"]) {
    assert.doesNotThrow(() => parseCgroupPath(path));
  }
  assert.equal(parseCgroupPath(`/constructor-${a}.scope`).runtime, "unknown");
});
