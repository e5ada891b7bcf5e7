import { strict as assert } from "node:assert";
import type { ComponentSettings } from "@inode-gateway/contract";
import type { ContainerRegistry } from "@inode-gateway/registry";
import { createRedisRegistryFromConfig } from "@inode-gateway/reporter";
import type { ContainerRegistryProvider } from "../../capabilities/container-registry-provider.js";
import { observeAvailability, registryObserver } from "../../capabilities/registry-metrics.js";
import type { RedisRegistryConfig } from "./config.js";
import { redisFound, redisLost } from "./events.js";

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
  #releases: (() => void)[] = [];
  /** Undefined before anything was said. */
  #saidAvailable: boolean | undefined;

  constructor(settings: ComponentSettings, config: RedisRegistryConfig) {
    this.#settings = settings;
    this.#config = config;
  }

  get containerRegistry(): ContainerRegistry {
    assert(this.#registry !== undefined, "extensions start before what asks them for a registry");
    return this.#registry;
  }

  /** @throws Error that names the key and the file when a TLS file cannot be read */
  async start(): Promise<void> {
    const observer = registryObserver(this.#settings);
    const registry = await createRedisRegistryFromConfig(this.#config, observer);
    this.#registry = registry;
    this.#releases = [
      registry.onAvailability(() => this.#sayAvailability(registry)),
      observeAvailability(this.#settings, registry),
    ];
    await registry.start();
  }

  async shutdown(): Promise<void> {
    for (const release of this.#releases.splice(0)) release();
    await this.#registry?.stop();
  }

  #sayAvailability(registry: ContainerRegistry): void {
    const { isAvailable, reason } = registry.availability;
    if (isAvailable === this.#saidAvailable) return;
    this.#saidAvailable = isAvailable;
    if (isAvailable) redisFound(this.#settings);
    else redisLost(this.#settings, reason ?? "no reason known");
  }
}
