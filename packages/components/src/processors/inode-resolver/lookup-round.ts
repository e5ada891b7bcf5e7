import type {
  ContainerLookup,
  ContainerRegistry,
  InodeKey,
  LookupAnswer,
  NodeNames,
  NodeRecord,
} from "@inode-gateway/registry";
import type { LadderSources } from "./ladder/step.js";
import type { PublicationBoard, PublicationWatch } from "./publication-board.js";

/** The part of a registry that the ladder asks. */
export type LookupRegistry = ContainerLookup & Pick<ContainerRegistry, "availability">;

/**
 * The questions of one batch to the registry.
 *
 * All keys that are asked before promises get to run go out in one call, each key once. Every key is
 * watched from before it is asked until `close`, and asked once more when it was published meanwhile.
 */
export class LookupRound implements LadderSources {
  readonly #registry: LookupRegistry;
  readonly #board: PublicationBoard;
  readonly #watches = new Map<string, PublicationWatch>();
  readonly #nodes = new Map<string, Promise<readonly NodeRecord[] | undefined>>();
  #pending:
    | { readonly keys: Map<string, InodeKey>; readonly answers: Promise<Answers> }
    | undefined;

  constructor(registry: LookupRegistry, board: PublicationBoard) {
    this.#registry = registry;
    this.#board = board;
  }

  async ask(key: InodeKey): Promise<LookupAnswer> {
    const known = this.#cached(key);
    if (known !== undefined) return known;
    const watch = this.watch(key);
    watch.rearm();
    const answer = await this.#enqueue(key);
    if (answer.outcome !== "unknown_inode" || !watch.isPublished) return answer;
    watch.rearm();
    return this.#cached(key) ?? this.#enqueue(key);
  }

  nodesByName(names: NodeNames): Promise<readonly NodeRecord[] | undefined> {
    const identity = JSON.stringify([names.nodeName, names.hostId, names.hostName]);
    let nodes = this.#nodes.get(identity);
    if (nodes === undefined) {
      nodes = this.#findNodes(names);
      this.#nodes.set(identity, nodes);
    }
    return nodes;
  }

  /** The watch of one key; it lives until `close`. */
  watch(key: InodeKey): PublicationWatch {
    const identity = keyIdentity(key);
    let watch = this.#watches.get(identity);
    if (watch === undefined) {
      watch = this.#board.watch(key);
      this.#watches.set(identity, watch);
    }
    return watch;
  }

  /** Ends every watch. */
  close(): void {
    for (const watch of this.#watches.values()) watch.close();
    this.#watches.clear();
  }

  #cached(key: InodeKey): LookupAnswer | undefined {
    const record = this.#registry.cached(key);
    return record === undefined ? undefined : { outcome: "found", record, bootId: key.bootId };
  }

  async #findNodes(names: NodeNames): Promise<readonly NodeRecord[] | undefined> {
    const nodes = await this.#registry.nodesByName(names);
    // An empty answer means "no such node" only from a registry that could be asked.
    if (nodes.length === 0 && !this.#registry.availability.isAvailable) return undefined;
    return nodes;
  }

  async #enqueue(key: InodeKey): Promise<LookupAnswer> {
    this.#pending ??= this.#openCall();
    const identity = keyIdentity(key);
    this.#pending.keys.set(identity, key);
    const answers = await this.#pending.answers;
    return answers.get(identity) ?? { outcome: "unavailable" };
  }

  #openCall(): { readonly keys: Map<string, InodeKey>; readonly answers: Promise<Answers> } {
    const keys = new Map<string, InodeKey>();
    const answers = Promise.resolve().then(async () => {
      this.#pending = undefined;
      const identities = [...keys.keys()];
      const found = await this.#registry.lookup([...keys.values()]);
      const byIdentity = new Map<string, LookupAnswer>();
      found.forEach((answer, index) => {
        const identity = identities[index];
        if (identity !== undefined) byIdentity.set(identity, answer);
      });
      return byIdentity;
    });
    return { keys, answers };
  }
}

type Answers = ReadonlyMap<string, LookupAnswer>;

function keyIdentity(key: InodeKey): string {
  return `${key.bootId}/${key.device ?? ""}/${key.inode}`;
}
