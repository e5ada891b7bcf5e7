import { type ComponentSettings, RetryableError, type Timer } from "@inode-gateway/contract";
import { LogInterval } from "../transport/log-interval.js";
import { CollectionPacing } from "./collection-pacing.js";
import type { MemoryLimitConfig } from "./config.js";
import { hardLimitExceeded, mebibytes, refusalBegan, refusalEnded } from "./events.js";
import { type MemoryLimits, resolveLimits } from "./memory-limits.js";
import * as metrics from "./metrics.js";
import type { CollectionDepth, MemoryReading, ProcessMemory } from "./process-memory.js";
import { RecoveryTime } from "./recovery-time.js";

/** A question looks again when the last look is older: 10 us in 10 ms are a thousandth. */
const LOOK_AGAIN_MS = 10;
/** How often is looked while everything is refused: collected buffers are freed within this time. */
const RECOVERY_LOOK_MS = 200;
/** Young garbage is collected at most this often while memory is close to its limit. */
const YOUNG_INTERVAL_MS = 100;
/** How far below the soft limit memory must be to be taken again, as a share of the spike. */
const REOPEN_MARGIN_SHARE = 0.25;
/** However high resident memory is, this share of the soft limit may be in use. */
const IN_USE_SHARE_MIN = 0.5;
/** After this time the soft limit itself will do: what is left may be in use for good. */
const REOPEN_MARGIN_LASTS_MS = 30_000;

/**
 * Least growth of resident memory that is allowed when little is in use, as a share of the spike.
 */
const CEILING_STEP_SHARE = 0.0625;

/** Told when refusing begins and ends. */
export type RefusalListener = (isRefusing: boolean) => void;

const nothing: MemoryReading = { rss: 0, heapUsed: 0, heapTotal: 0, external: 0 };

/**
 * Watches the memory of the process and says whether more may come in.
 *
 * Resident memory at the soft limit ends it. What brings memory back is a forced collection: nothing
 * is allocated while all is refused, so that V8 sees no reason to collect. The allocator mostly keeps
 * what was freed; resident memory then stays high although most of it is free for what comes next.
 * So intake also begins again when what is in use has come down; from then on what is in use must
 * stay below the soft limit, and resident memory below the hard one.
 */
export class MemoryGuard {
  readonly #settings: ComponentSettings;
  readonly #config: MemoryLimitConfig;
  readonly #memory: ProcessMemory;
  readonly #log: LogInterval;
  readonly #listeners = new Set<RefusalListener>();
  readonly #recovery = new RecoveryTime();
  #pacing: CollectionPacing;
  #limits: MemoryLimits | undefined;
  #ready: Promise<void> | undefined;
  #reading = nothing;
  /** Code, stacks and what else is neither on the heap nor a buffer, at the start. */
  #nativeBytes = 0;
  /** Resident memory from which intake ends, however little of it is in use. */
  #ceilingBytes = 0;
  /** What may be in use while resident memory is above the soft limit. */
  #inUseCeilingBytes = 0;
  #lookedMs = 0;
  #refusingSinceMs: number | undefined;
  #collectedYoungMs = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;
  #releases: (() => void)[] = [];

  constructor(settings: ComponentSettings, config: MemoryLimitConfig, memory: ProcessMemory) {
    this.#settings = settings;
    this.#config = config;
    this.#memory = memory;
    this.#log = new LogInterval(settings.logger, settings.clock);
    this.#pacing = new CollectionPacing(config);
  }

  /**
   * Begins to watch, with the first who joins.
   *
   * @throws Error when the limits cannot be found out
   */
  async join(listener: RefusalListener): Promise<void> {
    this.#listeners.add(listener);
    this.#ready ??= this.#begin();
    await this.#ready;
  }

  /** Ends watching, with the last who leaves. Safe twice. */
  leave(listener: RefusalListener): void {
    if (!this.#listeners.delete(listener) || this.#listeners.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#limits = undefined;
    this.#ready = undefined;
    this.#refusingSinceMs = undefined;
    for (const release of this.#releases.splice(0)) release();
  }

  /** Whether everything is refused, as far as the last look knows. */
  get isRefusing(): boolean {
    return this.#refusingSinceMs !== undefined;
  }

  /** Looks, unless somebody has just looked, and says why nothing may come in. */
  lookAgain(): RetryableError | undefined {
    const limits = this.#limits;
    if (limits === undefined) return undefined;
    if (!this.isRefusing && this.#settings.clock.nowMs() - this.#lookedMs >= LOOK_AGAIN_MS) {
      this.#look(limits);
    }
    return this.refusal();
  }

  /** Why nothing may come in, as far as the last look knows; a new error each time. */
  refusal(): RetryableError | undefined {
    const limits = this.#limits;
    if (limits === undefined || this.#refusingSinceMs === undefined) return undefined;
    const targetBytes = this.#reopenBelow(limits, this.#refusingSinceMs);
    return new RetryableError(
      "MEMORY_LIMITED",
      `data refused due to high memory usage: ${mebibytes(this.#reading.rss)} MiB resident, ` +
        `soft limit is ${mebibytes(limits.softBytes)} MiB, limit is ${mebibytes(limits.hardBytes)} MiB`,
      { retryAfterMs: this.#recovery.retryAfterMs(targetBytes, this.#settings.random) },
    );
  }

  async #begin(): Promise<void> {
    const limits = await resolveLimits(this.#config, () => this.#memory.total());
    // The last may have left while the limits were looked up.
    if (this.#listeners.size === 0) return;
    const { logger } = this.#settings;
    const { check_interval: checkIntervalMs } = this.#config;
    this.#limits = limits;
    this.#pacing = new CollectionPacing(this.#config);
    this.#ceilingBytes = limits.softBytes;
    const reading = this.#memory.read();
    this.#nativeBytes = Math.max(0, reading.rss - reading.heapTotal - reading.external);
    const inUse = mebibytes(this.#nativeBytes + reading.heapUsed + reading.external);
    const soft = mebibytes(limits.softBytes);
    const shown = { limit_mib: mebibytes(limits.hardBytes), soft_limit_mib: soft };
    logger.info("Memory limiter configured", { ...shown, check_interval_ms: checkIntervalMs });
    if (inUse >= soft) {
      logger.warn("the memory limit is below what the process needs to run at all", {
        ...shown,
        in_use_mib: inUse,
      });
    }
    this.#observe(limits);
    this.#check();
  }

  #observe(limits: MemoryLimits): void {
    const { id, kind, meter } = this.#settings;
    const labels = { component_kind: kind, component_id: id };
    this.#releases = [
      meter.observe(metrics.residentBytes, labels, () => this.#reading.rss),
      meter.observe(metrics.inUseBytes, labels, () => this.#inUseBytes),
      meter.observe(metrics.softLimitBytes, labels, () => limits.softBytes),
      meter.observe(metrics.hardLimitBytes, labels, () => limits.hardBytes),
      meter.observe(metrics.refusing, labels, () => (this.isRefusing ? 1 : 0)),
    ];
  }

  get #inUseBytes(): number {
    const { external, heapUsed, rss } = this.#reading;
    return Math.min(rss, this.#nativeBytes + heapUsed + external);
  }

  /** What happens again and again, asked or not. */
  #check(): void {
    const limits = this.#limits;
    if (limits === undefined) return;
    this.#look(limits);
    this.#pacing.observe(this.#inUseBytes, !this.isRefusing);
    if (this.isRefusing) this.#collect(limits);
    const delayMs = this.isRefusing ? RECOVERY_LOOK_MS : this.#config.check_interval;
    this.#schedule(Math.min(delayMs, this.#config.check_interval));
  }

  #schedule(delayMs: number): void {
    this.#timer?.cancel();
    this.#timer = this.#settings.clock.setTimer(delayMs, () => this.#check());
  }

  #look(limits: MemoryLimits): void {
    const nowMs = this.#settings.clock.nowMs();
    this.#lookedMs = nowMs;
    this.#reading = this.#memory.read();
    if (this.#refusingSinceMs === undefined) {
      this.#lookForExcess(limits, nowMs);
    } else {
      this.#recovery.observe(this.#inUseBytes, nowMs);
      this.#lookForRoom(limits, this.#refusingSinceMs, nowMs);
    }
  }

  #lookForExcess(limits: MemoryLimits, nowMs: number): void {
    const { rss } = this.#reading;
    if (rss < limits.softBytes - this.#marginBytes(limits)) {
      this.#ceilingBytes = limits.softBytes;
      return;
    }
    // V8 lets 64 MB of dead buffers gather before it collects: too much so close to the limit.
    if (nowMs - this.#collectedYoungMs >= YOUNG_INTERVAL_MS) this.#collectGarbage("young");
    if (rss < limits.softBytes) return;
    if (rss < this.#ceilingBytes && this.#inUseBytes < this.#inUseCeilingBytes) return;
    this.#refusingSinceMs = nowMs;
    this.#recovery.begin(this.#inUseBytes, nowMs);
    refusalBegan(this.#log, this.#reading, limits);
    this.#tell();
    // The first collection must not wait for the next check, and no request for the collection.
    this.#schedule(0);
  }

  #lookForRoom(limits: MemoryLimits, sinceMs: number, nowMs: number): void {
    const reopenBelow = this.#reopenBelow(limits, sinceMs);
    const { rss } = this.#reading;
    if (rss < reopenBelow) {
      this.#ceilingBytes = limits.softBytes;
    } else {
      if (this.#inUseBytes >= reopenBelow || rss >= highestCeiling(limits)) return;
      // So close to the limit it has to wait for memory to be given back, and not to be left there.
      const isClose = rss >= limits.hardBytes - this.#marginBytes(limits);
      if (isClose && nowMs - sinceMs < REOPEN_MARGIN_LASTS_MS) return;
      this.#ceilingBytes = ceilingAbove(rss, limits);
      const step = (limits.hardBytes - limits.softBytes) * CEILING_STEP_SHARE;
      this.#inUseCeilingBytes = Math.min(
        limits.softBytes,
        Math.max(inUseLimit(rss, limits), this.#inUseBytes + step),
      );
    }
    this.#refusingSinceMs = undefined;
    refusalEnded(this.#log, this.#reading, limits, nowMs - sinceMs);
    this.#tell();
  }

  /**
   * What may be in use for intake to begin again: the higher resident memory is, the less, so that what
   * comes finds free memory.
   */
  #reopenBelow(limits: MemoryLimits, sinceMs: number): number {
    const { softBytes } = limits;
    const left = 1 - (this.#settings.clock.nowMs() - sinceMs) / REOPEN_MARGIN_LASTS_MS;
    const reserve = softBytes - inUseLimit(this.#reading.rss, limits);
    return softBytes - (this.#marginBytes(limits) + reserve) * Math.max(0, left);
  }

  #marginBytes({ hardBytes, softBytes }: MemoryLimits): number {
    return (hardBytes - softBytes) * REOPEN_MARGIN_SHARE;
  }

  #collect(limits: MemoryLimits): void {
    const { clock } = this.#settings;
    const limit = this.#reading.rss >= limits.hardBytes ? "hard" : "soft";
    if (!this.#pacing.isDue(limit, clock.nowMs())) {
      // Requests that are refused leave buffers behind, too; those die young.
      this.#collectGarbage("young");
      return;
    }
    if (limit === "hard") hardLimitExceeded(this.#log, this.#reading, limits);
    this.#collectGarbage("all");
    this.#pacing.collected(this.#inUseBytes, clock.nowMs());
  }

  #collectGarbage(depth: CollectionDepth): void {
    const { clock, id, kind, meter } = this.#settings;
    this.#memory.collect(depth);
    this.#collectedYoungMs = clock.nowMs();
    const labels = { component_kind: kind, component_id: id, depth };
    meter.counter(metrics.collections, labels).add(1);
  }

  #tell(): void {
    for (const listener of this.#listeners) listener(this.isRefusing);
  }
}

/**
 * How far resident memory may grow when it is high and little of it is in use: half of the way to a
 * margin below the hard limit, since free memory is used first, though never all of it. From there on
 * in small steps, so that nobody is shut out for ever by memory that nobody uses.
 */
function ceilingAbove(rss: number, limits: MemoryLimits): number {
  const spike = limits.hardBytes - limits.softBytes;
  const room = limits.hardBytes - spike * REOPEN_MARGIN_SHARE - rss;
  return Math.min(rss + Math.max(room / 2, spike * CEILING_STEP_SHARE), highestCeiling(limits));
}

/**
 * What may be in use when resident memory is high: as much less than the soft limit as resident memory
 * is above it, since not all that is free can be used again.
 */
function inUseLimit(rss: number, { softBytes }: MemoryLimits): number {
  return Math.max(softBytes - Math.max(0, rss - softBytes), softBytes * IN_USE_SHARE_MIN);
}

/** More than a spike above the limit is never taken for free memory. */
function highestCeiling({ hardBytes, softBytes }: MemoryLimits): number {
  return 2 * hardBytes - softBytes;
}
