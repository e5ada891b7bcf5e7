import assert from "node:assert/strict";
import { test } from "node:test";
import { connectFailureText } from "./connect-failure-text.js";

const nested =
  "round_robin: No connection established. Last error: No connection established. Last error: ";
const ssl =
  "805C09E5837F0000:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../ssl3_record.c:350:\n";

for (const [details, expected] of [
  [
    `${nested}Error: connect ECONNREFUSED 127.0.0.1:1. Resolution note: `,
    "no connection: connect ECONNREFUSED 127.0.0.1:1",
  ],
  [
    "No connection established. Last error: Error: self-signed certificate. Resolution note: x",
    "no connection: self-signed certificate",
  ],
  [`${nested}Error: ${ssl}. Resolution note: `, "no connection: TLS: wrong version number"],
  [
    `${nested}Failed to connect (2026-01-01T00:00:00.000Z). Resolution note: `,
    "no connection: the connection was closed before it was ready",
  ],
  [
    "Name resolution failed for target dns:backend.invalid:4317",
    "no connection: the name backend.invalid:4317 does not resolve",
  ],
  ["the backend is full", "the backend is full"],
] as const) {
  test(`says "${expected}"`, () => assert.equal(connectFailureText(details), expected));
}
