import type {
  ContainerRecord,
  InodeKey,
  LookupAnswer,
  NodeNames,
  NodeRecord,
} from "@inode-gateway/registry";
import type { InodeProblem, ResourceIdentity } from "../resource-identity.js";

/** The steps of the ladder, by the key they look up. */
export type StepName = "boot_id" | "node_name";

/** The registry was asked and named no container. */
export type MissReason =
  | "unknown_inode"
  | "unknown_node"
  | "stale_node"
  | "ambiguous"
  | "registry_unavailable";

/** A step had nothing to ask with, or nothing to add to what an earlier one found. */
export type SkipReason =
  | InodeProblem
  | "no_boot_id"
  | "invalid_boot_id"
  | "no_node_name"
  | "node_known";

/** What one step says about one Resource. */
export type StepResult =
  | {
      readonly outcome: "resolved";
      readonly record: ContainerRecord;
      /** The key that was found, its boot ID included where the sender had sent none. */
      readonly key: InodeKey;
    }
  | {
      readonly outcome: "missed";
      readonly reason: MissReason;
      /** The key a live node may publish at any moment; only there is waiting worth while. */
      readonly awaited?: InodeKey;
    }
  | { readonly outcome: "skipped"; readonly reason: SkipReason };

/** What a step may ask. All questions of one batch are collected into one round trip. */
export interface LadderSources {
  ask(key: InodeKey): Promise<LookupAnswer>;
  /** The live nodes with that name; undefined when the registry could not be asked. */
  nodesByName(names: NodeNames): Promise<readonly NodeRecord[] | undefined>;
}

/** One way to find a container; steps are tried in order until one answers. */
export interface LadderStep {
  readonly name: StepName;
  /** Looks one Resource up. `earlier` holds the results of the steps before, in order. */
  readonly resolve: (
    identity: ResourceIdentity,
    sources: LadderSources,
    earlier: readonly StepResult[],
  ) => Promise<StepResult>;
}

/** Turns the registry's answer to `key` into a step's result. */
export function toStepResult(answer: LookupAnswer, key: InodeKey): StepResult {
  switch (answer.outcome) {
    case "found":
      return { outcome: "resolved", record: answer.record, key };
    case "unknown_inode":
      return { outcome: "missed", reason: "unknown_inode", awaited: key };
    case "unavailable":
      return { outcome: "missed", reason: "registry_unavailable" };
    case "ambiguous":
    case "stale_node":
    case "unknown_node":
      return { outcome: "missed", reason: answer.outcome };
  }
}
