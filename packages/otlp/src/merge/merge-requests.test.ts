import assert from "node:assert/strict";
import test from "node:test";
import { buildRequest, itemsOfRequest } from "@inode-gateway/testkit";
import { checkRequest } from "../check/check-request.js";
import { mergeRequests } from "./merge-requests.js";

test("a merged request has the items of all, and shares their chunks", () => {
  const one = buildRequest("logs", { seed: 1 });
  const other = buildRequest("logs", { seed: 2 });
  const chunks = mergeRequests("logs", [[one.subarray(0, 50), one.subarray(50)], [other]]);
  assert.equal(chunks.length, 3);
  assert.equal(chunks[2], other);
  const merged = Buffer.concat(chunks);
  checkRequest("logs", merged);
  const expected = [...itemsOfRequest("logs", one), ...itemsOfRequest("logs", other)].sort();
  assert.deepEqual(itemsOfRequest("logs", merged), expected);
});

test("one request of profiles is passed on, two are refused", () => {
  const request = [Uint8Array.of(0x0a, 0)];
  assert.deepEqual(mergeRequests("profiles", [request]), request);
  assert.deepEqual(mergeRequests("profiles", []), []);
  assert.throws(() => mergeRequests("profiles", [request, request]), {
    name: "RangeError",
    message: "2 requests of profiles cannot be merged into one",
  });
});
