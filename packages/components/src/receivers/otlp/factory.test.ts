import assert from "node:assert/strict";
import { test } from "node:test";
import { otlpReceiverConfig } from "./config.js";
import { otlpReceiver } from "./factory.js";

test("names every extension that it asks, with the place where it is written", () => {
  const protocol = (name: string) => ({
    auth: { authenticator: `bearertokenauth/${name}` },
    middlewares: [{ id: "memory_limiter" }, { id: `memory_limiter/${name}` }],
  });
  const both = { grpc: protocol("g"), http: protocol("h") };
  const references = (protocols: object) =>
    otlpReceiver.extensions?.(otlpReceiverConfig.parse({ protocols }));
  const of = (name: "grpc" | "http", short: string) => [
    { extensionId: "memory_limiter", path: ["protocols", name, "middlewares", 0, "id"] },
    { extensionId: `memory_limiter/${short}`, path: ["protocols", name, "middlewares", 1, "id"] },
    { extensionId: `bearertokenauth/${short}`, path: ["protocols", name, "auth", "authenticator"] },
  ];
  assert.deepEqual(references(both), [...of("grpc", "g"), ...of("http", "h")]);
  assert.deepEqual(references({ http: both.http }), of("http", "h"));
  assert.deepEqual(references({ grpc: {}, http: {} }), []);
});
