import {
  type RedisRegistryOptions,
  type RegistryClock,
  type RegistryObserver,
  type RegistryTimes,
  registryTimes,
  systemClock,
} from "../registry-options.js";
import { parseRedisEndpoint, type RedisAddress } from "./endpoint.js";
import { RegistryKeys } from "./keys.js";
import type { RedisLinkSettings } from "./redis-link.js";

/** Options with every default applied. */
export interface ResolvedSettings {
  readonly keys: RegistryKeys;
  readonly times: Required<RegistryTimes>;
  readonly clock: RegistryClock;
  readonly observer: RegistryObserver;
  readonly timeSource: "server" | "client";
  /** The time to give a Lua command: empty for the server's own. */
  readonly now: () => string;
  readonly cacheMaxEntries: number;
  readonly negativeCacheMs: number;
  readonly link: Omit<RedisLinkSettings, "prepare" | "name">;
  /** Why the endpoint cannot be read; the registry is then away for good. */
  readonly endpointError: string | undefined;
}

const nowhere: RedisAddress = {
  shown: "nowhere",
  isTls: false,
  host: undefined,
  port: undefined,
  path: undefined,
  database: 0,
  username: undefined,
  password: undefined,
};

/** Applies the defaults. An endpoint that cannot be read becomes `endpointError`. */
export function resolveSettings(options: RedisRegistryOptions): ResolvedSettings {
  const clock = options.clock ?? systemClock;
  const observer = options.observer ?? {};
  const timeSource = options.timeSource ?? "server";
  const { address, endpointError } = addressOf(options.endpoint);
  return {
    keys: new RegistryKeys(options.keyPrefix ?? "inode-gateway"),
    times: registryTimes(options),
    clock,
    observer,
    timeSource,
    now: () => (timeSource === "client" ? String(clock.unixMs()) : ""),
    cacheMaxEntries: options.cacheMaxEntries ?? 1_048_576,
    negativeCacheMs: options.negativeCacheMs ?? 1_000,
    endpointError,
    link: {
      address,
      username: options.username ?? address.username,
      password: options.password ?? address.password,
      tls: options.tls,
      connectTimeoutMs: options.connectTimeoutMs ?? 5_000,
      commandTimeoutMs: options.commandTimeoutMs ?? 1_000,
      clock,
      random: options.random ?? Math.random,
      observer,
    },
  };
}

function addressOf(endpoint: string): { address: RedisAddress; endpointError: string | undefined } {
  try {
    return { address: parseRedisEndpoint(endpoint), endpointError: undefined };
  } catch (error) {
    const endpointError = error instanceof Error ? error.message : String(error);
    return { address: nowhere, endpointError };
  }
}
