import assert from "node:assert/strict";
import test from "node:test";
import {
  arbitraryMutation,
  arbitraryRequest,
  buildRequest,
  requestType,
} from "@inode-gateway/testkit";
import fc from "fast-check";
import { requestSchemas } from "../schema/requests.js";
import { signals } from "../signal.js";
import { checkRequest } from "./check-request.js";
import { explainFault } from "./explain-fault.js";
import { FramingError } from "./framing-error.js";

test("protobufjs, the second opinion, refuses text that is not UTF-8", () => {
  // A ResourceSpans whose schema_url is the byte 0xff.
  assert.throws(() => requestType("traces").decode(Uint8Array.of(0x0a, 3, 0x1a, 1, 0xff)));
});

for (const signal of signals) {
  test(`any valid request of ${signal} passes, and protobufjs decodes it`, () => {
    fc.assert(
      fc.property(arbitraryRequest(signal), (bytes) => {
        checkRequest(signal, bytes);
        requestType(signal).decode(bytes);
      }),
      { numRuns: 300 },
    );
  });

  // protobufjs verifies UTF-8 in proto3, tags of 32 bits and the depth of 100.
  test(`a mutated request of ${signal} is refused or still decodes`, () => {
    const outcomes = { accepted: 0, refused: 0 };
    fc.assert(
      fc.property(arbitraryRequest(signal), arbitraryMutation(), (bytes, mutate) => {
        const mutated = mutate(bytes);
        const fault = faultOf(signal, mutated);
        if (fault === undefined) requestType(signal).decode(mutated);
        else assertUsable(fault, mutated);
        outcomes[fault === undefined ? "accepted" : "refused"]++;
      }),
      { numRuns: 500 },
    );
    assert.ok(outcomes.accepted > 20 && outcomes.refused > 20, JSON.stringify(outcomes));
  });
}

// Scenario: every byte of small realistic requests, each with several values.
test("a request of an SDK with one byte changed is refused or still decodes", () => {
  for (const signal of ["traces", "metrics", "logs"] as const) {
    const request = buildRequest(signal, { itemsPerScope: 2, attributesPerItem: 2 });
    for (let offset = 0; offset < request.length; offset++) {
      const original = request[offset] ?? 0;
      for (const value of [0, original ^ 1, original ^ 0x80, original + 1, 0xff]) {
        request[offset] = value;
        if (faultOf(signal, request) === undefined) requestType(signal).decode(request);
      }
      request[offset] = original;
    }
  }
});

/** Asks the fast and the slow check and makes sure that they agree. */
function faultOf(signal: (typeof signals)[number], bytes: Uint8Array): FramingError | undefined {
  const explained = explainFault(bytes, 0, bytes.length, requestSchemas[signal], 0);
  try {
    checkRequest(signal, bytes);
  } catch (error) {
    assert.ok(error instanceof FramingError);
    assert.equal(error.message, explained?.message);
    return error;
  }
  assert.equal(explained, undefined);
  return undefined;
}

function assertUsable(fault: FramingError, bytes: Uint8Array): void {
  assert.ok(fault.byteOffset >= 0 && fault.byteOffset <= bytes.length, fault.message);
  assert.match(fault.path, /^$|^resource_\w+\[\d+\]|^dictionary/);
}
