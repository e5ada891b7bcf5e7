import { type FileNode, readMappingFile, readMappings } from "@inode-gateway/components";
import {
  type ContainerRegistry,
  formatMappingLine,
  type Mapping,
  type NodeRecord,
  type NodeState,
} from "@inode-gateway/registry";
import type { Command } from "../command-line.js";
import type { OpenedRegistry } from "../open-registry.js";
import type { ProcessEnvironment } from "../process-environment.js";
import { formatTable } from "../text-table.js";

type RegistryCommand = Extract<Command, { name: "registry" }>;

/** Mappings written by one call while importing. */
const importBatchSize = 500;

/** Exported lines are written in pieces of about this many characters: a line alone costs a call. */
const exportPieceLength = 65_536;

/**
 * Looks inside an open registry or fills it: `nodes` and `list` print tables for people, `export`
 * prints and `import` reads one JSON object a line.
 *
 * @param unixMs the time, for the age of heartbeats
 * @throws Error with the registry's or the file's reason
 */
export async function runRegistryCommand(
  command: RegistryCommand,
  opened: OpenedRegistry,
  io: Pick<ProcessEnvironment, "stdin" | "stdout" | "stderr">,
  unixMs: number,
): Promise<void> {
  const { registry } = opened;
  switch (command.action) {
    case "nodes":
      await printNodes(await nodesOf(registry, command.bootId), io, unixMs);
      return;
    case "list":
      await printMappings(mappingsOf(registry, command.bootId), io);
      return;
    case "export":
      await exportMappings(mappingsOf(registry, command.bootId), io);
      return;
    case "import":
      await importMappings(command.file, opened, io);
      return;
  }
}

/** The nodes of the registry, or the one that is asked for. */
async function nodesOf(
  registry: ContainerRegistry,
  bootId: string | undefined,
): Promise<readonly NodeState[]> {
  const states = await registry.nodes();
  if (bootId === undefined) return states;
  const asked = states.filter(({ node }) => node.bootId === bootId);
  if (asked.length > 0) return asked;
  throw new Error(`no node has the boot ID "${bootId}"; "registry nodes" lists all of them`);
}

async function printNodes(
  states: readonly NodeState[],
  { stdout }: Pick<ProcessEnvironment, "stdout">,
  unixMs: number,
): Promise<void> {
  const rows = states.map(({ node, lastHeartbeatUnixMs, isAlive, isConflicted, mappingCount }) => [
    node.bootId,
    node.nodeName ?? "-",
    node.hostName,
    node.hierarchy,
    String(mappingCount),
    `${Math.max(0, Math.round((unixMs - lastHeartbeatUnixMs) / 1_000))} s ago`,
    isConflicted ? "conflicted" : isAlive ? "alive" : "stale",
  ]);
  const head = ["BOOT ID", "NODE", "HOST", "CGROUPS", "MAPPINGS", "HEARTBEAT", "STATE"];
  for await (const page of formatTable(head, rows)) await stdout.write(page);
}

async function printMappings(
  mappings: AsyncIterable<[NodeRecord, Mapping]>,
  { stdout }: Pick<ProcessEnvironment, "stdout">,
): Promise<void> {
  const head = ["BOOT ID", "INODE", "DEVICE", "CONTAINER", "ATTRIBUTES"];
  for await (const page of formatTable(head, rowsOf(mappings))) await stdout.write(page);
}

async function* rowsOf(
  mappings: AsyncIterable<[NodeRecord, Mapping]>,
): AsyncGenerator<readonly string[]> {
  for await (const [{ bootId }, { inode, device, record }] of mappings) {
    const attributes = Object.entries(record.attributes).map(([name, value]) => `${name}=${value}`);
    const shownDevice = device === undefined ? "-" : String(device);
    yield [bootId, String(inode), shownDevice, record.containerId, attributes.join(" ") || "-"];
  }
}

async function exportMappings(
  mappings: AsyncIterable<[NodeRecord, Mapping]>,
  { stdout }: Pick<ProcessEnvironment, "stdout">,
): Promise<void> {
  let piece = "";
  for await (const [node, mapping] of mappings) {
    piece += `${formatMappingLine(node.bootId, withNodeNames(mapping, node))}\n`;
    if (piece.length < exportPieceLength) continue;
    await stdout.write(piece);
    piece = "";
  }
  if (piece !== "") await stdout.write(piece);
}

/**
 * A line has no place for the node but among the attributes, and `import` reads it there: without
 * its names the node could not be found by them, and its own reporter would be taken for a rival.
 */
function withNodeNames(mapping: Mapping, node: NodeRecord): Mapping {
  const { containerId, attributes } = mapping.record;
  const named = {
    ...(node.nodeName === undefined ? {} : { "k8s.node.name": node.nodeName }),
    "host.name": node.hostName,
    ...(node.hostId === undefined ? {} : { "host.id": node.hostId }),
    ...attributes,
  };
  const sorted = Object.entries(named).sort(([one], [other]) => (one < other ? -1 : 1));
  return { ...mapping, record: { containerId, attributes: Object.fromEntries(sorted) } };
}

async function* mappingsOf(
  registry: ContainerRegistry,
  bootId: string | undefined,
): AsyncGenerator<[NodeRecord, Mapping]> {
  for (const { node } of await nodesOf(registry, bootId)) {
    for await (const mapping of registry.mappings(node.bootId)) yield [node, mapping];
  }
}

/** Reads everything before anything is written, so that a wrong line leaves the registry as it was. */
async function importMappings(
  file: string | undefined,
  { id, registry, isShared }: OpenedRegistry,
  { stdin, stderr }: Pick<ProcessEnvironment, "stdin" | "stderr">,
): Promise<void> {
  if (!isShared) {
    throw new Error(
      `registry "${id}" takes its mappings from its \`file\` only: add the lines to that file`,
    );
  }
  const nodes =
    file === undefined
      ? await readMappings(textOf(stdin), "standard input")
      : await readMappingFile(file);
  const known = new Map((await registry.nodes()).map(({ node }) => [node.bootId, node]));
  let count = 0;
  for (const { node, mappings } of nodes) {
    const record = known.get(node.bootId) ?? importedNode(node);
    for (let start = 0; start < mappings.length; start += importBatchSize) {
      const published = mappings.slice(start, start + importBatchSize);
      await registry.publish(record, { published, vanished: [] });
      count += published.length;
    }
  }
  stderr.write(`imported ${count} mappings of ${nodes.length} nodes\n`);
}

/** A node that no reporter has told of: the program that wrote it says so. */
function importedNode(node: FileNode["node"]): NodeRecord {
  return { ...node, reporterVersion: node.reporterVersion || "import" };
}

/** UTF-8 in pieces; a character may be cut in two between them. */
async function* textOf(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  for await (const piece of pieces) yield decoder.decode(piece, { stream: true });
  yield decoder.decode();
}
