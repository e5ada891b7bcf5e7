import { explainResolution } from "@inode-gateway/components";
import type { ContainerRegistry } from "@inode-gateway/registry";
import type { TextOutput } from "../process-environment.js";

/** Prints which step of the resolver names the container of these attributes, or why none does. */
export async function runExplainCommand(
  attributes: ReadonlyMap<string, string>,
  registry: ContainerRegistry,
  stdout: TextOutput,
): Promise<void> {
  const explanation = await explainResolution(Object.fromEntries(attributes), registry);
  for (const { number, name, sentence } of explanation.steps) {
    stdout.write(`${number}. ${name}: ${sentence}\n`);
  }
  stdout.write(`=> ${explanation.summary}\n`);
  for (const [name, value] of Object.entries(explanation.record?.attributes ?? {})) {
    stdout.write(`   ${name}: ${value}\n`);
  }
}
