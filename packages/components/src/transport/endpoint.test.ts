import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { formatEndpoint, listenError, parseListenEndpoint } from "./endpoint.js";

suite("parseListenEndpoint", () => {
  for (const [text, host, port] of [
    ["localhost:4317", "localhost", 4317],
    ["0.0.0.0:0", "0.0.0.0", 0],
    ["[::1]:65535", "::1", 65_535],
    [":4318", "", 4318],
  ] as const) {
    test(`takes ${text} apart`, () => {
      assert.deepEqual(parseListenEndpoint(text), { host, port });
    });
  }

  for (const text of [
    "",
    "localhost",
    "a:65536",
    "a:-1",
    "a:x",
    "::1:80",
    "http://a:80",
    "a b:80",
  ]) {
    test(`refuses "${text}"`, () => {
      assert.ok("problem" in parseListenEndpoint(text));
    });
  }
});

test("an IPv6 address is written with brackets", () => {
  assert.equal(formatEndpoint("::1", 80), "[::1]:80");
  assert.equal(formatEndpoint("127.0.0.1", 80), "127.0.0.1:80");
});

test("the error of a port in use names key, endpoint, reason and way out", () => {
  const cause = Object.assign(new Error("listen EADDRINUSE"), { code: "EADDRINUSE" });
  const error = listenError("protocols::grpc::endpoint", "localhost:4317", cause);
  assert.equal(
    error.message,
    "cannot listen on `protocols::grpc::endpoint` localhost:4317: another process listens there; stop it (`ss -ltnp` names it), or set another port (EADDRINUSE)",
  );
  assert.equal((error as NodeJS.ErrnoException).code, "EADDRINUSE");
  assert.equal(error.cause, cause);
});
