import { generationsPerLife } from "../cache/cache-segment.js";
import { NegativeCache } from "../cache/negative-cache.js";
import { RecordCache } from "../cache/record-cache.js";
import type {
  ContainerRecord,
  ContainerRegistry,
  InodeKey,
  LookupAnswer,
  Mapping,
  MappingChanges,
  NodeNames,
  NodeRecord,
  NodeState,
  PublishedEvent,
  ReconcileResult,
} from "../container-registry.js";
import { isBootId, isPlausibleKey } from "../limits.js";
import { Listeners } from "../listeners.js";
import type { RedisRegistryOptions } from "../registry-options.js";
import { answersOf, questionsFor } from "./inode-questions.js";
import { LookupBatcher, LookupRequest } from "./lookup-batcher.js";
import { storedMappings } from "./node-mappings.js";
import { NodeReader } from "./node-reader.js";
import { NodeWriter } from "./node-writer.js";
import { OutdatedRecords } from "./outdated-records.js";
import { type Publication, Publications } from "./publications.js";
import { RedisLink } from "./redis-link.js";
import { loadScripts, runScripts } from "./run-scripts.js";
import { type ResolvedSettings, resolveSettings } from "./settings.js";

/** Negative answers that are remembered; they live a second and are cheap to ask for again. */
const negativeEntriesMax = 65_536;

/** A registry that all gateways share, in Redis. Throws nothing: see `availability`. */
export function createRedisRegistry(options: RedisRegistryOptions): ContainerRegistry {
  return new RedisRegistry(resolveSettings(options));
}

class RedisRegistry implements ContainerRegistry {
  readonly #settings: ResolvedSettings;
  readonly #link: RedisLink;
  readonly #publications: Publications;
  readonly #cache: RecordCache;
  readonly #outdated: OutdatedRecords;
  readonly #negatives: NegativeCache;
  readonly #batcher: LookupBatcher;
  readonly #writer: NodeWriter;
  readonly #reader: NodeReader;
  readonly #published: Listeners<[PublishedEvent]>;
  readonly #availability: Listeners<[]>;
  readonly #reconnected: Listeners<[]>;
  #wasAvailable = false;
  #isStarted = false;
  #needsPublications = false;
  #ageTimer: { cancel(): void } | undefined;

  constructor(settings: ResolvedSettings) {
    this.#settings = settings;
    const { observer, times, clock, keys, link } = settings;
    this.#published = new Listeners("onPublished", observer);
    this.#availability = new Listeners("onAvailability", observer);
    this.#reconnected = new Listeners("onReconnected", observer);
    this.#cache = new RecordCache(settings.cacheMaxEntries);
    this.#outdated = new OutdatedRecords(this.#cache);
    this.#negatives = new NegativeCache({
      entriesMax: negativeEntriesMax,
      lifeMs: settings.negativeCacheMs,
    });
    this.#link = new RedisLink({ ...link, name: "inode-gateway", prepare: loadScripts });
    this.#publications = new Publications(
      keys.publications,
      { ...link, name: "inode-gateway-publications" },
      {
        onPublication: (publication) => this.#hear(publication),
        onSubscribed: () => this.#forgetNegatives(),
      },
    );
    this.#batcher = new LookupBatcher({
      clock,
      ask: (asked) => this.#ask(asked),
      remember: (key, answer) => this.#remember(key, answer),
    });
    this.#reader = new NodeReader({
      link: this.#link,
      keys,
      times,
      clock,
      timeSource: settings.timeSource,
    });
    this.#writer = new NodeWriter({
      link: this.#link,
      observer,
      callSettings: () => ({ keys, times, now: settings.now() }),
      unixMs: () => clock.unixMs(),
      onLost: () => this.#reconnected.notify(),
    });
    this.#link.onChanged(() => this.#noteAvailability());
  }

  get availability(): { readonly isAvailable: boolean; readonly reason?: string | undefined } {
    const { isAvailable } = this.#link;
    const reason = this.#settings.endpointError ?? this.#link.reason;
    return isAvailable ? { isAvailable } : { isAvailable, reason };
  }

  async start(): Promise<void> {
    if (this.#isStarted) return;
    this.#isStarted = true;
    if (this.#settings.endpointError !== undefined) {
      this.#settings.observer.availabilityChanged?.(false, this.#settings.endpointError);
      return;
    }
    this.#link.open();
    if (this.#needsPublications) this.#publications.open();
    this.#scheduleAging();
  }

  async stop(): Promise<void> {
    this.#isStarted = false;
    this.#ageTimer?.cancel();
    this.#publications.close();
    this.#link.close();
  }

  onAvailability(listener: () => void): () => void {
    return this.#availability.add(listener);
  }

  onReconnected(listener: () => void): () => void {
    return this.#reconnected.add(listener);
  }

  onPublished(listener: (event: PublishedEvent) => void): () => void {
    this.#openPublications();
    return this.#published.add(listener);
  }

  cached(key: InodeKey): ContainerRecord | undefined {
    return this.#cache.get(key);
  }

  lookup(keys: readonly InodeKey[]): Promise<LookupAnswer[]> {
    this.#openPublications();
    const request = new LookupRequest(keys.length);
    const nowUnixMs = this.#settings.clock.unixMs();
    const counts = new Map<string, number>();
    for (const [index, key] of keys.entries()) {
      const counted = this.#lookupOne(key, request, index, nowUnixMs);
      if (counted !== undefined) counts.set(counted, (counts.get(counted) ?? 0) + 1);
    }
    this.#count(counts);
    return request.answers;
  }

  /** The outcome to count; undefined when the batcher will. */
  #lookupOne(
    key: InodeKey,
    request: LookupRequest,
    index: number,
    nowUnixMs: number,
  ): string | undefined {
    const record = this.#cache.get(key);
    if (record !== undefined) {
      request.answer(index, { outcome: "found", record, bootId: key.bootId });
      return "cache_hit";
    }
    const negative = this.#negatives.get(key, nowUnixMs);
    if (negative !== undefined) {
      request.answer(index, negative);
      return "negative_cache_hit";
    }
    if (!isBootId(key.bootId)) {
      request.answer(index, { outcome: "unknown_node" });
      return "unknown_node";
    }
    if (!isPlausibleKey(key)) {
      request.answer(index, { outcome: "unknown_inode" });
      return "unknown_inode";
    }
    if (!this.#link.isAvailable) {
      request.answer(index, { outcome: "unavailable" });
      return "unavailable";
    }
    this.#batcher.add(key, request, index);
    return undefined;
  }

  nodesByName(names: NodeNames): Promise<readonly NodeRecord[]> {
    return this.#reader.nodesByName(names);
  }

  publish(node: NodeRecord, changes: MappingChanges): Promise<void> {
    return this.#writer.publish(node, changes);
  }

  reconcile(node: NodeRecord, mappings: readonly Mapping[]): Promise<ReconcileResult> {
    return this.#writer.reconcile(node, mappings);
  }

  heartbeat(node: NodeRecord): Promise<void> {
    return this.#writer.heartbeat(node);
  }

  nodes(): Promise<readonly NodeState[]> {
    return this.#reader.nodes();
  }

  async *mappings(bootId: string): AsyncGenerator<Mapping> {
    if (!isBootId(bootId)) return;
    for await (const { mapping } of storedMappings(this.#link, this.#settings.keys, bootId)) {
      yield mapping;
    }
  }

  /** Answers what could be asked; `unavailable` for the rest, never a rejection. */
  async #ask(keys: readonly InodeKey[]): Promise<readonly LookupAnswer[]> {
    const answers: LookupAnswer[] = keys.map(() => ({ outcome: "unavailable" }));
    const questions = questionsFor(keys, {
      ...this.#settings.times,
      keys: this.#settings.keys,
      now: this.#settings.now(),
    });
    try {
      const calls = questions.map(({ call }) => call);
      const replies = await this.#link.run((client) => runScripts(client, calls));
      for (const [index, { positions }] of questions.entries()) {
        const bootId = keys[positions[0] ?? 0]?.bootId ?? "";
        const found = answersOf(replies[index], bootId, positions.length);
        for (const [at, position] of positions.entries()) {
          answers[position] = found[at] ?? { outcome: "unavailable" };
        }
      }
    } catch (error) {
      // While away, `availability` has said it already; anything else must not pass in silence.
      if (this.#link.isAvailable) {
        const reason = error instanceof Error ? error.message : String(error);
        this.#settings.observer.warning?.("a lookup failed", { reason });
      }
    }
    const counts = new Map<string, number>();
    for (const { outcome } of answers) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    this.#count(counts);
    return answers;
  }

  #remember(key: InodeKey, answer: LookupAnswer): void {
    if (answer.outcome === "found") this.#cache.set(key, answer.record);
    else if (answer.outcome !== "unavailable") {
      this.#negatives.set(key, answer, this.#settings.clock.unixMs());
    }
  }

  #hear(publication: Publication): void {
    const { bootId } = publication;
    this.#outdated.hear(publication, this.#link.isAvailable);
    if (publication.kind === "published") {
      for (const { inode } of publication.keys) {
        this.#negatives.deleteInode(bootId, inode);
        this.#batcher.outdateInode(bootId, inode);
      }
      this.#published.notify({ bootId, keys: publication.keys });
      return;
    }
    this.#negatives.deleteNode(bootId);
    this.#batcher.outdateNode(bootId);
    if (publication.kind === "published_many") this.#published.notify({ bootId, keys: undefined });
  }

  #forgetNegatives(): void {
    this.#negatives.clear();
    this.#reader.clear();
  }

  #noteAvailability(): void {
    const { isAvailable, reason } = this.availability;
    if (isAvailable && !this.#wasAvailable) {
      this.#forgetNegatives();
      this.#outdated.forgetWaiting();
    }
    this.#settings.observer.availabilityChanged?.(isAvailable, reason);
    this.#availability.notify();
    const isBack = isAvailable && !this.#wasAvailable;
    this.#wasAvailable = isAvailable;
    if (isBack) this.#reconnected.notify();
  }

  /** Reporters never look up and never need the second connection. */
  #openPublications(): void {
    if (this.#needsPublications) return;
    this.#needsPublications = true;
    if (this.#isStarted && this.#settings.endpointError === undefined) this.#publications.open();
  }

  #scheduleAging(): void {
    const lifeMs = this.#settings.times.retentionMs;
    const everyMs = Math.max(1_000, lifeMs / generationsPerLife);
    this.#ageTimer = this.#settings.clock.setTimer(everyMs, () => {
      this.#cache.age();
      this.#scheduleAging();
    });
  }

  #count(counts: ReadonlyMap<string, number>): void {
    for (const [outcome, count] of counts) this.#settings.observer.lookups?.(outcome, count);
  }
}
