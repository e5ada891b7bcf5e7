import assert from "node:assert/strict";
import test from "node:test";
import { arbitraryRequest, buildRequest, itemsOfRequest } from "@inode-gateway/testkit";
import fc from "fast-check";
import { checkRequest } from "../check/check-request.js";
import { countItems } from "../count/count-items.js";
import { mergeRequests } from "../merge/merge-requests.js";
import type { Signal } from "../signal.js";
import { WireWriter } from "../wire/wire-writer.js";
import { type RequestPart, splitRequest } from "./split-request.js";

const divisible = ["traces", "metrics", "logs"] as const;

test("a request that keeps the limits is returned as it is", () => {
  const request = buildRequest("traces", { itemsPerScope: 20 });
  const limits = { maxItems: 20, maxBytes: request.length };
  const parts = splitRequest("traces", request, limits);
  assert.equal(parts.length, 1);
  assert.equal(parts[0]?.chunks[0], request);
  assert.equal(splitRequest("traces", request, {}).length, 1);
  assert.ok(splitRequest("traces", request, { maxItems: 19 }).length > 1);
  assert.ok(splitRequest("traces", request, { maxBytes: request.length - 1 }).length > 1);
});

test("parts are filled to the last item", () => {
  const request = buildRequest("logs", { resources: 3, scopesPerResource: 2, itemsPerScope: 7 });
  const parts = splitRequest("logs", request, { maxItems: 10 });
  assert.deepEqual(counts(parts), [10, 10, 10, 10, 2]);
  verify("logs", request, parts);
});

test("every part of a divided Resource has its Resource, scope, schema URLs and unknown fields", () => {
  const writer = new WireWriter();
  const resourceSpans = writer.startMessage(1);
  writer.varintField(50, 1);
  const resource = writer.startMessage(1);
  writer.varintField(2, 3);
  writer.endMessage(resource);
  const scopeSpans = writer.startMessage(2);
  for (const name of ["one", "two"]) {
    const span = writer.startMessage(2);
    writer.stringField(5, name);
    writer.endMessage(span);
  }
  const scope = writer.startMessage(1);
  writer.stringField(1, "library");
  writer.endMessage(scope);
  writer.varintField(51, 2);
  writer.stringField(3, "scope schema");
  writer.endMessage(scopeSpans);
  writer.stringField(3, "resource schema");
  writer.endMessage(resourceSpans);
  writer.varintField(52, 3);
  const request = writer.finish();

  const parts = splitRequest("traces", request, { maxItems: 1 });
  assert.equal(parts.length, 2);
  verify("traces", request, parts);
  for (const part of parts) {
    const [item = "", ...others] = itemsOfRequest("traces", Buffer.concat(part.chunks));
    assert.equal(others.length, 0);
    // The last two are the unknown fields 50 and 51, as they stand on the wire.
    for (const text of ["resource schema", "scope schema", "library", "900301", "980302"]) {
      assert.ok(item.includes(text), text);
    }
    // The unknown field of the request itself is in every part too.
    assert.ok(Buffer.concat(part.chunks).includes(Buffer.of(0xa0, 0x03, 3)));
  }
});

test("bytes: a part is as large as allowed, and one byte less makes another", () => {
  const request = buildRequest("traces", { itemsPerScope: 3, attributesPerItem: 0 });
  const [two, one] = splitRequest("traces", request, { maxItems: 2 });
  assert.ok(two !== undefined && one !== undefined && one.byteLength < two.byteLength);
  const exact = splitRequest("traces", request, { maxBytes: two.byteLength });
  assert.deepEqual(counts(exact), [2, 1]);
  assert.equal(exact[0]?.byteLength, two.byteLength);
  const less = splitRequest("traces", request, { maxBytes: two.byteLength - 1 });
  assert.deepEqual(counts(less), [1, 1, 1]);
});

test("an item above maxBytes is a part by itself, and byteLength tells", () => {
  const request = Buffer.concat([
    buildRequest("traces", { itemsPerScope: 2, attributesPerItem: 2 }),
    buildRequest("traces", { itemsPerScope: 1, attributesPerItem: 200 }),
    buildRequest("traces", { itemsPerScope: 2, attributesPerItem: 2 }),
  ]);
  const maxBytes = 2000;
  const parts = splitRequest("traces", request, { maxBytes });
  verify("traces", request, parts);
  const oversized = parts.filter((part) => part.byteLength > maxBytes);
  assert.deepEqual(counts(oversized), [1]);
});

test("a metric stays whole when it fits into a part of its own, else its points are divided", () => {
  const request = metrics([2, 3, 9]);
  const parts = splitRequest("metrics", request, { maxItems: 4 });
  assert.deepEqual(counts(parts), [2, 4, 4, 4]);
  verify("metrics", request, parts);
  const whole = splitRequest("metrics", metrics([2, 3, 4]), { maxItems: 4 });
  assert.deepEqual(counts(whole), [2, 3, 4]);
});

test("Resources, scopes and metrics without items are kept, once", () => {
  const empty = group(() => {});
  const emptyScope = group((writer) => writer.endMessage(writer.startMessage(2)));
  const request = Buffer.concat([
    empty,
    buildRequest("metrics", { itemsPerScope: 5 }),
    emptyScope,
    metrics([0, 1]),
  ]);
  verify("metrics", request, splitRequest("metrics", request, { maxItems: 2 }));
  verify("metrics", request, splitRequest("metrics", request, { maxBytes: 1 }));
});

test("profiles are never split", () => {
  const request = Buffer.concat([group(() => {}), group(() => {})]);
  const parts = splitRequest("profiles", request, { maxItems: 1, maxBytes: 1 });
  assert.equal(parts.length, 1);
  assert.equal(parts[0]?.chunks[0], request);
});

test("limits are numbers of at least 1", () => {
  for (const [name, limit] of [
    ["maxItems", 0],
    ["maxBytes", Number.NaN],
    ["maxItems", -1],
  ] as const) {
    assert.throws(() => splitRequest("traces", new Uint8Array(), { [name]: limit }), {
      name: "RangeError",
      message: `\`${name}\` is ${limit}, must be at least 1`,
    });
  }
});

for (const signal of divisible) {
  test(`split and merged, any request of ${signal} has the same items in the same context`, () => {
    fc.assert(
      fc.property(
        arbitraryRequest(signal),
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 1500 }),
        (request, maxItems, maxBytes) => {
          verify(signal, request, splitRequest(signal, request, { maxItems }), { maxItems });
          const parts = splitRequest(signal, request, { maxItems, maxBytes });
          verify(signal, request, parts, { maxItems, maxBytes });
        },
      ),
      { numRuns: 250 },
    );
  });
}

function verify(
  signal: Signal,
  request: Uint8Array,
  parts: readonly RequestPart[],
  { maxItems = Number.POSITIVE_INFINITY, maxBytes = Number.POSITIVE_INFINITY } = {},
): void {
  for (const part of parts) {
    const bytes = Buffer.concat(part.chunks);
    checkRequest(signal, bytes);
    assert.equal(bytes.length, part.byteLength);
    assert.equal(countItems(signal, bytes), part.itemCount);
    assert.ok(part.itemCount <= maxItems, `${part.itemCount} items of ${maxItems}`);
    if (part.byteLength > maxBytes) {
      assert.ok(part.itemCount <= 1, `${part.byteLength} of ${maxBytes}`);
    }
  }
  const merged = Buffer.concat(
    mergeRequests(
      signal,
      parts.map((part) => part.chunks),
    ),
  );
  assert.deepEqual(itemsOfRequest(signal, merged), itemsOfRequest(signal, request));
}

function counts(parts: readonly RequestPart[]): number[] {
  return parts.map((part) => part.itemCount);
}

/** One scope with one sum for each number, of that many data points. */
function metrics(pointCounts: readonly number[]): Uint8Array {
  return group((writer) => {
    const scope = writer.startMessage(2);
    pointCounts.forEach((pointCount, index) => {
      const metric = writer.startMessage(2);
      writer.stringField(1, `metric ${index}`);
      const sum = writer.startMessage(7);
      for (let point = 0; point < pointCount; point++) {
        const numberPoint = writer.startMessage(1);
        writer.fixed64Field(6, BigInt(point));
        writer.endMessage(numberPoint);
      }
      writer.varintField(2, 2);
      writer.endMessage(sum);
      writer.endMessage(metric);
    });
    writer.endMessage(scope);
  });
}

function group(write: (writer: WireWriter) => void): Uint8Array {
  const writer = new WireWriter();
  const mark = writer.startMessage(1);
  write(writer);
  writer.endMessage(mark);
  return writer.finish();
}
