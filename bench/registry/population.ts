import type { ContainerRegistry, InodeKey, Mapping, NodeRecord } from "@inode-gateway/registry";

/** How many there are in the whole case. */
export const nodeCount = 10_000;
export const containersPerNode = 100;

/** The kernel hands out an ID per control file, so directories are some 41 apart. */
const inodeStep = 41;

/**
 * Boot ID of a node: a UUID in form, different for every index.
 *
 * Read back from bytes, as from the wire: V8 keeps joined texts as two halves, which costs a hit some
 * 30 ns more.
 */
export function bootIdOf(nodeIndex: number): string {
  const text = nodeIndex.toString(16).padStart(12, "0");
  return Buffer.from(`5e9f1d2c-7a3b-4c8d-9e0f-${text}`, "latin1").toString("latin1");
}

/** Inode of a container on a node. */
export function inodeOf(containerIndex: number): number {
  return 20_020 + inodeStep * containerIndex;
}

/** Key of a container on a node. */
export function keyOf(nodeIndex: number, containerIndex: number): InodeKey {
  return { bootId: bootIdOf(nodeIndex), inode: inodeOf(containerIndex) };
}

function nodeOf(nodeIndex: number): NodeRecord {
  return {
    bootId: bootIdOf(nodeIndex),
    nodeName: `node-${nodeIndex}`,
    hostName: `ip-10-0-${nodeIndex >> 8}-${nodeIndex & 255}.internal`,
    hostId: nodeIndex.toString(16).padStart(32, "e"),
    kernelRelease: "6.18.0",
    reporterVersion: "0.1.0",
    hierarchy: "v2",
    devices: [38],
  };
}

// What a reporter reads from the cgroup path alone; metadata from a runtime's socket comes on top.
function mappingOf(nodeIndex: number, containerIndex: number): Mapping {
  const number = nodeIndex * containersPerNode + containerIndex;
  const containerId = (number * 2_654_435_761).toString(16).padStart(64, "57bd9c30801f8ba7");
  const podUid = `5449328a-3884-4605-834c-${number.toString(16).padStart(12, "0")}`;
  const attributes = { "container.runtime.name": "containerd", "k8s.pod.uid": podUid };
  return { inode: inodeOf(containerIndex), record: { containerId, attributes } };
}

/** Publishes all containers of all nodes, as their reporters would on their first start. */
export async function publishAll(registry: ContainerRegistry): Promise<void> {
  const atOnce = 8;
  for (let from = 0; from < nodeCount; from += atOnce) {
    const publications: Promise<void>[] = [];
    for (let index = from; index < Math.min(from + atOnce, nodeCount); index++) {
      const published = Array.from({ length: containersPerNode }, (_, i) => mappingOf(index, i));
      publications.push(registry.publish(nodeOf(index), { published, vanished: [] }));
    }
    await Promise.all(publications);
  }
}
