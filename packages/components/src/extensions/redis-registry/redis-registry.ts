import { strict as assert } from "node:assert";
import type { ComponentSettings, Timer } from "@inode-gateway/contract";
import type { ContainerRegistry } from "@inode-gateway/registry";
import { createRedisRegistryFromConfig } from "@inode-gateway/reporter";
import type { ContainerRegistryProvider } from "../../capabilities/container-registry-provider.js";
import { observeAvailability, registryObserver } from "../../capabilities/registry-metrics.js";
import type { RedisRegistryConfig } from "./config.js";
import { redisFound, redisLost, redisStillAway } from "./events.js";

/**
 * How long Redis must be away before it is said: a connection that is just being made is no news,
 * and neither is one that is lost and made again at once.
 */
const AWAY_MS_MIN = 1_000;

/**
 * How long the start waits for the first connection: a gateway that is called ready before it can
 * ask lets the first telemetry of every new replica pass unresolved.
 */
const FIRST_CONNECTION_MS_MAX = 1_000;

/** How often the first connection is waited for again while nothing says yet what is wrong with it. */
const CONNECTING_WAITS_MAX = 10;

/**
 * A registry in Redis, shared by all gateways and filled by the nodes' reporters.
 *
 * A Redis that is away is never a reason not to start: it is said once, shown by health checks, and
 * everything recovers by itself.
 */
export class RedisRegistryExtension implements ContainerRegistryProvider {
  readonly #settings: ComponentSettings;
  readonly #config: RedisRegistryConfig;
  #registry: ContainerRegistry | undefined;
  #endObservation: (() => void) | undefined;
  #awayTimer: Timer | undefined;
  /** What was said last; nothing at first. */
  #said: { readonly isAvailable: boolean; readonly reason: string | undefined } | undefined;
  /** What the registry says first: that it is connecting. */
  #connecting: string | undefined;
  #connectingWaits = 0;
  /** Ends the start's wait for the first connection. */
  #endFirstWait: (() => void) | undefined;
  #isStopped = false;

  constructor(settings: ComponentSettings, config: RedisRegistryConfig) {
    this.#settings = settings;
    this.#config = config;
  }

  get containerRegistry(): ContainerRegistry {
    assert(this.#registry !== undefined, "extensions start before what asks them for a registry");
    return this.#registry;
  }

  /**
   * Resolves when Redis can be asked, when it is known why not, or after a second.
   *
   * @throws Error that names the key and the file when a TLS file cannot be read
   */
  async start(): Promise<void> {
    const registry = await createRedisRegistryFromConfig(this.#config, {
      ...registryObserver(this.#settings),
      availabilityChanged: () => this.#availabilityChanged(),
    });
    if (this.#isStopped) return;
    this.#registry = registry;
    this.#endObservation = observeAvailability(this.#settings, registry);
    await registry.start();
    await this.#firstConnection();
  }

  async shutdown(): Promise<void> {
    this.#isStopped = true;
    this.#endFirstWait?.();
    this.#awayTimer?.cancel();
    this.#endObservation?.();
    await this.#registry?.stop();
  }

  #firstConnection(): Promise<void> {
    if (this.#isStopped || !this.#isConnecting()) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = this.#settings.clock.setTimer(FIRST_CONNECTION_MS_MAX, resolve);
      this.#endFirstWait = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  /** Whether nothing is known yet but that the first connection is being made. */
  #isConnecting(): boolean {
    const { isAvailable, reason } = this.containerRegistry.availability;
    return !isAvailable && reason === this.#connecting;
  }

  #availabilityChanged(): void {
    if (this.#isStopped) return;
    this.#connecting ??= this.containerRegistry.availability.reason;
    if (!this.#isConnecting()) this.#endFirstWait?.();
    if (this.containerRegistry.availability.isAvailable) {
      this.#awayTimer?.cancel();
      this.#awayTimer = undefined;
      this.#say();
    } else if (this.#said?.isAvailable === false) this.#say();
    else {
      this.#awayTimer ??= this.#sayLater();
    }
  }

  #sayLater(): Timer {
    return this.#settings.clock.setTimer(AWAY_MS_MIN, () => {
      this.#awayTimer = undefined;
      // "Connecting" helps nobody; why it fails is known when the attempt has timed out.
      if (this.#isConnecting() && this.#connectingWaits++ < CONNECTING_WAITS_MAX) {
        this.#awayTimer = this.#sayLater();
      } else this.#say();
    });
  }

  #say(): void {
    const { isAvailable, reason = "no reason is known" } = this.containerRegistry.availability;
    const before = this.#said;
    this.#said = { isAvailable, reason };
    if (isAvailable) {
      if (before?.isAvailable !== true) redisFound(this.#settings);
    } else if (before?.isAvailable !== false) redisLost(this.#settings, reason);
    else if (before.reason !== reason) redisStillAway(this.#settings, reason);
  }
}
