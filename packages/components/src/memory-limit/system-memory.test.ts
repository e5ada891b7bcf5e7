import assert from "node:assert/strict";
import { test } from "node:test";
import { MIB } from "./memory-limits.js";
import { systemMemory } from "./system-memory.js";

test("reads what the kernel and V8 count", async () => {
  const { external, heapTotal, heapUsed, rss } = systemMemory().read();
  assert.ok(rss >= heapUsed + MIB && heapTotal >= heapUsed && external > 0);
  assert.ok((await systemMemory().total()) >= rss);
});

// Scenario: objects that have survived two collections are old, and only a search of all finds them.
test("a collection of all frees what is old, one of the young does not", () => {
  const memory = systemMemory();
  let objects: unknown[] | undefined = Array.from({ length: 200_000 }, (_, index) => ({ index }));
  memory.collect("young");
  memory.collect("all");
  const before = memory.read().heapUsed;
  assert.equal(objects.length, 200_000);
  objects = undefined;
  memory.collect("young");
  const afterYoung = memory.read().heapUsed;
  memory.collect("all");
  const afterAll = memory.read().heapUsed;
  assert.ok(before - afterYoung < 2 * MIB, `${before - afterYoung} bytes of the young`);
  assert.ok(afterYoung - afterAll > 4 * MIB, `${afterYoung - afterAll} bytes of all`);
});
