import type { ContainerPublisher, Mapping, NodeRecord } from "@inode-gateway/registry";
import type { PendingChanges, PendingMapping } from "../discovery/pending-changes.js";
import { reporterMetrics } from "../metrics.js";
import type { ReporterConfig } from "../reporter-config.js";
import type { Clock, Logger, Meter } from "../reporter-types.js";
import { withinTime } from "./within-time.js";

/** What is published: the node's containers now. */
interface PublishedView {
  mappings(): readonly Mapping[];
  isPublished(key: string): boolean;
}

/** What a publication is made of. */
export interface PublicationOptions {
  readonly config: ReporterConfig;
  readonly node: NodeRecord;
  readonly publisher: ContainerPublisher;
  readonly view: PublishedView;
  readonly pending: PendingChanges;
  readonly logger: Logger;
  readonly meter: Meter;
  readonly clock: Clock;
}

/** How the registry is, as far as its answers tell. */
export interface RegistryStatus {
  /** Whether the latest call succeeded; false before the first one did. */
  readonly isAvailable: boolean;
  readonly lastError: string | undefined;
  readonly lastAcknowledgedUnixMs: number | undefined;
  /** Whether the registry was compared with the node since it was last away. */
  readonly isReconciled: boolean;
}

/** Mappings, and as many removals, in one call. */
const maxBatchChanges = 1_000;

const firstRetryMs = 1_000;
const lastRetryMs = 30_000;

/**
 * Keeps a registry equal to the node.
 *
 * Changes are published as they come, together with those of a few milliseconds. After any failure
 * the whole view is compared before anything else is published, since nobody knows what arrived.
 * At most one call is on its way, so that changes arrive in their order; a heartbeat may overlap.
 */
export class Publication {
  readonly #options: PublicationOptions;
  readonly #latency;
  #status: RegistryStatus = {
    isAvailable: false,
    lastError: undefined,
    lastAcknowledgedUnixMs: undefined,
    isReconciled: false,
  };
  #needsReconcile = true;
  #run: Promise<void> | undefined;
  #retryMs = firstRetryMs;
  #failures = 0;
  #runTimer: { cancel(): void } | undefined;
  #heartbeatTimer: { cancel(): void } | undefined;
  #reconcileTimer: { cancel(): void } | undefined;
  #endReconnected: (() => void) | undefined;
  #isStarted = false;
  #isStopped = false;

  constructor(options: PublicationOptions) {
    this.#options = options;
    this.#latency = options.meter.histogram(reporterMetrics.publishLatency);
  }

  get status(): RegistryStatus {
    return this.#status;
  }

  /** Publishes everything now and goes on from there. */
  start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    const { pending, view } = this.#options;
    // What the first walk saw is in the first comparison; it is no change that took its time.
    pending.takePublished((key) => view.isPublished(key));
    this.#endReconnected = this.#options.publisher.onReconnected(() => this.reconcileSoon());
    this.#scheduleHeartbeat();
    this.#scheduleReconcile();
    this.#scheduleRun(0);
  }

  /** A change waits in the pending changes. */
  changed(): void {
    if (!this.#isStarted || this.#runTimer !== undefined || this.#run !== undefined) return;
    this.#scheduleRun(this.#options.config.publish_delay);
  }

  /** Compares the registry's whole view with the node before anything else is published. */
  reconcileSoon(): void {
    if (!this.#isStarted || this.#isStopped) return;
    this.#needsReconcile = true;
    this.#retryMs = firstRetryMs;
    this.#scheduleRun(0);
  }

  /** Publishes what is pending, as long as the registry answers, until `deadlineMs`. Safe twice. */
  async stop(deadlineMs: number): Promise<void> {
    if (this.#isStopped) return;
    this.#endReconnected?.();
    this.#heartbeatTimer?.cancel();
    this.#reconcileTimer?.cancel();
    this.#runTimer?.cancel();
    const { clock, pending, logger } = this.#options;
    const leftMs = deadlineMs - clock.nowMs();
    if (this.#isStarted && leftMs > 0) {
      const last = (this.#run ?? Promise.resolve()).then(() => {
        return this.#status.isAvailable && pending.size > 0 ? this.#runOnce() : undefined;
      });
      await withinTime(clock, leftMs, last).catch(() => undefined);
    }
    this.#isStopped = true;
    this.#runTimer?.cancel();
    if (pending.size > 0) {
      logger.warn(
        "stopped with changes the registry does not have; the next start publishes them",
        {
          changes: pending.size,
        },
      );
    }
  }

  #scheduleRun(delayMs: number): void {
    if (this.#isStopped) return;
    this.#runTimer?.cancel();
    this.#runTimer = this.#options.clock.setTimer(delayMs, () => {
      this.#runTimer = undefined;
      this.#run ??= this.#runOnce()
        .catch((error: unknown) => this.#options.logger.error("publishing failed", { error }))
        .finally(() => {
          this.#run = undefined;
        });
    });
  }

  /** Publishes until nothing is pending or a call fails; never rejects. */
  async #runOnce(): Promise<void> {
    const { pending } = this.#options;
    while (!this.#isStopped && (this.#needsReconcile || pending.size > 0)) {
      const isDone = this.#needsReconcile ? await this.#reconcile() : await this.#publish();
      if (isDone) continue;
      this.#scheduleRun(this.#retryMs);
      this.#retryMs = Math.min(this.#retryMs * 2, lastRetryMs);
      return;
    }
  }

  async #reconcile(): Promise<boolean> {
    const { publisher, node, view, pending, logger, meter } = this.#options;
    // Cleared before the view is taken: what asks for it from here on needs another comparison.
    this.#needsReconcile = false;
    const published = pending.takePublished((key) => view.isPublished(key));
    const result = await this.#call("reconcile", () => publisher.reconcile(node, view.mappings()));
    if (result === undefined) {
      this.#putBack(published, []);
      return false;
    }
    this.#recordLatency(published);
    meter.counter(reporterMetrics.reconciles).add(1);
    meter.counter(reporterMetrics.publishedMappings).add(result.published);
    meter.counter(reporterMetrics.vanishedMappings).add(result.vanished);
    this.#status = { ...this.#status, isReconciled: true };
    logger.info("the registry was compared with the node", { ...result });
    return true;
  }

  async #publish(): Promise<boolean> {
    const { publisher, node, pending, meter } = this.#options;
    const { published, vanished } = pending.take(maxBatchChanges);
    const changes = { published: published.map(({ mapping }) => mapping), vanished };
    const publish = () => publisher.publish(node, changes).then(() => true);
    if ((await this.#call("publish", publish)) === undefined) {
      this.#putBack(published, vanished);
      return false;
    }
    this.#recordLatency(published);
    meter.counter(reporterMetrics.publishedMappings).add(published.length);
    meter.counter(reporterMetrics.vanishedMappings).add(vanished.length);
    return true;
  }

  #putBack(
    published: readonly PendingMapping[],
    vanished: readonly Pick<Mapping, "inode">[],
  ): void {
    const { pending, view } = this.#options;
    this.#needsReconcile = true;
    pending.putBack({ published, vanished }, (key) => view.isPublished(key));
  }

  #recordLatency(published: readonly PendingMapping[]): void {
    const nowMs = this.#options.clock.nowMs();
    for (const { seenAtMs } of published) this.#latency.record((nowMs - seenAtMs) / 1_000);
  }

  /** The answer, or undefined when the call failed or took too long. */
  async #call<Result>(
    operation: "publish" | "reconcile" | "heartbeat",
    ask: () => Promise<Result>,
  ): Promise<Result | undefined> {
    const { clock, config, meter, logger } = this.#options;
    try {
      const result = await withinTime(clock, config.publish_timeout, ask());
      if (!this.#status.isAvailable) logger.info("the registry answers", { operation });
      this.#retryMs = firstRetryMs;
      this.#failures = 0;
      this.#status = {
        ...this.#status,
        isAvailable: true,
        lastError: undefined,
        lastAcknowledgedUnixMs: clock.unixMs(),
      };
      meter.gauge(reporterMetrics.registryAvailable).set(1);
      return result;
    } catch (error) {
      const lastError = error instanceof Error ? error.message : String(error);
      this.#failures++;
      meter.counter(reporterMetrics.registryFailures, { operation }).add(1);
      meter.gauge(reporterMetrics.registryAvailable).set(0);
      // The very first call may come before the registry has connected, which is no news.
      const firstReported = this.#status.lastAcknowledgedUnixMs === undefined ? 2 : 1;
      const isNews = this.#failures === firstReported || this.#status.lastError !== lastError;
      if (isNews && this.#failures >= firstReported) {
        logger.warn("the registry does not answer, so changes are kept until it does", {
          operation,
          reason: lastError,
        });
      }
      this.#status = { ...this.#status, isAvailable: false, isReconciled: false, lastError };
      return undefined;
    }
  }

  #scheduleHeartbeat(): void {
    if (this.#isStopped) return;
    const { clock, config, logger } = this.#options;
    this.#heartbeatTimer = clock.setTimer(config.heartbeat_interval, () => {
      this.#beat()
        .catch((error: unknown) => logger.error("a heartbeat failed", { error }))
        .finally(() => this.#scheduleHeartbeat());
    });
  }

  async #beat(): Promise<void> {
    const { publisher, node } = this.#options;
    const wasAvailable = this.#status.isAvailable;
    const isDone = await this.#call("heartbeat", () => publisher.heartbeat(node).then(() => true));
    if (isDone === undefined) this.#needsReconcile = true;
    else if (!wasAvailable) this.reconcileSoon();
  }

  #scheduleReconcile(): void {
    const { clock, config } = this.#options;
    this.#reconcileTimer = clock.setTimer(config.reconcile_interval, () => {
      this.#needsReconcile = true;
      if (this.#run === undefined && this.#runTimer === undefined) this.#scheduleRun(0);
      this.#scheduleReconcile();
    });
  }
}
