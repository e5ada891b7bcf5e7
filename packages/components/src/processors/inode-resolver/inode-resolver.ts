import { strict as assert } from "node:assert";
import {
  type Batch,
  type ComponentSettings,
  type Consumer,
  type Host,
  type PermanentError,
  type Processor,
  RetryableError,
} from "@inode-gateway/contract";
import { ResourceView, replaceResources } from "@inode-gateway/otlp";
import type { ContainerRegistry, PublishedEvent } from "@inode-gateway/registry";
import { containerRegistryOf } from "../../capabilities/container-registry-provider.js";
import { ResourceCache } from "../../resource-cache/resource-cache.js";
import type { InodeResolverConfig } from "./config.js";
import { HoldRoom } from "./hold-room.js";
import { countItemsByResource } from "./items-by-resource.js";
import { bootIdKey } from "./ladder/boot-id-step.js";
import type { Climb } from "./ladder/ladder.js";
import { LookupRound } from "./lookup-round.js";
import { ResolverMetrics, type Tally } from "./metrics.js";
import { isPublished, MissLookup } from "./miss-lookup.js";
import { PublicationBoard } from "./publication-board.js";
import type { PendingResource, Resolution, SettledResource } from "./resolution.js";
import { type ResourceIdentity, readResourceIdentity } from "./resource-identity.js";
import { dependencyOf, settleResource } from "./settle-resource.js";

/**
 * Resources of one batch that are looked at; the rest passes on unresolved. Far above what senders
 * put into one request, and a bound on what a hostile one can make us remember while it is handled.
 */
export const RESOURCES_PER_BATCH_MAX = 65_536;

/** A timer of Node fires at once when it is set for longer than this. */
const TIMER_MS_MAX = 2_147_483_647;

/** The Resources of one batch on their way to a result. */
interface Pass {
  readonly bytes: Uint8Array;
  readonly nowMs: number;
  /** In wire order; undefined while pending. */
  readonly settled: (SettledResource | undefined)[];
  readonly pending: PendingResource[];
  hits: number;
  /** Resources beyond {@link RESOURCES_PER_BATCH_MAX}. */
  overflowing: number;
}

/**
 * Adds `container.id` and the node's metadata to Resources that carry a cgroup inode.
 *
 * A Resource that was seen before costs a look into the Resource cache; when all of a batch were,
 * nothing is awaited before the next consumer. `consume` stays pending while a batch is held, so
 * that a batch that waits is still its sender's: nothing is lost when the process ends meanwhile.
 */
export class InodeResolver implements Processor {
  readonly #settings: ComponentSettings;
  readonly #config: InodeResolverConfig;
  readonly #next: Consumer;
  readonly #metrics: ResolverMetrics;
  readonly #cache: ResourceCache<Resolution>;
  readonly #room: HoldRoom;
  readonly #misses: MissLookup;
  readonly #board = new PublicationBoard();
  readonly #releases: (() => void)[] = [];
  #registry: ContainerRegistry | undefined;
  #stopped: Promise<void> | undefined;
  #isStopped = false;
  #lookingUp = 0;
  #onIdle: (() => void) | undefined;

  constructor(settings: ComponentSettings, config: InodeResolverConfig, next: Consumer) {
    this.#settings = settings;
    this.#config = config;
    this.#next = next;
    this.#metrics = new ResolverMetrics(settings);
    const { hold, resource_cache: cache } = config;
    this.#cache = new ResourceCache(
      { maxEntries: cache.max_entries, maxBytes: cache.max_bytes },
      settings.random(),
    );
    this.#room = new HoldRoom(settings.clock, {
      timeoutMs: hold.timeout,
      bytesMax: hold.bytes_max,
      batchesMax: hold.batches_max,
    });
    this.#misses = new MissLookup(this.#room, this.#metrics);
  }

  start(host: Host): Promise<void> {
    const registry = containerRegistryOf(host, this.#config.registry);
    this.#registry = registry;
    this.#releases.push(
      registry.onPublished((event) => this.#heardPublication(event)),
      registry.onAvailability(() => this.#forgetUnavailable()),
      this.#metrics.observe({ room: this.#room, cache: this.#cache }),
    );
    return Promise.resolve();
  }

  shutdown(deadlineMs: number): Promise<void> {
    this.#stopped ??= this.#stop(deadlineMs);
    return this.#stopped;
  }

  refusal(batch?: Batch): PermanentError | RetryableError | undefined {
    return this.#next.refusal?.(batch);
  }

  consume(batch: Batch): Promise<void> {
    if (this.#isStopped) return Promise.reject(shuttingDown());
    // No async function: a batch whose Resources were all seen before reaches the next consumer
    // without a promise of ours.
    try {
      const pass = this.#openPass(batch);
      const chunks = replaceResources(pass.bytes, (bytes, start, end) =>
        this.#visit(pass, bytes, start, end),
      );
      this.#countCache(pass);
      if (pass.pending.length > 0) return this.#consumeLater(batch, pass);
      return this.#forward(batch, pass, chunks);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #openPass(batch: Batch): Pass {
    return {
      bytes: batch.bytes,
      nowMs: this.#settings.clock.nowMs(),
      settled: [],
      pending: [],
      hits: 0,
      overflowing: 0,
    };
  }

  /** Settles a Resource that needs nobody to be asked and returns its new bytes; notes the others. */
  #visit(pass: Pass, bytes: Uint8Array, start: number, end: number): Uint8Array | undefined {
    const { nowMs, settled } = pass;
    const index = settled.length;
    if (index >= RESOURCES_PER_BATCH_MAX) {
      pass.overflowing++;
      return undefined;
    }
    const known = this.#cache.find(bytes, start, end);
    if (known !== undefined && known.expiresAtMs > nowMs) {
      pass.hits++;
      settled.push(known);
      return known.replacement;
    }
    const resource: PendingResource = {
      index,
      bytes,
      start,
      end,
      identity: this.#readIdentity(bytes, start, end),
      previous: known?.value,
      climb: undefined,
      hold: "none",
    };
    const answer = this.#answerAtOnce(resource.identity);
    if (answer === undefined) {
      pass.pending.push(resource);
      settled.push(undefined);
      return undefined;
    }
    const result = this.#settle(resource, answer, nowMs);
    settled.push(result);
    return result.replacement;
  }

  #readIdentity(bytes: Uint8Array, start: number, end: number): ResourceIdentity {
    const view = new ResourceView(bytes, start, end);
    const read = (name: string) => view.attribute(name);
    return readResourceIdentity(read, this.#config.inode_attributes);
  }

  /** Where the ladder leads without asking anybody; undefined when the registry must be asked. */
  #answerAtOnce(identity: ResourceIdentity): Climb | undefined {
    const { inodeProblem: reason } = identity;
    if (reason !== undefined) {
      return { outcome: "unresolved", reason, awaited: undefined, trail: [] };
    }
    const key = bootIdKey(identity);
    if (typeof key === "string") return undefined;
    const record = this.#running().cached(key);
    if (record === undefined) return undefined;
    return { outcome: "resolved", step: "boot_id", record, key, trail: [] };
  }

  async #consumeLater(batch: Batch, pass: Pass): Promise<void> {
    const round = new LookupRound(this.#running(), this.#board);
    this.#lookingUp++;
    let delivery: Promise<void>;
    try {
      await this.#misses.resolve(batch, pass.pending, round);
      if (this.#isStopped) throw shuttingDown();
      this.#settlePending(pass, round);
      let index = 0;
      const chunks = replaceResources(pass.bytes, () => pass.settled[index++]?.replacement);
      delivery = this.#forward(batch, pass, chunks);
    } finally {
      round.close();
      this.#lookingUp--;
      if (this.#lookingUp === 0) this.#onIdle?.();
    }
    await delivery;
  }

  #settlePending(pass: Pass, round: LookupRound): void {
    const nowMs = this.#settings.clock.nowMs();
    for (const resource of pass.pending) {
      const { climb: answer, hold } = resource;
      assert(answer !== undefined, "every pending Resource has been looked up");
      // True for this batch, but not for the next one: a miss that a publication has overtaken, and
      // one that found no room to wait in.
      const isPassing = isPublished(resource, round) || hold === "overflowed";
      pass.settled[resource.index] = isPassing
        ? settleResource(resource, answer, this.#settleOptions(nowMs))
        : this.#settle(resource, answer, nowMs);
    }
  }

  /** Settles a Resource and remembers the result. */
  #settle(resource: PendingResource, answer: Climb, nowMs: number): SettledResource {
    const { bytes, end, start } = resource;
    const settled = settleResource(resource, answer, this.#settleOptions(nowMs));
    this.#cache.put(bytes, start, end, settled, dependencyOf(resource, answer));
    return settled;
  }

  #settleOptions(nowMs: number) {
    const resolvedMaxAgeMs = this.#config.resource_cache.max_age;
    return { config: this.#config, metrics: this.#metrics, resolvedMaxAgeMs, nowMs };
  }

  #forward(batch: Batch, pass: Pass, chunks: Uint8Array[] | undefined): Promise<void> {
    this.#countOutcomes(batch, pass);
    return this.#next.consume(chunks === undefined ? batch : batch.withChunks(chunks));
  }

  #countCache({ hits, settled }: Pass): void {
    if (hits > 0) this.#metrics.cacheHits.add(hits);
    if (settled.length > hits) this.#metrics.cacheMisses.add(settled.length - hits);
  }

  #countOutcomes(batch: Batch, { overflowing, settled }: Pass): void {
    const first = settled[0]?.value.tally;
    if (first === undefined) return;
    let isUniform = overflowing === 0;
    const tallies: Tally[] = [];
    for (const resource of settled) {
      const tally: Tally = resource?.value.tally ?? first;
      tally.resources.add(1);
      tallies.push(tally);
      if (tally !== first) isUniform = false;
      if (resource?.value.hasConflict === true) this.#countConflict();
    }
    if (isUniform) {
      first.items.add(batch.itemCount);
      return;
    }
    const beyond = this.#metrics.unresolved("too_many_resources");
    if (overflowing > 0) beyond.resources.add(overflowing);
    countItemsByResource(batch.signal, batch.bytes, (index, items) => {
      (tallies[index] ?? beyond).items.add(items);
    });
  }

  #countConflict(): void {
    const isReplaced = this.#config.container_id_conflict === "replace";
    this.#metrics.conflicts(isReplaced ? "replaced" : "kept").add(1);
  }

  #heardPublication(event: PublishedEvent): void {
    this.#cache.forgetPublished(event);
    this.#board.announce(event);
  }

  #forgetUnavailable(): void {
    this.#cache.forgetWhere(({ value }) => value.reason === "registry_unavailable");
  }

  #running(): ContainerRegistry {
    assert(this.#registry !== undefined, "`consume` is called between `start` and `shutdown`");
    return this.#registry;
  }

  async #stop(deadlineMs: number): Promise<void> {
    this.#room.close();
    if (this.#lookingUp > 0) await this.#idle(deadlineMs);
    this.#isStopped = true;
    for (const release of this.#releases.splice(0)) release();
  }

  /** Resolves when no batch is being looked up any more, or at the deadline. */
  #idle(deadlineMs: number): Promise<void> {
    const { clock } = this.#settings;
    return new Promise((resolve) => {
      const delayMs = Math.min(deadlineMs - clock.nowMs(), TIMER_MS_MAX);
      const timer = clock.setTimer(delayMs, resolve);
      this.#onIdle = () => {
        timer.cancel();
        resolve();
      };
    });
  }
}

function shuttingDown(): RetryableError {
  return new RetryableError("SHUTTING_DOWN", "inode_resolver is stopping and takes no batch");
}
