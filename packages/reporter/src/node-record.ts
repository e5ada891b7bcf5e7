import { readFileSync } from "node:fs";
import { hostname, release } from "node:os";
import { readBootId } from "@inode-gateway/inode";
import type { NodeRecord } from "@inode-gateway/registry";
import type { NodeHierarchies } from "./discovery/hierarchies.js";
import type { ReporterConfig } from "./reporter-config.js";

/** Characters of a host ID that are kept; a machine ID has 32. */
const maxHostIdLength = 255;

/**
 * Describes the node to the registry.
 *
 * @throws Error naming the key when there is no boot ID
 */
export function describeNode(
  config: ReporterConfig,
  found: NodeHierarchies,
  version: string,
): NodeRecord {
  const bootId = readBootId(config.boot_id_path);
  if (bootId === undefined) {
    throw new Error(
      `\`boot_id_path\` ${config.boot_id_path} holds no boot ID: it must be a readable file with a UUID, as /proc/sys/kernel/random/boot_id is`,
    );
  }
  return {
    bootId,
    nodeName: config.node_name,
    hostName: config.host_name ?? hostname(),
    hostId: readHostId(config.host_id_path),
    kernelRelease: release(),
    reporterVersion: version,
    hierarchy: found.kind,
    devices: [...new Set(found.hierarchies.map(({ device }) => device))],
  };
}

// A container has no machine ID of its own, so that its absence is nothing to complain about.
function readHostId(path: string): string | undefined {
  try {
    const text = readFileSync(path, "utf8").trim();
    return text === "" || text.length > maxHostIdLength ? undefined : text;
  } catch {
    return undefined;
  }
}
