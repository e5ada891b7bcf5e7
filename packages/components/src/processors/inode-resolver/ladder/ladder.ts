import type { ContainerRecord, InodeKey } from "@inode-gateway/registry";
import type { ResourceIdentity } from "../resource-identity.js";
import { bootIdStep } from "./boot-id-step.js";
import { nodeNameStep } from "./node-name-step.js";
import type {
  LadderSources,
  LadderStep,
  MissReason,
  SkipReason,
  StepName,
  StepResult,
} from "./step.js";

/** The steps in the order they are tried, strongest key first. */
const ladder: readonly LadderStep[] = [bootIdStep, nodeNameStep];

/** Why no step of the ladder answered. */
export type UnresolvedReason =
  | MissReason
  | Exclude<SkipReason, "no_boot_id" | "no_node_name" | "node_known">
  /** There is an inode, but nothing that says on which node. */
  | "no_node";

/** What one step did. */
export interface TrailEntry {
  readonly step: StepName;
  readonly result: StepResult;
}

/** Where the ladder led. */
export type Climb =
  | {
      readonly outcome: "resolved";
      readonly step: StepName;
      readonly record: ContainerRecord;
      readonly key: InodeKey;
      readonly trail: readonly TrailEntry[];
    }
  | {
      readonly outcome: "unresolved";
      readonly reason: UnresolvedReason;
      /** The key worth waiting for, when a live node may publish it at any moment. */
      readonly awaited: InodeKey | undefined;
      readonly trail: readonly TrailEntry[];
    };

/** Tries the steps one after another until one names the container. */
export async function climb(identity: ResourceIdentity, sources: LadderSources): Promise<Climb> {
  const trail: TrailEntry[] = [];
  const results: StepResult[] = [];
  for (const step of ladder) {
    const result = await step.resolve(identity, sources, results);
    trail.push({ step: step.name, result });
    results.push(result);
    if (result.outcome === "resolved") {
      return {
        outcome: "resolved",
        step: step.name,
        record: result.record,
        key: result.key,
        trail,
      };
    }
  }
  return { outcome: "unresolved", ...reasonOf(results), trail };
}

/** The last step that asked knows most; where none could ask, the identity itself is at fault. */
function reasonOf(results: readonly StepResult[]): {
  readonly reason: UnresolvedReason;
  readonly awaited: InodeKey | undefined;
} {
  let reason: UnresolvedReason | undefined;
  let awaited: InodeKey | undefined;
  for (const result of results) {
    if (result.outcome !== "missed") continue;
    reason = result.reason;
    awaited = result.awaited;
  }
  if (reason !== undefined) return { reason, awaited };
  const first = results[0];
  if (first?.outcome === "skipped" && !isAboutNodes(first.reason)) {
    return { reason: first.reason, awaited };
  }
  return { reason: "no_node", awaited };
}

function isAboutNodes(reason: SkipReason): reason is "no_boot_id" | "no_node_name" | "node_known" {
  return reason === "no_boot_id" || reason === "no_node_name" || reason === "node_known";
}
