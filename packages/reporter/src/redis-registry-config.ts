import { clientTls, duration, readClientTls, secret } from "@inode-gateway/config";
import {
  type ContainerRegistry,
  createRedisRegistry,
  type RegistryObserver,
} from "@inode-gateway/registry";
import { z } from "zod";

const connectionKeys = {
  endpoint: z
    .string()
    .regex(/^(?:rediss?:\/\/[^/]|unix:\/\/\/)/, {
      error: "must be redis://host:port, rediss://host:port or unix:///path",
    })
    .default("redis://localhost:6379")
    .describe("`redis://host:port[/db]`, `rediss://…` for TLS, or `unix:///path`."),
  username: z.string().optional().describe("User name of Redis ACLs."),
  password: secret().optional().describe("Password of the user, or of the whole server."),
  tls: clientTls().optional().describe("TLS options; giving them switches TLS on."),
  key_prefix: z
    .string()
    .min(1)
    .max(64)
    .regex(/^[\w.:-]+$/, { error: "may hold letters, digits and any of _ . : - only" })
    .default("inode-gateway")
    .describe("Begins every key, so that several installations can share one Redis."),
  connect_timeout: duration().prefault("5s").describe("How long one attempt to connect may take."),
  command_timeout: duration().prefault("1s").describe("How long one command may take."),
  retention: duration().prefault("1h").describe("How long a vanished container still resolves."),
  node_retention: duration().prefault("24h").describe("How long a vanished node is remembered."),
  heartbeat_timeout: duration()
    .prefault("90s")
    .describe("After how long without a heartbeat a node counts as stale."),
};

/** `registry::redis` of the `inode-reporter` executable, which writes and never looks up. */
export const redisPublisherConfig = z.strictObject(connectionKeys).superRefine(checkConnection);

/** What an operator may write for the `redis_registry` extension. */
export const redisRegistryConfig = z
  .strictObject({
    ...connectionKeys,
    cache_max_entries: z
      .int()
      .min(1)
      .max(67_108_864)
      .default(1_048_576)
      .describe("Entries of the gateway's own cache of answers."),
    negative_cache_ttl: duration()
      .prefault("1s")
      .describe("How long an unknown inode or node is not asked for again."),
  })
  .superRefine(checkConnection);

/** A checked `redis_registry` configuration; durations are milliseconds. */
export type RedisRegistryConfig = z.output<typeof redisRegistryConfig>;

/**
 * Makes a Redis registry, not yet started, from what an operator wrote.
 *
 * Reads the TLS files that the configuration names; touches no network.
 *
 * @throws Error that names the key and the file when a TLS file cannot be read
 */
export async function createRedisRegistryFromConfig(
  config: RedisRegistryConfig,
  observer?: RegistryObserver,
): Promise<ContainerRegistry> {
  const material = config.tls === undefined ? undefined : await readClientTls(config.tls);
  return createRedisRegistry({
    endpoint: config.endpoint,
    username: config.username,
    password: config.password,
    tls: material && {
      ca: material.ca,
      cert: material.cert,
      key: material.key,
      servername: material.serverNameOverride,
      rejectUnauthorized: material.insecureSkipVerify !== true,
      minVersion: material.minVersion,
      maxVersion: material.maxVersion,
      ciphers: material.cipherSuites,
      ecdhCurve: material.curves,
    },
    keyPrefix: config.key_prefix,
    connectTimeoutMs: config.connect_timeout,
    commandTimeoutMs: config.command_timeout,
    retentionMs: config.retention,
    nodeRetentionMs: config.node_retention,
    heartbeatTimeoutMs: config.heartbeat_timeout,
    cacheMaxEntries: config.cache_max_entries,
    negativeCacheMs: config.negative_cache_ttl,
    ...(observer === undefined ? {} : { observer }),
  });
}

function checkConnection(
  config: z.output<z.ZodObject<typeof connectionKeys>>,
  context: z.core.$RefinementCtx,
): void {
  const positive = [
    "connect_timeout",
    "command_timeout",
    "retention",
    "node_retention",
    "heartbeat_timeout",
  ] as const;
  for (const key of positive) {
    if (config[key] > 0) continue;
    context.addIssue({ code: "custom", path: [key], message: "must be above 0s" });
  }
  if ((config.tls?.reload_interval ?? 0) > 0) {
    context.addIssue({
      code: "custom",
      path: ["tls", "reload_interval"],
      message: "is not supported for Redis: the files are read when the process starts",
    });
  }
  if (config.tls?.insecure === true && config.endpoint.startsWith("rediss:")) {
    context.addIssue({
      code: "custom",
      path: ["tls", "insecure"],
      message: "is true although `endpoint` begins with rediss://, which asks for TLS",
    });
  }
}
