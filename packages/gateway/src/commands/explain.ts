import { explainResolution, inodeResolver } from "@inode-gateway/components";
import {
  ConfigurationError,
  type ConfigurationTree,
  parseComponentId,
  parseSection,
  sectionEntries,
} from "@inode-gateway/config";
import type { OpenedRegistry } from "../open-registry.js";
import type { ResultOutput } from "../process-environment.js";
import { withoutControls } from "../text-table.js";

/**
 * Prints which step of the resolver names the container of these attributes, or why none does.
 *
 * @throws ConfigurationError when the resolver of that registry cannot be understood
 */
export async function runExplainCommand(
  attributes: ReadonlyMap<string, string>,
  tree: ConfigurationTree,
  { id, registry }: OpenedRegistry,
  stdout: ResultOutput,
): Promise<void> {
  const aliases = inodeAliases(tree, id);
  const given = Object.fromEntries(
    [...attributes].map(([name, text]) => [name, aliases.includes(name) ? toNumber(text) : text]),
  );
  const { steps, summary, record } = await explainResolution(given, registry, aliases);
  const lines = [
    ...steps.map(({ number, name, sentence }) => `${number}. ${name}: ${sentence}`),
    `=> ${summary}`,
    ...Object.entries(record?.attributes ?? {}).map(([name, value]) => `   ${name}: ${value}`),
  ];
  await stdout.write(lines.map((line) => `${withoutControls(line)}\n`).join(""));
}

/** `inode_attributes` of the first resolver that asks this registry, else the default ones. */
function inodeAliases(tree: ConfigurationTree, registryId: string): readonly string[] {
  const processors = sectionEntries(sectionEntries(tree.root)?.get("processors")) ?? new Map();
  for (const [id, section] of processors) {
    const parts = parseComponentId(id);
    if ("problem" in parts || parts.type !== inodeResolver.type) continue;
    const parsed = parseSection(inodeResolver.config, section, ["processors", id]);
    if ("problems" in parsed) throw new ConfigurationError(parsed.problems);
    if (parsed.value.registry === registryId) return parsed.value.inode_attributes;
  }
  return inodeResolver.config.parse({ registry: registryId }).inode_attributes;
}

/** A command line knows text only, but some senders' inode counts as an integer only. */
function toNumber(text: string): string | number {
  return /^\d{1,15}$/.test(text) ? Number(text) : text;
}
