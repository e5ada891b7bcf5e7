import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { builtInFactories } from "@inode-gateway/components";
import {
  type ConfigurationProblem,
  loadConfiguration,
  parseComponentId,
  parseSection,
  sectionEntries,
} from "@inode-gateway/config";
import { telemetryConfig } from "@inode-gateway/gateway";
import { checkConfiguration } from "@inode-gateway/pipeline";
import { executableConfig } from "@inode-gateway/reporter";
import { parse } from "yaml";
import { codeBlocks, indentedBlocks } from "../docs/code-blocks.js";
import { readText, repositoryFiles, rootFolder } from "../docs/repository.js";

/** Everything that is wrong with a configuration, of the gateway or of the reporter. */
async function problemsOf(source: string): Promise<readonly ConfigurationProblem[]> {
  const tree = await loadConfiguration({ configs: [source], sets: [], environment: {} });
  const root = sectionEntries(tree.root) ?? new Map<string, unknown>();
  if (sectionEntries(root.get("service"))?.has("pipelines")) {
    const result = checkConfiguration(tree, builtInFactories, { telemetrySchema: telemetryConfig });
    return "problems" in result ? result.problems : [];
  }
  if (root.has("reporter") || root.has("registry")) {
    const parsed = parseSection(executableConfig, tree.root, []);
    return "problems" in parsed ? parsed.problems : [];
  }
  return [...root]
    .filter(([section]) => section !== "service")
    .flatMap(([section, components]) => problemsOfSection(section, components));
}

/** A part of a configuration: each component by its own schema. */
function problemsOfSection(section: string, components: unknown): readonly ConfigurationProblem[] {
  return [...(sectionEntries(components) ?? [])].flatMap(([id, below]) => {
    const parts = parseComponentId(id);
    const type = "type" in parts ? parts.type : "";
    const factory = builtInFactories.find(
      (candidate) =>
        `${candidate.kind}s` === section &&
        (candidate.type === type || candidate.aliases?.includes(type)),
    );
    if (factory === undefined) return [{ path: `${section}::${id}`, message: "unknown component" }];
    const parsed = parseSection(factory.config, below, [section, id]);
    return "problems" in parsed ? parsed.problems : [];
  });
}

suite("configs", () => {
  test("the gateway's are whole configurations", () => {
    for (const name of ["gateway", "standalone"]) {
      const { service } = parse(readText(`configs/${name}.yaml`)) as { service?: object };
      assert.ok(service !== undefined && "pipelines" in service, name);
    }
  });

  const files = repositoryFiles(".yaml", "configs/");
  assert.ok(files.length >= 3);
  for (const file of files) {
    test(`${file} is valid as it is, without a variable set`, async () => {
      assert.deepEqual(await problemsOf(rootFolder + file), []);
    });
  }
});

/** Whether a block is a configuration of ours or a part of one, not a fragment or another's file. */
function isConfiguration(text: string): boolean {
  let value: unknown;
  try {
    value = parse(text);
  } catch {
    return false;
  }
  const sections = ["receivers", "processors", "exporters", "extensions", "reporter", "registry"];
  return (
    typeof value === "object" &&
    value !== null &&
    sections.some((section) => Object.hasOwn(value, section))
  );
}

suite("configurations in the docs", () => {
  const blocks = repositoryFiles(".md").flatMap((path) => {
    const markdown = readText(path);
    const fenced = codeBlocks(markdown).filter(({ language }) => language === "yaml");
    return [...fenced.map(({ text }) => text), ...indentedBlocks(markdown)]
      .filter(isConfiguration)
      .map((text, index) => ({ name: `configuration ${index + 1} of ${path}`, text }));
  });
  assert.ok(blocks.length >= 5, `only ${blocks.length} were found`);
  for (const { name, text } of blocks) {
    test(`${name} is valid`, async () => {
      assert.deepEqual(await problemsOf(`yaml:${text}`), []);
    });
  }
});
