import { attributeNames } from "@inode-gateway/inode";
import { type AttributeEdit, type AttributeScalar, editResource } from "@inode-gateway/otlp";
import type { ContainerRecord } from "@inode-gateway/registry";
import type { InodeResolverConfig } from "./config.js";
import type { ResourceIdentity } from "./resource-identity.js";

/** How a resolved Resource is changed; the part of the configuration that decides it. */
export type EnrichmentConfig = Pick<
  InodeResolverConfig,
  "container_id_conflict" | "enrich" | "keep_inode" | "overwrite_attributes"
>;

/** A resolved Resource. */
export interface EnrichedResource {
  readonly bytes: Uint8Array;
  /** Whether the sender had set another `container.id`. */
  readonly hasConflict: boolean;
}

/**
 * Writes what the node knows of its container into the Resource in `bytes` from `start` to `end`.
 *
 * With `container_id_conflict: keep` only the sender's `container.id` stays; the other attributes
 * are the node's, since the inode, not the ID, says where the telemetry came from.
 */
export function enrichResource(
  bytes: Uint8Array,
  start: number,
  end: number,
  identity: ResourceIdentity,
  record: ContainerRecord,
  config: EnrichmentConfig,
): EnrichedResource {
  const hasConflict =
    identity.containerId !== undefined && identity.containerId !== record.containerId;
  const set = new Map<string, AttributeScalar>();
  const setIfAbsent = new Map<string, AttributeScalar>();
  if (!hasConflict || config.container_id_conflict === "replace") {
    set.set("container.id", record.containerId);
  }
  const target = config.overwrite_attributes ? set : setIfAbsent;
  for (const [name, value] of Object.entries(record.attributes)) {
    if (name !== "container.id" && isWanted(name, config.enrich)) target.set(name, value);
  }
  const remove = config.keep_inode ? new Set<string>() : inputAttributes(identity);
  // What is written is not taken away again, should a node publish one of these names.
  for (const name of remove) {
    set.delete(name);
    setIfAbsent.delete(name);
  }
  const edit: AttributeEdit = { set, setIfAbsent, remove };
  return { bytes: editResource(bytes, start, end, edit), hasConflict };
}

function isWanted(name: string, enrich: EnrichmentConfig["enrich"]): boolean {
  if (enrich === "all") return true;
  return enrich !== "none" && enrich.includes(name);
}

/** What identified the container: the boot ID names a host, so it goes whether it was used or not. */
function inputAttributes(identity: ResourceIdentity): Set<string> {
  const names = new Set<string>([
    attributeNames.inode,
    attributeNames.device,
    attributeNames.bootId,
  ]);
  if (identity.inodeAttribute !== undefined) names.add(identity.inodeAttribute);
  return names;
}
