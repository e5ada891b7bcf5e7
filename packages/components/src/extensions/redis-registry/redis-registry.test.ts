import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { suite, type TestContext, test } from "node:test";
import {
  createTestSettings,
  realClock,
  runLifecycleSuite,
  startRedis,
  waitUntil,
} from "@inode-gateway/testkit";
import { redisRegistryConfig } from "./config.js";
import { redisRegistry } from "./factory.js";
import { RedisRegistryExtension } from "./redis-registry.js";

const BOOT_ID = "9a2f4c1e-52b7-4a39-8f0d-6d1c83e0b7aa";
const node = {
  bootId: BOOT_ID,
  hostName: "h",
  kernelRelease: "",
  reporterVersion: "",
  hierarchy: "v2",
  devices: [38],
} as const;

async function startExtension(context: TestContext, config: Record<string, unknown>) {
  const settings = createTestSettings({
    id: "redis_registry",
    kind: "extension",
    clock: realClock,
  });
  const extension = new RedisRegistryExtension(settings, redisRegistryConfig.parse(config));
  context.after(() => extension.shutdown());
  await extension.start();
  return { extension, settings };
}

async function closedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

function isThere(get: () => unknown): boolean {
  try {
    return get() !== undefined;
  } catch {
    return false;
  }
}

suite("redis_registry", () => {
  test("gives what a reporter published and counts what it was asked", async (context) => {
    await using redis = await startRedis();
    const { extension, settings } = await startExtension(context, { endpoint: redis.endpoint });
    const registry = extension.containerRegistry;
    await waitUntil(() => registry.availability.isAvailable);
    const record = { containerId: "a".repeat(64), attributes: { "k8s.pod.name": "p" } };
    await registry.publish(node, { published: [{ inode: 5, record }], vanished: [] });

    const answers = await registry.lookup([
      { bootId: BOOT_ID, inode: 5 },
      { bootId: BOOT_ID, inode: 6 },
    ]);
    assert.deepEqual(
      answers.map(({ outcome }) => outcome),
      ["found", "unknown_inode"],
    );
    const { meter } = settings;
    assert.equal(meter.sum("inode_gateway_registry_lookups", { outcome: "found" }), 1);
    assert.equal(meter.sum("inode_gateway_registry_available"), 1);
    assert.deepEqual(settings.states, [{ state: "ok", reason: undefined }]);
    await extension.shutdown();
  });

  test("once it has started, it can be asked: the first Resource is not passed on unresolved", async (context) => {
    await using redis = await startRedis();
    for (let round = 0; round < 5; round++) {
      const { extension } = await startExtension(context, { endpoint: redis.endpoint });
      assert.equal(extension.containerRegistry.availability.isAvailable, true);
      await extension.shutdown();
    }
  });

  // Scenario: SIGSTOP: Redis takes the connection and never answers.
  test("a Redis that hangs holds the start up for a second, and a stop ends that too", async (context) => {
    await using redis = await startRedis();
    await redis.pause();
    const startMs = performance.now();
    await startExtension(context, { endpoint: redis.endpoint });
    const tookMs = performance.now() - startMs;
    assert.ok(tookMs >= 990 && tookMs < 3_000, `${tookMs} ms`);

    for (const isWaiting of [false, true]) {
      const settings = createTestSettings({ id: "r", kind: "extension", clock: realClock });
      const config = redisRegistryConfig.parse({ endpoint: redis.endpoint });
      const stopped = new RedisRegistryExtension(settings, config);
      const starting = stopped.start();
      if (isWaiting) await waitUntil(() => isThere(() => stopped.containerRegistry));
      const stopMs = performance.now();
      await stopped.shutdown();
      await starting;
      assert.ok(performance.now() - stopMs < 900);
    }
    redis.resume();
  });

  test("starts while Redis is away, says so once and recovers when it comes", async (context) => {
    await using redis = await startRedis();
    await redis.kill();
    const { extension, settings } = await startExtension(context, { endpoint: redis.endpoint });
    const registry = extension.containerRegistry;
    await waitUntil(() => settings.logger.messages("warn").length > 0);
    const [state] = settings.states;
    assert.equal(state?.state, "recoverable_error");
    assert.match(state?.reason ?? "", /^Redis is away: .*127\.0\.0\.1/);
    const [answer] = await registry.lookup([{ bootId: BOOT_ID, inode: 5 }]);
    assert.equal(answer?.outcome, "unavailable");

    await redis.restart();
    await waitUntil(() => registry.availability.isAvailable, { limitMs: 20_000 });
    assert.equal(settings.states.at(-1)?.state, "ok");
    assert.equal(
      settings.logger.messages("warn").length,
      1,
      "said once, however often it was tried",
    );
    assert.equal(settings.meter.sum("inode_gateway_registry_availability_changes"), 2);

    await redis.kill();
    await waitUntil(() => settings.logger.messages("warn").length === 2);
    assert.equal(settings.states.at(-1)?.state, "recoverable_error");
    assert.equal(settings.meter.sum("inode_gateway_registry_available"), 0);
    await extension.shutdown();
  });

  // Scenario: a Redis without TLS takes the handshake for a command and waits for its end.
  test("waits for the reason before it says that Redis is away", async (context) => {
    await using redis = await startRedis();
    const config = { endpoint: `rediss://127.0.0.1:${redis.port}`, connect_timeout: "1500ms" };
    const { extension, settings } = await startExtension(context, config);
    await waitUntil(() => settings.states.length > 0, { limitMs: 15_000 });
    assert.match(settings.states[0]?.reason ?? "", /whether that Redis speaks TLS|does not answer/);
    await extension.shutdown();
  });

  test("a wrong password is the reason that is shown", async (context) => {
    await using redis = await startRedis({ password: "right" });
    const config = { endpoint: redis.endpoint, password: "wrong" };
    const { extension, settings } = await startExtension(context, config);
    await waitUntil(() => settings.states.length > 0);
    assert.match(settings.states[0]?.reason ?? "", /password/);
    assert.doesNotMatch(
      JSON.stringify([settings.states, settings.logger.records]),
      /"wrong"|right/,
    );
    await extension.shutdown();
  });

  test("a certificate file that cannot be read is an error at the start", async (context) => {
    const config = { endpoint: "rediss://localhost:1", tls: { ca_file: "/nowhere/ca.pem" } };
    await assert.rejects(startExtension(context, config), /ca_file.*\/nowhere\/ca\.pem/);
  });
});

const port = await closedPort();
runLifecycleSuite(redisRegistry, { config: { endpoint: `redis://127.0.0.1:${port}` } });
