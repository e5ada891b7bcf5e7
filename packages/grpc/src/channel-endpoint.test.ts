import assert from "node:assert/strict";
import { test } from "node:test";
import { parseChannelEndpoint } from "./channel-endpoint.js";

test("takes every form of endpoint apart", () => {
  const forms = [
    ["backend:4317", "dns:///backend:4317", "backend", false],
    ["backend.example.", "dns:///backend.example.:443", "backend.example.", false],
    ["dns:///backend:1", "dns:///backend:1", "backend", false],
    ["dns:backend:65535", "dns:///backend:65535", "backend", false],
    ["localhost:4317", "dns:///localhost:4317", "localhost", true],
    ["127.0.0.9:4317", "dns:///127.0.0.9:4317", "127.0.0.9", true],
    ["10.0.0.1:4317", "dns:///10.0.0.1:4317", "10.0.0.1", false],
    ["127.example:4317", "dns:///127.example:4317", "127.example", false],
    ["[::1]:4317", "dns:///[::1]:4317", "::1", true],
    ["[2001:db8::1]", "dns:///[2001:db8::1]:443", "2001:db8::1", false],
    ["unix:///run/a.sock", "unix:/run/a.sock", "localhost", true],
    ["unix:/run/a.sock", "unix:/run/a.sock", "localhost", true],
    ["unix:a.sock", "unix:a.sock", "localhost", true],
  ] as const;
  for (const [endpoint, target, host, isLocal] of forms) {
    assert.deepEqual(parseChannelEndpoint(endpoint), { target, host, isLocal });
  }
});

test("refuses anything else and quotes it", () => {
  const wrong = [
    "",
    ":4317",
    "backend:",
    "backend:0",
    "backend:65536",
    "backend:port",
    "::1:4317",
    "[backend]:4317",
    "http://backend:4317",
    "dns://8.8.8.8/backend:4317",
    "xds:///backend",
    "backend:4317/path",
    "unix:",
    "a b:4317",
  ];
  for (const endpoint of wrong) {
    assert.throws(
      () => parseChannelEndpoint(endpoint),
      (error: Error) => error.message.startsWith(`the endpoint \`${endpoint}\` is none of`),
      endpoint,
    );
  }
});
