import type { NodeNames, NodeRecord } from "../container-registry.js";
import { namesThatAreSet } from "../node-names.js";
import type { MemoryNode } from "./memory-node.js";

/** The nodes of a memory registry, by boot ID and by each of their names. */
export class NodeDirectory {
  readonly #byBootId = new Map<string, MemoryNode>();
  readonly #byName = new Map<string, Set<string>>();

  get(bootId: string): MemoryNode | undefined {
    return this.#byBootId.get(bootId);
  }

  all(): IterableIterator<MemoryNode> {
    return this.#byBootId.values();
  }

  add(node: MemoryNode): void {
    this.#byBootId.set(node.node.bootId, node);
    for (const name of namesOf(node.node)) {
      const bootIds = this.#byName.get(name);
      if (bootIds === undefined) this.#byName.set(name, new Set([node.node.bootId]));
      else bootIds.add(node.node.bootId);
    }
  }

  remove(node: NodeRecord): void {
    this.#byBootId.delete(node.bootId);
    for (const name of namesOf(node)) {
      const bootIds = this.#byName.get(name);
      bootIds?.delete(node.bootId);
      if (bootIds?.size === 0) this.#byName.delete(name);
    }
  }

  /** Every node with the first name that is set. */
  withName(names: NodeNames): readonly MemoryNode[] {
    const name = namesOf(names)[0];
    const bootIds = name === undefined ? undefined : this.#byName.get(name);
    const nodes: MemoryNode[] = [];
    for (const bootId of bootIds ?? []) {
      const node = this.#byBootId.get(bootId);
      if (node !== undefined) nodes.push(node);
    }
    return nodes;
  }
}

function namesOf(names: NodeNames): string[] {
  return namesThatAreSet(names).map(({ kind, name }) => `${kind} ${name}`);
}
