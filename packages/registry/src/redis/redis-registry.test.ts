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
import { type RegistryTimes, systemClock } from "../registry-options.js";
import { RegistryKeys } from "./keys.js";
import { createRedisRegistry } from "./redis-registry.js";

let fixtureCount = 0;

// The second checks that every command's keys are in one slot: a Cluster refuses it otherwise. One
// node that holds all slots does so as well.
for (const isCluster of [false, true]) {
  let server: RedisServer;
  let admin: Redis;

  before(async () => {
    server = await startRedis({ arguments: isCluster ? ["--cluster-enabled", "yes"] : [] });
    admin = new Redis(server.port, "127.0.0.1", { protocol: 2 });
    if (!isCluster) return;
    await admin.cluster("ADDSLOTSRANGE", 0, 16_383);
    await waitUntil(async () => `${await admin.cluster("INFO")}`.includes("cluster_state:ok"));
  });

  after(async () => {
    admin.disconnect();
    await server.stop();
  });

  const name = isCluster ? "redis with the rules of a Cluster" : "redis";
  runRegistrySuite(name, (times) => createFixture(server, admin, times));
}

async function createFixture(
  server: RedisServer,
  admin: Redis,
  times: Required<RegistryTimes>,
): Promise<RegistryFixture> {
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
}
