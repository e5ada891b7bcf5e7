import assert from "node:assert/strict";
import test from "node:test";
import { checkRequest } from "@inode-gateway/otlp";
import { buildRequest } from "./build-request.js";
import { decodeRequest } from "./decode-request.js";
import { decodedItemCount, itemsOfRequest } from "./items-of-request.js";

const signals = ["traces", "metrics", "logs"] as const;

test("built requests are well-framed, and protobufjs finds what was asked for", () => {
  for (const signal of signals) {
    const request = buildRequest(signal, { resources: 2, scopesPerResource: 3, itemsPerScope: 4 });
    checkRequest(signal, request);
    assert.equal(decodedItemCount(signal, request), 24);
    assert.equal(new Set(itemsOfRequest(signal, request)).size, 24);
  }
});

test("the same seed gives the same bytes, another seed others", () => {
  for (const signal of signals) {
    assert.deepEqual(buildRequest(signal, { seed: 5 }), buildRequest(signal, { seed: 5 }));
    assert.notDeepEqual(buildRequest(signal, { seed: 5 }), buildRequest(signal, { seed: 6 }));
  }
});

test("items are as large as those of published comparisons", () => {
  const bytesPerItem = (signal: (typeof signals)[number]) =>
    buildRequest(signal, { itemsPerScope: 512 }).length / 512;
  assert.ok(Math.abs(bytesPerItem("traces") - 441) < 2, `${bytesPerItem("traces")}`);
  assert.ok(Math.abs(bytesPerItem("logs") - 360) < 6, `${bytesPerItem("logs")}`);
});

test("attributes of the Resource and the number of those of an item are the caller's", () => {
  const request = buildRequest("traces", {
    itemsPerScope: 1,
    attributesPerItem: 13,
    resourceAttributes: (index) => ({ "container.cgroup.inode": 40 + index }),
  });
  const decoded = decodeRequest("traces", request) as {
    readonly resource_spans: readonly {
      readonly resource: unknown;
      readonly scope_spans: readonly { readonly spans: readonly { attributes: unknown[] }[] }[];
    }[];
  };
  const [group] = decoded.resource_spans;
  assert.deepEqual(group?.resource, {
    attributes: [{ key: "container.cgroup.inode", value: { int_value: "40" } }],
  });
  assert.equal(group?.scope_spans[0]?.spans[0]?.attributes.length, 13);
});
