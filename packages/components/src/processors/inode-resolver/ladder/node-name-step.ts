import { type LadderStep, type StepResult, toStepResult } from "./step.js";

/**
 * Step 2: the inode on the one live node with the sender's `k8s.node.name`, else `host.id`, else
 * `host.name`.
 *
 * For senders without a boot ID, or with one that no reporter knows: LXC and systemd-nspawn bind a
 * random one over the node's own. Where the boot ID did lead to a node, its answer stands: a name
 * is weaker than a boot ID and must not point elsewhere.
 */
export const nodeNameStep: LadderStep = {
  name: "node_name",
  resolve: async (identity, sources, earlier) => {
    const { device, inode } = identity;
    if (inode === undefined) {
      return { outcome: "skipped", reason: identity.inodeProblem ?? "no_inode" };
    }
    if (earlier.some(hasFoundNode)) return { outcome: "skipped", reason: "node_known" };
    if (!identity.hasNames) return { outcome: "skipped", reason: "no_node_name" };
    const nodes = await sources.nodesByName(identity.names);
    if (nodes === undefined) return { outcome: "missed", reason: "registry_unavailable" };
    if (nodes.length > 1) return { outcome: "missed", reason: "ambiguous" };
    const bootId = nodes[0]?.bootId;
    if (bootId === undefined) return { outcome: "missed", reason: "unknown_node" };
    const key = device === undefined ? { bootId, inode } : { bootId, device, inode };
    return toStepResult(await sources.ask(key), key);
  },
};

function hasFoundNode(result: StepResult): boolean {
  return result.outcome === "missed" && result.reason !== "unknown_node";
}
