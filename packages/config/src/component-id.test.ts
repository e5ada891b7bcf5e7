import assert from "node:assert/strict";
import { test } from "node:test";
import { parseComponentId } from "./component-id.js";

test("takes an ID apart at its first slash", () => {
  assert.deepEqual(parseComponentId("otlp"), { type: "otlp", name: "" });
  assert.deepEqual(parseComponentId("otlp/2"), { type: "otlp", name: "2" });
  assert.deepEqual(parseComponentId("otlp/a/b"), { type: "otlp", name: "a/b" });
  assert.deepEqual(parseComponentId("otlp/caf\u00e9-\u4e16"), {
    type: "otlp",
    name: "caf\u00e9-\u4e16",
  });
});

test("a type has up to 63 characters, a name up to 1024", () => {
  const type = `a${"b".repeat(62)}`;
  const name = "\u{20000}".repeat(1_024);
  assert.deepEqual(parseComponentId(`${type}/${name}`), { type, name });
  assert.match(problemOf(`${type}b`), /the type must match/);
  assert.match(problemOf(`otlp/${name}x`), /has 1025 characters, at most 1024/);
});

test("refuses what the Collector refuses", () => {
  assert.match(problemOf(""), /must not be empty/);
  assert.match(problemOf("/2"), /the part before \/ must not be empty/);
  assert.match(problemOf("otlp/"), /the part after \/ must not be empty/);
  for (const id of ["1otlp", "_otlp", "ot-lp", "ot lp", "otlp "]) {
    assert.match(problemOf(id), /the type must match/, id);
  }
  for (const id of ["otlp/a b", "otlp/a\tb", "otlp/a\u0000", "otlp/a+b", "otlp/\u20ac"]) {
    assert.match(problemOf(id), /white space, control characters or symbols/, id);
  }
});

function problemOf(id: string): string {
  const result = parseComponentId(id);
  return "problem" in result ? result.problem : "";
}
