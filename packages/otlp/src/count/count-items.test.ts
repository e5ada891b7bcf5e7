import assert from "node:assert/strict";
import test from "node:test";
import {
  arbitraryMutation,
  arbitraryRequest,
  buildRequest,
  decodedItemCount,
} from "@inode-gateway/testkit";
import fc from "fast-check";
import { signals } from "../signal.js";
import { WireWriter } from "../wire/wire-writer.js";
import { countItems } from "./count-items.js";

test("requests of SDKs have as many items as were put in", () => {
  for (const signal of ["traces", "metrics", "logs"] as const) {
    const shape = { resources: 3, scopesPerResource: 2, itemsPerScope: 7 };
    assert.equal(countItems(signal, buildRequest(signal, shape)), 42);
    assert.equal(countItems(signal, new Uint8Array()), 0);
  }
});

test("the data points of all five metric types are counted", () => {
  const writer = new WireWriter();
  const resource = writer.startMessage(1);
  const scope = writer.startMessage(2);
  for (const [field, points] of [
    [5, 1],
    [7, 2],
    [9, 4],
    [10, 8],
    [11, 16],
  ] as const) {
    const metric = writer.startMessage(2);
    const data = writer.startMessage(field);
    for (let point = 0; point < points; point++) writer.endMessage(writer.startMessage(1));
    writer.endMessage(data);
    writer.endMessage(metric);
  }
  writer.endMessage(scope);
  writer.endMessage(resource);
  assert.equal(countItems("metrics", writer.finish()), 31);
});

for (const signal of signals) {
  test(`the count of any valid request of ${signal} is what protobufjs decodes`, () => {
    fc.assert(
      fc.property(arbitraryRequest(signal), (bytes) => {
        assert.equal(countItems(signal, bytes), decodedItemCount(signal, bytes));
      }),
      { numRuns: 300 },
    );
  });

  test(`of broken bytes some number is returned for ${signal}, never more than bytes`, () => {
    fc.assert(
      fc.property(arbitraryRequest(signal), arbitraryMutation(), (bytes, mutate) => {
        const mutated = mutate(bytes);
        const count = countItems(signal, mutated);
        assert.ok(count >= 0 && count <= mutated.length);
      }),
      { numRuns: 200 },
    );
  });
}
