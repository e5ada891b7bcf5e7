import type {
  ContainerLookup,
  ContainerRecord,
  ContainerRegistry,
  InodeKey,
  LookupAnswer,
  PublishedEvent,
} from "@inode-gateway/registry";
import type { Chance } from "./chance.js";
import type { ItemResource } from "./items.js";
import type { ProcessClock, SimulatedClock } from "./simulated-clock.js";

/** A container somewhere on a node, and when its node's reporter says so. */
export interface SimulatedContainer {
  readonly bootId: string;
  readonly inode: number;
  readonly containerId: string;
  /** `Infinity` for one that is never published. */
  readonly publishedAtMs: number;
}

/** A span of time in which the registry cannot be asked. */
export interface Outage {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** What a gateway uses of a registry. */
type RegistryConnection = ContainerLookup &
  Pick<ContainerRegistry, "availability" | "onAvailability">;

/** The registry that all processes of a world share, with its network and its outages. */
export class SimulatedRegistry {
  readonly containers: readonly SimulatedContainer[];
  readonly #clock: SimulatedClock;
  readonly #chance: Chance;
  readonly #outages: readonly Outage[];
  readonly #listeners = new Set<(event: PublishedEvent) => void>();
  readonly #watchers = new Set<() => void>();

  constructor(
    clock: SimulatedClock,
    chance: Chance,
    containers: readonly SimulatedContainer[],
    outages: readonly Outage[],
  ) {
    this.#clock = clock;
    this.#chance = chance;
    this.containers = containers;
    this.#outages = outages;
    for (const { fromMs, untilMs } of outages) {
      for (const changeMs of [fromMs, untilMs]) {
        clock.setTimer(changeMs, () => {
          for (const watcher of [...this.#watchers]) watcher();
        });
      }
    }
    for (const { bootId, inode, publishedAtMs } of containers) {
      if (!Number.isFinite(publishedAtMs)) continue;
      clock.setTimer(publishedAtMs, () => this.#tell({ bootId, keys: [{ inode }] }));
    }
  }

  /** The right answer, whether published or not. */
  truth({ bootId, inode }: Pick<ItemResource, "bootId" | "inode">): SimulatedContainer | undefined {
    return this.containers.find((one) => one.bootId === bootId && one.inode === inode);
  }

  /** The view of one process: it has a cache of its own, and its waiting ends when it dies. */
  connect(clock: ProcessClock): RegistryConnection {
    const cache = new Map<string, ContainerRecord>();
    const isAway = () => this.#isAway;
    return {
      get availability() {
        return { isAvailable: !isAway() };
      },
      onAvailability: (listener) => this.#follow(this.#watchers, clock, listener),
      cached: (key) => cache.get(nameOf(key)),
      lookup: async (keys) => {
        await clock.sleep(this.#chance.between(0, 40));
        if (this.#isAway) {
          await clock.sleep(this.#chance.between(0, 500));
          return keys.map(() => ({ outcome: "unavailable" }));
        }
        const answers = keys.map((key) => this.#answer(key));
        // On its way it may be overtaken by what was asked later, and by a publication.
        if (this.#chance.happens(0.3)) await clock.sleep(this.#chance.between(0, 60));
        for (const [index, key] of keys.entries()) {
          const answer = answers[index];
          if (answer?.outcome === "found") cache.set(nameOf(key), answer.record);
        }
        return answers;
      },
      nodesByName: () => Promise.resolve([]),
      onPublished: (listener) => this.#follow(this.#listeners, clock, listener),
    };
  }

  #follow<Arguments extends unknown[]>(
    listeners: Set<(...given: Arguments) => void>,
    clock: ProcessClock,
    listener: (...given: Arguments) => void,
  ): () => void {
    const tell = (...given: Arguments) => {
      if (!clock.isDead) listener(...given);
    };
    listeners.add(tell);
    return () => listeners.delete(tell);
  }

  get #isAway(): boolean {
    const nowMs = this.#clock.nowMs();
    return this.#outages.some(({ fromMs, untilMs }) => fromMs <= nowMs && nowMs < untilMs);
  }

  #answer(key: InodeKey): LookupAnswer {
    if (!this.containers.some(({ bootId }) => bootId === key.bootId)) {
      return { outcome: "unknown_node" };
    }
    const found = this.truth(key);
    if (found === undefined || found.publishedAtMs > this.#clock.nowMs()) {
      return { outcome: "unknown_inode" };
    }
    const record = { containerId: found.containerId, attributes: {} };
    return { outcome: "found", record, bootId: key.bootId };
  }

  // A publication that nobody can hear is lost, as in a real subscription; some come twice.
  #tell(event: PublishedEvent): void {
    if (this.#isAway) return;
    for (let copies = this.#chance.happens(0.3) ? 2 : 1; copies > 0; copies--) {
      this.#clock.setTimer(this.#chance.between(0, 20), () => {
        for (const listener of [...this.#listeners]) listener(event);
      });
    }
  }
}

function nameOf({ bootId, inode }: InodeKey): string {
  return `${bootId}/${inode}`;
}
