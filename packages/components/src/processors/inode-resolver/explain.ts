import type { AttributeValue } from "@inode-gateway/otlp";
import type { ContainerRecord, ContainerRegistry } from "@inode-gateway/registry";
import { climb, type TrailEntry, type UnresolvedReason } from "./ladder/ladder.js";
import type { SkipReason, StepName, StepResult } from "./ladder/step.js";
import { LookupRound } from "./lookup-round.js";
import { PublicationBoard } from "./publication-board.js";
import { type ResourceIdentity, readResourceIdentity } from "./resource-identity.js";

/** The part of a registry that an explanation asks. */
export type ExplainableRegistry = Pick<
  ContainerRegistry,
  "availability" | "cached" | "lookup" | "nodes" | "nodesByName" | "onPublished"
>;

/** One step of the ladder, for a person. */
export interface ExplainedStep {
  /** Position on the ladder, from 1. */
  readonly number: number;
  readonly name: StepName;
  readonly outcome: StepResult["outcome"];
  /** Why it did not answer; undefined when it did. */
  readonly reason: string | undefined;
  readonly sentence: string;
}

/** Which step named the container, or why none did. */
export interface Explanation {
  readonly outcome: "resolved" | "unresolved";
  /** The container; undefined when unresolved. */
  readonly record: ContainerRecord | undefined;
  /** Undefined when resolved; as counted by `inode_gateway_resolver_unresolved_resources`. */
  readonly reason: UnresolvedReason | undefined;
  readonly steps: readonly ExplainedStep[];
  /** The whole in one sentence, with what to do where something can be done. */
  readonly summary: string;
}

/** Attributes as a Resource carries them, by name; integers may be given as decimal text. */
export type ExplainedAttributes = Readonly<Record<string, AttributeValue>>;

/**
 * Says what `inode_resolver` would make of a Resource with these attributes, and why.
 *
 * Walks the same ladder as the processor, waits for nothing, changes nothing and counts nothing.
 *
 * @param inodeAliases as under `inode_resolver::inode_attributes`
 */
export async function explainResolution(
  attributes: ExplainedAttributes,
  registry: ExplainableRegistry,
  inodeAliases: readonly string[] = ["datadog.container.cgroup_inode"],
): Promise<Explanation> {
  const identity = readResourceIdentity((name) => attributes[name], inodeAliases);
  const round = new LookupRound(registry, new PublicationBoard());
  try {
    const answer = await climb(identity, round);
    const nodeFacts = await describeNode(identity, answer.trail, registry);
    const steps = answer.trail.map(({ step, result }, index) => ({
      number: index + 1,
      name: step,
      outcome: result.outcome,
      reason: result.outcome === "resolved" ? undefined : result.reason,
      sentence: sentenceOf(step, result, identity, nodeFacts),
    }));
    if (answer.outcome === "resolved") {
      const { containerId } = answer.record;
      const summary = `resolved by step ${steps.length} (${answer.step}): container ${containerId}`;
      return { outcome: "resolved", record: answer.record, reason: undefined, steps, summary };
    }
    const summary = `unresolved (${answer.reason}): ${advice[answer.reason]}`;
    return { outcome: "unresolved", record: undefined, reason: answer.reason, steps, summary };
  } finally {
    round.close();
  }
}

const advice: Readonly<Record<UnresolvedReason, string>> = {
  no_inode:
    "the Resource has no container.cgroup.inode; the application must send it, for example with " +
    "the resource detector or in OTEL_RESOURCE_ATTRIBUTES",
  invalid_inode:
    "the inode is no whole number from 3 to 2^53 - 1; 1 and 2 are read where the application is not " +
    "in a cgroup namespace of its own",
  invalid_device: "container.cgroup.device is no whole number; leave it out on a pure v2 node",
  invalid_boot_id:
    "host.boot.id is no UUID and no node name was sent; send /proc/sys/kernel/random/boot_id",
  no_node:
    "there is an inode but nothing that says on which node; send host.boot.id, or k8s.node.name",
  unknown_node:
    "no reporter has published this node; run inode-reporter there, or the sender is in a virtual " +
    "machine of its own (Kata, gVisor), whose kernel no reporter sees",
  unknown_inode:
    "the node's reporter is alive and has no such directory; the inode is wrong, belongs to no " +
    "container, or its container vanished longer ago than the registry's retention",
  stale_node:
    "the node's reporter has not been heard of for longer than heartbeat_timeout; see its log",
  ambiguous:
    "more than one container fits; send host.boot.id (and container.cgroup.device on hybrid or v1 " +
    "nodes), and see the reporters' logs for two nodes with one boot ID",
  registry_unavailable: "the registry cannot be asked now; see the gateway's log for the reason",
};

function sentenceOf(
  step: StepName,
  result: StepResult,
  identity: ResourceIdentity,
  nodeFacts: string,
): string {
  const target =
    step === "boot_id" ? `boot ID ${identity.bootId}` : `the node with ${nodeNameText(identity)}`;
  const asked = `inode ${identity.inode}${deviceText(identity)} on ${target}`;
  if (result.outcome === "skipped") return skipSentences[result.reason];
  if (result.outcome === "resolved") return `${asked} is container ${result.record.containerId}`;
  switch (result.reason) {
    case "unknown_inode":
      return `${asked} is not published, although its reporter is alive${nodeFacts}`;
    case "unknown_node":
      return `${target} is not known to the registry`;
    case "stale_node":
      return `${asked} is not published, and its reporter is overdue${nodeFacts}`;
    case "ambiguous":
      return `${asked} fits more than one container or node${nodeFacts}`;
    case "registry_unavailable":
      return `${asked} could not be looked up: the registry is away`;
  }
}

const skipSentences: Readonly<Record<SkipReason, string>> = {
  no_inode: "not asked: the Resource carries no inode",
  invalid_inode: "not asked: the inode is not a whole number from 3 to 2^53 - 1",
  invalid_device: "not asked: the device is not a whole number",
  no_boot_id: "not asked: the Resource carries no host.boot.id",
  invalid_boot_id: "not asked: host.boot.id is not a UUID",
  no_node_name: "not asked: the Resource carries no k8s.node.name, host.id or host.name",
  node_known: "not asked: the boot ID led to the node already, and a name is weaker than that",
};

function deviceText({ device }: ResourceIdentity): string {
  return device === undefined ? "" : ` of device ${device}`;
}

function nodeNameText({ names }: ResourceIdentity): string {
  if (names.nodeName !== undefined) return `k8s.node.name "${names.nodeName}"`;
  if (names.hostId !== undefined) return `host.id "${names.hostId}"`;
  return `host.name "${names.hostName}"`;
}

/** What the registry knows of the node that was asked; empty when nothing, or when it is away. */
async function describeNode(
  identity: ResourceIdentity,
  trail: readonly TrailEntry[],
  registry: ExplainableRegistry,
): Promise<string> {
  const isMissed = trail.some(({ result }) => result.outcome === "missed");
  if (!isMissed || !registry.availability.isAvailable) return "";
  const bootIds = trail.map(({ result }) =>
    result.outcome === "missed" ? result.awaited?.bootId : undefined,
  );
  const bootId = bootIds.find((id) => id !== undefined) ?? identity.bootId;
  try {
    const state = (await registry.nodes()).find(({ node }) => node.bootId === bootId);
    if (state === undefined) return "";
    const heartbeat = new Date(state.lastHeartbeatUnixMs).toISOString();
    const name = state.node.nodeName ?? state.node.hostName;
    const conflict = state.isConflicted ? ", claimed by another reporter too" : "";
    return ` (node ${name}, ${state.mappingCount} mappings, last heard ${heartbeat}${conflict})`;
  } catch {
    // The registry went away between the two questions: the sentence says the rest.
    return "";
  }
}
