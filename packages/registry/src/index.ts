import type { ContainerRegistry, Mapping, NodeRecord } from "./container-registry.js";

export type * from "./container-registry.js";
/** Facts a registry reports about itself; every method is optional. */
export interface RegistryObserver {
  /** Keys asked of the cache or the store, by outcome (`cache_hit`, `found`, `unknown_inode`, ...). */
  lookups?(outcome: string, count: number): void;
  availabilityChanged?(isAvailable: boolean, reason: string | undefined): void;
  warning?(message: string, fields: Readonly<Record<string, unknown>>): void;
}
export interface RegistryTimes {
  /** How long a vanished container still resolves. Default 3,600,000. */
  readonly retentionMs?: number;
  /** How long a vanished node is remembered. Default 86,400,000. */
  readonly nodeRetentionMs?: number;
  /** After how long without a heartbeat a node counts as stale. Default 90,000. */
  readonly heartbeatTimeoutMs?: number;
}
export interface RegistryClock {
  unixMs(): number;
  setTimer(delayMs: number, callback: () => void): { cancel(): void };
}
export interface MemoryRegistryOptions extends RegistryTimes {
  readonly clock?: RegistryClock;
  readonly observer?: RegistryObserver;
}
export interface RedisRegistryOptions extends RegistryTimes {
  /** `redis://host:port/db`, `rediss://…` or `unix:///path`. */
  readonly endpoint: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly tls?:
    | {
        readonly ca?: string | undefined;
        readonly cert?: string | undefined;
        readonly key?: string | undefined;
        readonly servername?: string | undefined;
        readonly rejectUnauthorized?: boolean | undefined;
      }
    | undefined;
  /** Begins every key. Default `inode-gateway`. */
  readonly keyPrefix?: string;
  readonly connectTimeoutMs?: number;
  readonly commandTimeoutMs?: number;
  /** Entries of the gateway-side cache. Default 1,048,576. */
  readonly cacheMaxEntries?: number;
  /** How long an `unknown_*` answer is believed. Default 1,000. */
  readonly negativeCacheMs?: number;
  readonly clock?: RegistryClock;
  readonly observer?: RegistryObserver;
}
export declare function createMemoryRegistry(options?: MemoryRegistryOptions): ContainerRegistry;
export declare function createRedisRegistry(options: RedisRegistryOptions): ContainerRegistry;
/** One line of `registry export`: `boot_id`, `device`, `inode`, `container_id`, attributes by name. */
export declare function formatMappingLine(bootId: string, mapping: Mapping): string;
export declare function parseMappingLine(line: string): {
  readonly bootId: string;
  readonly mapping: Mapping;
};
export type { NodeRecord };
