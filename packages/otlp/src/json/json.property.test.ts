import assert from "node:assert/strict";
import { test } from "node:test";
import {
  arbitraryMutation,
  arbitraryRequest,
  buildRequest,
  decodeRequest,
  type Mutation,
} from "@inode-gateway/testkit";
import fc from "fast-check";
import { checkRequest } from "../check/check-request.js";
import { signals } from "../signal.js";
import { JsonMappingError } from "./json-mapping-error.js";
import { jsonToProtobuf } from "./json-to-protobuf.js";
import { protobufToJson } from "./protobuf-to-json.js";

for (const signal of signals) {
  test(`any request of ${signal} means the same after JSON and back`, () => {
    fc.assert(
      fc.property(arbitraryRequest(signal), (bytes) => {
        const json = protobufToJson(signal, bytes);
        const back = jsonToProtobuf(signal, json);
        checkRequest(signal, back);
        // A plain Uint8Array, since protobufjs gives out parts of what it was given.
        const original = Uint8Array.from(bytes);
        assert.deepEqual(decodeRequest(signal, back), decodeRequest(signal, original));
        assert.deepEqual(protobufToJson(signal, back), json);
      }),
      { numRuns: 400 },
    );
  });

  test(`the JSON of ${signal} is what JSON.parse reads, with white space or without`, () => {
    fc.assert(
      fc.property(arbitraryRequest(signal), fc.integer({ min: 1, max: 4 }), (bytes, indent) => {
        const json = protobufToJson(signal, bytes);
        const parsed: unknown = JSON.parse(Buffer.from(json).toString());
        const indented = Buffer.from(JSON.stringify(parsed, null, indent));
        assert.deepEqual(
          decodeRequest(signal, jsonToProtobuf(signal, indented)),
          decodeRequest(signal, withoutNegativeZero(signal, json)),
        );
      }),
      { numRuns: 200 },
    );
  });

  test(`mutated JSON of ${signal} is refused or becomes a request that decodes`, () => {
    const outcomes = { accepted: 0, refused: 0 };
    fc.assert(
      fc.property(arbitraryRequest(signal), arbitraryJsonMutation, (bytes, mutate) => {
        const mutated = mutate(protobufToJson(signal, bytes));
        const converted = convertOrRefuse(() => jsonToProtobuf(signal, mutated));
        outcomes[converted === undefined ? "refused" : "accepted"]++;
        if (converted === undefined) return;
        checkRequest(signal, converted);
        decodeRequest(signal, converted);
      }),
      { numRuns: 500 },
    );
    // Few mutated profiles are still JSON of the right shape: of 500 some 7 to 30.
    assert.ok(outcomes.accepted > 0 && outcomes.refused > 10, JSON.stringify(outcomes));
  });

  test(`mutated protobuf of ${signal} is refused or becomes JSON that is accepted`, () => {
    fc.assert(
      fc.property(arbitraryRequest(signal), arbitraryMutation(), (bytes, mutate) => {
        const mutated = mutate(bytes);
        const json = convertOrRefuse(() => protobufToJson(signal, mutated));
        if (json === undefined || !isAccepted(() => checkRequest(signal, mutated))) return;
        checkRequest(signal, jsonToProtobuf(signal, json));
      }),
      { numRuns: 500 },
    );
  });
}

// Scenario: every byte of a small realistic request, each with the characters JSON is made of.
test("a request with one byte of its JSON changed is refused or decodes", () => {
  for (const signal of ["traces", "metrics", "logs"] as const) {
    const request = buildRequest(signal, { itemsPerScope: 1, attributesPerItem: 1 });
    const json = Buffer.from(protobufToJson(signal, request));
    for (let offset = 0; offset < json.length; offset++) {
      const original = json[offset] ?? 0;
      for (const character of '{}[]":,\\ 0n') {
        json[offset] = character.charCodeAt(0);
        const converted = convertOrRefuse(() => jsonToProtobuf(signal, json));
        if (converted !== undefined) decodeRequest(signal, converted);
      }
      json[offset] = original;
    }
  }
});

test("any double and any integer come back exactly", () => {
  const request = (value: string) =>
    `{"resourceSpans":[{"resource":{"attributes":[{"value":{${value}}}]}}]}`;
  const roundTrip = (value: string) =>
    Buffer.from(
      protobufToJson("traces", jsonToProtobuf("traces", Buffer.from(request(value)))),
    ).toString();
  const double = fc.double({ noNaN: true, noDefaultInfinity: true }).filter((each) => each !== 0);
  fc.assert(
    fc.property(double, fc.boolean(), (value, asText) => {
      const quote = asText ? '"' : "";
      const json = roundTrip(`"doubleValue":${quote}${value}${quote}`);
      assert.equal(json, request(`"doubleValue":${value}`));
      // The same value with all its digits, and in scientific notation.
      for (const digits of [value.toPrecision(17), value.toExponential(20)]) {
        assert.equal(roundTrip(`"doubleValue":${digits}`), json);
      }
    }),
    { numRuns: 500 },
  );
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
      assert.equal(roundTrip(`"intValue":${value}`), request(`"intValue":"${value}"`));
    }),
    { numRuns: 500 },
  );
});

// Besides any damage, one character in the place of another: often still JSON.
const arbitraryJsonMutation: fc.Arbitrary<Mutation> = fc.oneof(
  arbitraryMutation(),
  fc
    .tuple(fc.double({ min: 0, max: 0.999, noNaN: true }), fc.constantFrom(...'0719eEn{}[]":,x'))
    .map(
      ([position, character]): Mutation =>
        (bytes) => {
          const copy = Uint8Array.from(bytes);
          copy[Math.floor(position * copy.length)] = character.charCodeAt(0);
          return copy;
        },
    ),
);

/** Fails on any error but a refusal. */
function convertOrRefuse(convert: () => Uint8Array): Uint8Array | undefined {
  try {
    return convert();
  } catch (error) {
    assert.ok(error instanceof JsonMappingError, String(error));
    return undefined;
  }
}

function isAccepted(check: () => void): boolean {
  try {
    check();
    return true;
  } catch {
    return false;
  }
}

// JSON.stringify writes -0 as 0.
function withoutNegativeZero(signal: (typeof signals)[number], json: Uint8Array): Uint8Array {
  const text = Buffer.from(json).toString();
  return jsonToProtobuf(signal, Buffer.from(JSON.stringify(JSON.parse(text))));
}
