import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { readMappingLines } from "@inode-gateway/components";
import {
  type ContainerRegistry,
  formatMappingLine,
  type Mapping,
  type NodeRecord,
  type NodeState,
} from "@inode-gateway/registry";
import type { Command } from "../command-line.js";
import type { ProcessEnvironment, TextOutput } from "../process-environment.js";
import { formatTable } from "../text-table.js";

type RegistryCommand = Extract<Command, { name: "registry" }>;

/** Mappings written by one call while importing. */
const importBatchSize = 500;

/**
 * Looks inside an open registry or fills it: `nodes` and `list` print tables for people, `export`
 * prints and `import` reads one JSON object a line.
 *
 * @throws Error with the registry's or the file's reason
 */
export async function runRegistryCommand(
  command: RegistryCommand,
  registry: ContainerRegistry,
  io: Pick<ProcessEnvironment, "stdin" | "stdout" | "stderr">,
  unixMs: number,
): Promise<void> {
  switch (command.action) {
    case "nodes":
      printNodes(await registry.nodes(), io.stdout, unixMs);
      return;
    case "list":
      await printMappings(registry, command.bootId, io.stdout);
      return;
    case "export":
      for await (const [bootId, mapping] of mappingsOf(registry, command.bootId)) {
        io.stdout.write(`${formatMappingLine(bootId, mapping)}\n`);
      }
      return;
    case "import":
      await importMappings(command.file, registry, io);
      return;
  }
}

function printNodes(states: readonly NodeState[], stdout: TextOutput, unixMs: number): void {
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
  stdout.write(formatTable(head, rows));
}

async function printMappings(
  registry: ContainerRegistry,
  bootId: string | undefined,
  stdout: TextOutput,
): Promise<void> {
  const rows: string[][] = [];
  for await (const [ownBootId, { inode, device, record }] of mappingsOf(registry, bootId)) {
    const attributes = Object.entries(record.attributes).map(([name, value]) => `${name}=${value}`);
    rows.push([
      ownBootId,
      String(inode),
      device === undefined ? "-" : String(device),
      record.containerId,
      attributes.join(" ") || "-",
    ]);
  }
  stdout.write(formatTable(["BOOT ID", "INODE", "DEVICE", "CONTAINER", "ATTRIBUTES"], rows));
}

async function* mappingsOf(
  registry: ContainerRegistry,
  bootId: string | undefined,
): AsyncGenerator<[string, Mapping]> {
  const bootIds =
    bootId === undefined ? (await registry.nodes()).map(({ node }) => node.bootId) : [bootId];
  for (const each of bootIds) {
    for await (const mapping of registry.mappings(each)) yield [each, mapping];
  }
}

async function importMappings(
  file: string | undefined,
  registry: ContainerRegistry,
  { stdin, stderr }: Pick<ProcessEnvironment, "stdin" | "stderr">,
): Promise<void> {
  const nodes = await readMappingLines(linesOf(file, stdin), file ?? "standard input");
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
function importedNode(node: NodeRecord): NodeRecord {
  return { ...node, reporterVersion: node.reporterVersion || "import" };
}

async function* linesOf(
  file: string | undefined,
  stdin: ProcessEnvironment["stdin"],
): AsyncGenerator<string> {
  if (file !== undefined) {
    yield* createInterface({ input: createReadStream(file, { encoding: "utf8" }) });
    return;
  }
  let rest = "";
  for await (const chunk of stdin) {
    const lines = (rest + chunk.toString()).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  if (rest !== "") yield rest;
}
