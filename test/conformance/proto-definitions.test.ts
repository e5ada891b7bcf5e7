import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import test from "node:test";
import { loadDefinitions, protoFolder } from "@inode-gateway/testkit";
import protobuf from "protobufjs";
import { publishedDescriptors } from "./proto-definitions/published-descriptors.js";
import { type Definitions, fromDescriptors, fromReflection } from "./proto-definitions/shape.js";

const ourFiles = ["opentelemetry", "google"].flatMap((folder) =>
  readdirSync(`${protoFolder}${folder}`, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".proto"))
    .map((name) => `${folder}/${name}`),
);

// Not part of any request: a file format of the specification that a gateway never meets.
const leftOut = [
  "opentelemetry.proto.logs.v1.LogsData",
  "opentelemetry.proto.metrics.v1.MetricsData",
  "opentelemetry.proto.profiles.v1development.ProfilesData",
  "opentelemetry.proto.trace.v1.TracesData",
];

// Scenario: the descriptors inside packages that the owners of the definitions publish.
// Guarantees: numbers, names, types, labels, presence, oneofs, JSON names, reserved numbers, enum
// values and service methods of every message in proto/ are the specification's.
test("our definition files say the same as the published ones, field by field", () => {
  const ours = fromReflection(loadDefinitions(ourFiles));
  const published = publishedDescriptors();
  const theirs = fromDescriptors(ourFiles.map((name) => requireFile(published, name)));

  assert.ok(ours.size >= 60, `${ours.size} definitions of ours`);
  for (const [name, shape] of ours) assert.deepEqual(shape, theirs.get(name), name);
  assert.deepEqual(missing(theirs, ours), leftOut);
});

test("a wrong number, type or label of ours would be noticed", () => {
  const ours = fromReflection(
    protobuf.parse('syntax = "proto3"; package p; message M { repeated string name = 1; }').root,
  );
  for (const field of ["repeated string name = 2", "repeated bytes name = 1", "string name = 1"]) {
    const changed = protobuf.parse(`syntax = "proto3"; package p; message M { ${field}; }`).root;
    assert.notDeepEqual(fromReflection(changed), ours, field);
  }
});

function requireFile<T>(files: ReadonlyMap<string, T>, name: string): T {
  const file = files.get(name);
  assert.ok(file, `no published package has ${name}`);
  return file;
}

function missing(theirs: Definitions, ours: Definitions): string[] {
  return [...theirs.keys()]
    .filter((name) => name.startsWith("opentelemetry.") && !ours.has(name))
    .sort();
}
