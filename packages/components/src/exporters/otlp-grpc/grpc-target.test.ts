import assert from "node:assert/strict";
import { test } from "node:test";
import { parseGrpcTarget } from "./grpc-target.js";

for (const [endpoint, expected, isInsecure] of [
  ["backend:4317", "backend:4317", undefined],
  ["[::1]:4317", "[::1]:4317", undefined],
  ["http://backend:4317", "backend:4317", true],
  ["HTTP://backend:4317/", "backend:4317", true],
  ["https://backend:4317", "backend:4317", false],
  ["dns:///backend:4317", "dns:///backend:4317", undefined],
  ["dns://8.8.8.8/backend:4317", "dns://8.8.8.8/backend:4317", undefined],
  ["unix:///run/otlp.sock", "unix:///run/otlp.sock", undefined],
] as const) {
  test(`${endpoint} is a target`, () => {
    assert.deepEqual(parseGrpcTarget(endpoint), { endpoint: expected, isInsecure });
  });
}

for (const endpoint of ["", "backend", "backend:99999", "https://backend", "ftp://a:1", "a:1/x"]) {
  test(`"${endpoint}" is none`, () => {
    assert.ok("problem" in parseGrpcTarget(endpoint));
  });
}
