import { after, before } from "node:test";
import {
  type RedisServer,
  type RegistryFixture,
  runRegistrySuite,
  startRedis,
  waitUntil,
} from "@inode-gateway/testkit";
import { Redis } from "ioredis";
import type { ContainerRegistry } from "../container-registry.js";
import { systemClock } from "../registry-options.js";
import { RegistryKeys } from "./keys.js";
import { createRedisRegistry } from "./redis-registry.js";

let server: RedisServer;
let admin: Redis;
let fixtureCount = 0;

before(async () => {
  server = await startRedis();
  admin = new Redis(server.port, "127.0.0.1", { protocol: 2 });
});

after(async () => {
  admin.disconnect();
  await server.stop();
});

runRegistrySuite("redis", async (times): Promise<RegistryFixture> => {
  const keyPrefix = `suite-${fixtureCount++}`;
  const channel = new RegistryKeys(keyPrefix).publications;
  const opened: ContainerRegistry[] = [];
  let nowUnixMs = Date.UTC(2026, 0, 1);
  let subscriberCount = 0;
  const clock = { ...systemClock, unixMs: () => nowUnixMs };

  const open = async (): Promise<ContainerRegistry> => {
    const registry = createRedisRegistry({
      ...times,
      endpoint: server.endpoint,
      keyPrefix,
      clock,
      timeSource: "client",
    });
    opened.push(registry);
    await registry.start();
    await waitUntil(() => registry.availability.isAvailable, { description: "a connection" });
    return registry;
  };

  return {
    reporter: await open(),
    otherReporter: await open(),
    openGateway: async () => {
      const gateway = await open();
      gateway.onPublished(() => {});
      subscriberCount++;
      await waitUntil(async () => {
        const [, count] = (await admin.pubsub("NUMSUB", channel)) as [string, number];
        return Number(count) === subscriberCount;
      });
      return gateway;
    },
    advance: (ms) => {
      nowUnixMs += ms;
    },
    close: async () => {
      await Promise.all(opened.map((registry) => registry.stop()));
    },
  };
});
