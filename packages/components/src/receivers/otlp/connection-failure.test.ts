import assert from "node:assert/strict";
import { test } from "node:test";
import { connectionFailure } from "./connection-failure.js";

const openssl = (reason: string) =>
  `80CC212DE87F0000:error:0A00010B:SSL routines:f:${reason}:x.c:1:\n`;

for (const [message, expected] of [
  ["Received bad client magic byte string", /^the client did not begin with HTTP\/2/],
  [openssl("wrong version number"), /^the client did not begin with TLS/],
  [openssl("http request"), /^the client did not begin with TLS/],
  [openssl("tlsv1 alert unknown ca"), /^the client does not trust the certificate/],
  [openssl("peer did not return a certificate"), /^the client showed no certificate/],
  [openssl("no shared cipher"), /^TLS: no shared cipher$/],
  ["read ECONNRESET", /^read ECONNRESET$/],
] as const) {
  test(`${message.trim()} is told in words`, () => {
    assert.match(connectionFailure(new Error(message)), expected);
  });
}
