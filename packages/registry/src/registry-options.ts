/** Facts a registry reports about itself; every method is optional and must not throw. */
export interface RegistryObserver {
  /**
   * Keys answered, by outcome: `cache_hit` and `negative_cache_hit` from the cache, else the outcome
   * of the store's answer (`found`, `unknown_inode`, ...). Not called by `cached`, which is hot.
   */
  lookups?(outcome: string, count: number): void;
  /** `reason` is a sentence for a person, undefined while available. */
  availabilityChanged?(isAvailable: boolean, reason: string | undefined): void;
  /** Unexpected, nothing lost. Never holds a secret. */
  warning?(message: string, fields: Readonly<Record<string, unknown>>): void;
}

/** How long a registry remembers; all in milliseconds. */
export interface RegistryTimes {
  /** How long a vanished container still resolves. Default 3,600,000: late telemetry is resolved. */
  readonly retentionMs?: number;
  /** How long a vanished node is remembered. Default 86,400,000: a day's outage of its reporter. */
  readonly nodeRetentionMs?: number;
  /** After how long without a heartbeat a node is stale. Default 90,000: three heartbeats of 30 s. */
  readonly heartbeatTimeoutMs?: number;
}

/** Time, as a registry sees it. */
export interface RegistryClock {
  /** Milliseconds since the Unix epoch. */
  unixMs(): number;
  /** Calls `callback` once after `delayMs`; must not keep the process alive. */
  setTimer(delayMs: number, callback: () => void): { cancel(): void };
}

/** How a registry inside this process is made. */
export interface MemoryRegistryOptions extends RegistryTimes {
  /** Default: the system's clock. */
  readonly clock?: RegistryClock;
  readonly observer?: RegistryObserver;
}

/** TLS towards Redis; every text is PEM, not a path. */
export interface RedisTlsOptions {
  /** Certificates that are trusted besides none other; the system's when left out. */
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** Name that the server's certificate must carry. Default: the endpoint's host. */
  readonly servername?: string | undefined;
  /** Default true. */
  readonly rejectUnauthorized?: boolean | undefined;
  /** Default: Node's. */
  readonly minVersion?: "TLSv1.2" | "TLSv1.3" | undefined;
  /** Default: Node's. */
  readonly maxVersion?: "TLSv1.2" | "TLSv1.3" | undefined;
  /** As `ciphers` of node:tls takes it. Default: Node's. */
  readonly ciphers?: string | undefined;
  /** As `ecdhCurve` of node:tls takes it. Default: Node's. */
  readonly ecdhCurve?: string | undefined;
}

/** How a registry in Redis is reached. */
export interface RedisRegistryOptions extends RegistryTimes {
  /**
   * `redis://host:port/db`, `rediss://host:port/db` or `unix:///path`; user and password may stand
   * in it. What cannot be read does not throw: it becomes the reason of `availability`.
   */
  readonly endpoint: string;
  /** Wins over the one in `endpoint`. */
  readonly username?: string | undefined;
  /** Wins over the one in `endpoint`. */
  readonly password?: string | undefined;
  /** Set, also when empty, it turns TLS on; `rediss://` does the same. */
  readonly tls?: RedisTlsOptions | undefined;
  /** Begins every key. Default `inode-gateway`. */
  readonly keyPrefix?: string;
  /** Default 5,000. */
  readonly connectTimeoutMs?: number;
  /** Longest wait for one answer, and so the longest `lookup`. Default 1,000. */
  readonly commandTimeoutMs?: number;
  /** Entries of the gateway-side cache. Default 1,048,576: about 50 MB without the records. */
  readonly cacheMaxEntries?: number;
  /** How long an `unknown_*` answer is believed. Default 1,000. */
  readonly negativeCacheMs?: number;
  /** Default: the system's clock. */
  readonly clock?: RegistryClock;
  /** Uniform in [0, 1), spreads reconnection attempts. Default `Math.random`. */
  readonly random?: () => number;
  /**
   * Whose clock stamps heartbeats and retention. Default `server`: one clock for all reporters and
   * gateways. `client` takes `clock`, so that tests can move time.
   */
  readonly timeSource?: "server" | "client";
  readonly observer?: RegistryObserver;
}

/** The times that hold when none were given. */
export const defaultRegistryTimes: Required<RegistryTimes> = {
  retentionMs: 3_600_000,
  nodeRetentionMs: 86_400_000,
  heartbeatTimeoutMs: 90_000,
};

/** The times to use: what was given, the defaults for the rest. */
export function registryTimes(given: RegistryTimes): Required<RegistryTimes> {
  return {
    retentionMs: given.retentionMs ?? defaultRegistryTimes.retentionMs,
    nodeRetentionMs: given.nodeRetentionMs ?? defaultRegistryTimes.nodeRetentionMs,
    heartbeatTimeoutMs: given.heartbeatTimeoutMs ?? defaultRegistryTimes.heartbeatTimeoutMs,
  };
}

/** The machine's own time; timers do not keep the process alive. */
export const systemClock: RegistryClock = {
  unixMs: () => Date.now(),
  setTimer: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs).unref();
    return { cancel: () => clearTimeout(timer) };
  },
};
