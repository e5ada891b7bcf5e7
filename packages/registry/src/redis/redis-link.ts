import { Redis, type RedisOptions } from "ioredis";
import { Listeners } from "../listeners.js";
import type { RedisRegistryOptions, RegistryClock, RegistryObserver } from "../registry-options.js";
import type { RedisAddress } from "./endpoint.js";
import { type FailedTarget, failureReason } from "./failure-reason.js";

/** Longest and shortest pause between two attempts to connect, before jitter. */
const reconnectDelayMaxMs = 5_000;
const reconnectDelayMinMs = 50;
/** How often an idle connection is tried, so that a dead one is noticed without being needed. */
const pingIntervalMs = 5_000;

/** What a link needs of its registry. */
export interface RedisLinkSettings {
  readonly address: RedisAddress;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly tls: RedisRegistryOptions["tls"];
  readonly connectTimeoutMs: number;
  readonly commandTimeoutMs: number;
  readonly clock: RegistryClock;
  readonly random: () => number;
  readonly observer: RegistryObserver;
  /** Shown by CLIENT LIST. */
  readonly name: string;
  /** What a new connection needs before it may be used; the link is away while it rejects. */
  readonly prepare: (client: Redis) => Promise<unknown>;
}

/**
 * One connection that comes back by itself and fails fast while it is away.
 *
 * Nothing is queued for a connection that is not there, nothing is sent twice, and an answer that
 * does not come in time ends the connection: what hangs behind it would not be answered either.
 *
 * RESP2 is asked for: RESP3 brings nothing here, is absent before Redis 6 and in many proxies, and
 * ioredis 6 silently drops some of its push messages.
 */
export class RedisLink {
  readonly #settings: RedisLinkSettings;
  readonly #target: FailedTarget;
  readonly #changed: Listeners<[]>;
  #client: Redis | undefined;
  #isAvailable = false;
  #reason: string | undefined = "not started";
  #lastError: unknown;
  /** Why we ended the connection ourselves. */
  #droppedFor: string | undefined;
  readonly #waiting = new Set<(error: Error) => void>();
  #ping: { cancel(): void } | undefined;

  constructor(settings: RedisLinkSettings) {
    this.#settings = settings;
    this.#changed = new Listeners("a Redis connection's state", settings.observer);
    this.#target = {
      shown: settings.address.shown,
      isTls: settings.address.isTls || settings.tls !== undefined,
      username: settings.username,
      hasPassword: settings.password !== undefined,
      connectTimeoutMs: settings.connectTimeoutMs,
    };
  }

  get isAvailable(): boolean {
    return this.#isAvailable;
  }

  /** A sentence for a person; undefined while available. */
  get reason(): string | undefined {
    return this.#reason;
  }

  /** Calls `listener` whenever `isAvailable` or `reason` changes. */
  onChanged(listener: () => void): () => void {
    return this.#changed.add(listener);
  }

  /** Begins connecting. Safe twice. */
  open(): void {
    if (this.#client !== undefined) return;
    const client = new Redis(this.#clientOptions());
    this.#client = client;
    client.on("error", (error: unknown) => {
      this.#lastError = error;
      if (client.status !== "ready") this.#becomeAway(failureReason(error, this.#target));
    });
    client.on("connect", () => {
      this.#lastError = undefined;
      this.#droppedFor = undefined;
    });
    client.on("ready", () => void this.#becomeReady(client));
    client.on("close", () => {
      if (this.#client === client) this.#becomeAway(this.#reasonOfClose());
    });
    this.#becomeAway(`connecting to ${this.#target.shown}`);
    // The outcome is told by the events; a first failure is followed by attempts like any other.
    client.connect().catch(() => {});
    this.#schedulePing(client);
  }

  /** Ends the connection; what waits for an answer is rejected. Safe twice and without `open`. */
  close(): void {
    const client = this.#client;
    this.#client = undefined;
    this.#ping?.cancel();
    client?.disconnect();
    this.#becomeAway("stopped");
  }

  /**
   * Runs `work` against the connection and gives its answer, within the command timeout.
   *
   * @throws Error with a sentence for a person: at once while the registry is away
   */
  async run<Answer>(work: (client: Redis) => Promise<Answer>): Promise<Answer> {
    const client = this.#client;
    if (client === undefined || !this.#isAvailable) throw this.#awayError(undefined);
    try {
      return await this.#withDeadline(client, work(client));
    } catch (error) {
      throw this.#isAvailable && this.#client === client ? error : this.#awayError(error);
    }
  }

  #awayError(cause: unknown): Error {
    return new Error(`registry is away: ${this.#reason}`, { cause });
  }

  #withDeadline<Answer>(client: Redis, answer: Promise<Answer>): Promise<Answer> {
    const { commandTimeoutMs, clock } = this.#settings;
    return new Promise((resolve, reject) => {
      const timer = clock.setTimer(commandTimeoutMs, () => {
        const reason = `${this.#target.shown} gave no answer within ${commandTimeoutMs} ms`;
        this.#dropConnection(client, reason);
        reject(new Error(reason));
      });
      this.#waiting.add(reject);
      answer.then(resolve, reject).finally(() => {
        timer.cancel();
        this.#waiting.delete(reject);
      });
    });
  }

  #dropConnection(client: Redis, reason: string): void {
    if (this.#client !== client) return;
    this.#droppedFor = reason;
    this.#becomeAway(reason);
    client.disconnect(true);
  }

  #reasonOfClose(): string {
    if (this.#droppedFor !== undefined) return this.#droppedFor;
    if (this.#isAvailable) return `${this.#target.shown} closed the connection`;
    return failureReason(this.#lastError, this.#target);
  }

  async #becomeReady(client: Redis): Promise<void> {
    try {
      // SELECT's failure is only an `error` event: going on would write into another database.
      if (this.#lastError !== undefined) throw this.#lastError;
      await this.#withDeadline(client, this.#settings.prepare(client));
    } catch (error) {
      if (this.#client !== client || client.status !== "ready") return;
      this.#dropConnection(client, failureReason(error, this.#target));
      return;
    }
    if (this.#client !== client || client.status !== "ready") return;
    this.#isAvailable = true;
    this.#reason = undefined;
    this.#changed.notify();
  }

  #becomeAway(reason: string): void {
    if (!this.#isAvailable && this.#reason === reason) return;
    this.#isAvailable = false;
    this.#reason = reason;
    // Now, not when the connection is closed at last: a peer that hangs does not even say goodbye.
    for (const reject of this.#waiting) reject(new Error(reason));
    this.#waiting.clear();
    this.#changed.notify();
  }

  /** Also ends a connection whose handshake hangs: TCP is there, but nobody answers. */
  #schedulePing(client: Redis, wasHanging = false): void {
    this.#ping = this.#settings.clock.setTimer(pingIntervalMs, () => {
      if (this.#client !== client) return;
      const isHanging = client.status === "connect" || client.status === "connecting";
      if (this.#isAvailable) this.run((connection) => connection.ping()).catch(() => {});
      else if (isHanging && wasHanging) {
        this.#dropConnection(
          client,
          `${this.#target.shown} accepts connections but does not answer`,
        );
      }
      this.#schedulePing(client, isHanging);
    });
  }

  #clientOptions(): RedisOptions & { replyMapping: "legacy" } {
    const { address, tls, random } = this.#settings;
    const place =
      address.path === undefined
        ? { host: address.host ?? "localhost", port: address.port ?? 6379 }
        : { path: address.path };
    const credentials = {
      ...(this.#settings.username === undefined ? {} : { username: this.#settings.username }),
      ...(this.#settings.password === undefined ? {} : { password: this.#settings.password }),
    };
    return {
      ...place,
      ...credentials,
      ...(this.#target.isTls ? { tls: tlsOptions(tls, address.host) } : {}),
      db: address.database,
      protocol: 2,
      replyMapping: "legacy",
      lazyConnect: true,
      connectionName: this.#settings.name,
      connectTimeout: this.#settings.connectTimeoutMs,
      disableClientInfo: true,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      autoResubscribe: false,
      // 0: every lost connection rejects what was in flight. With `null` it would never be settled,
      // since it is not sent again either.
      maxRetriesPerRequest: 0,
      retryStrategy: (attempt) => {
        const delayMs = Math.min(reconnectDelayMinMs * 2 ** (attempt - 1), reconnectDelayMaxMs);
        return Math.round(delayMs * (0.5 + random() / 2));
      },
    };
  }
}

function tlsOptions(
  tls: RedisRegistryOptions["tls"],
  host: string | undefined,
): NonNullable<RedisOptions["tls"]> {
  return {
    ...(tls?.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls?.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls?.key === undefined ? {} : { key: tls.key }),
    ...(tls?.minVersion === undefined ? {} : { minVersion: tls.minVersion }),
    ...(tls?.maxVersion === undefined ? {} : { maxVersion: tls.maxVersion }),
    ...(tls?.ciphers === undefined ? {} : { ciphers: tls.ciphers }),
    ...(tls?.ecdhCurve === undefined ? {} : { ecdhCurve: tls.ecdhCurve }),
    rejectUnauthorized: tls?.rejectUnauthorized ?? true,
    servername: tls?.servername ?? serverName(host),
  };
}

/** SNI must not be an IP address (RFC 6066); empty leaves it out and checks the address instead. */
function serverName(host: string | undefined): string {
  return host === undefined || /^[\d.]+$|:/.test(host) ? "" : host;
}
