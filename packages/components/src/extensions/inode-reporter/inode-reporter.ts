import type { ComponentSettings, Extension, Host, Timer } from "@inode-gateway/contract";
import { createReporter, type Reporter } from "@inode-gateway/reporter";
import { containerRegistryOf } from "../../capabilities/container-registry-provider.js";
import type { InodeReporterConfig } from "./config.js";
import { reporterReady } from "./metrics.js";

/** How often the reporter's own view of itself is turned into the extension's status. */
const STATUS_INTERVAL_MS = 1_000;

/** Follows the containers of the gateway's own node and publishes them into a registry extension. */
export class InodeReporterExtension implements Extension {
  readonly #settings: ComponentSettings;
  readonly #config: InodeReporterConfig;
  #reporter: Reporter | undefined;
  #timer: Timer | undefined;
  #endObservation: (() => void) | undefined;
  #reported: string | undefined = "never";

  constructor(settings: ComponentSettings, config: InodeReporterConfig) {
    this.#settings = settings;
    this.#config = config;
  }

  /** @throws Error when the boot ID or the cgroup file system cannot be read, naming the key */
  async start(host: Host): Promise<void> {
    const { build, clock, id: extension, logger, meter } = this.#settings;
    const { registry, ...config } = this.#config;
    const publisher = containerRegistryOf(host, registry);
    const options = { config, logger, meter, clock, version: build.version };
    const reporter = createReporter(options, publisher);
    this.#reporter = reporter;
    await reporter.start();
    this.#endObservation = meter.observe(reporterReady, { extension }, () =>
      reporter.status().isReady ? 1 : 0,
    );
    this.#followStatus(reporter);
  }

  async shutdown(deadlineMs: number): Promise<void> {
    this.#timer?.cancel();
    this.#endObservation?.();
    await this.#reporter?.stop(deadlineMs);
  }

  /** A reporter changes its mind by itself, such as when the registry comes back. */
  #followStatus(reporter: Reporter): void {
    const { isReady, reason } = reporter.status();
    const problem = isReady ? undefined : (reason ?? "not ready");
    if (problem !== this.#reported) {
      this.#reported = problem;
      this.#settings.reportState(isReady ? "ok" : "recoverable_error", problem);
    }
    this.#timer = this.#settings.clock.setTimer(STATUS_INTERVAL_MS, () =>
      this.#followStatus(reporter),
    );
  }
}
