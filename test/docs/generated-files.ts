import { builtInFactories } from "@inode-gateway/components";
import type { ComponentFactory } from "@inode-gateway/contract";
import { telemetryConfig } from "@inode-gateway/gateway";
import { executableConfig, reporterMetrics } from "@inode-gateway/reporter";
import { configurationSchema } from "./configuration-schema.js";
import { markdownTable } from "./markdown-table.js";
import { withSection } from "./marked-section.js";
import { metricSections, metricTable } from "./metric-table.js";
import { optionTable } from "./option-table.js";
import { readText } from "./repository.js";

/** A file of which at least a part is made from the code. */
export interface GeneratedFile {
  /** From the root folder. */
  readonly path: string;
  /** What it should say, in full. */
  readonly text: string;
}

/** Every generated file as the code wants it now; `node scripts/generate-docs.mjs` writes them. */
export function generatedFiles(): readonly GeneratedFile[] {
  return [
    ...builtInFactories.map(componentReadme),
    withSections("packages/reporter/README.md", reporterSections()),
    withSections("docs/configuration.md", {
      components: componentTable(),
      telemetry: optionTable(telemetryConfig),
    }),
    withSections(
      "docs/metrics.md",
      Object.fromEntries(Object.entries(metricSections).map(([name, table]) => [name, table()])),
    ),
    {
      path: "docs/configuration.schema.json",
      text: `${JSON.stringify(configurationSchema(), undefined, 2)}\n`,
    },
  ];
}

function withSections(path: string, sections: Readonly<Record<string, string>>): GeneratedFile {
  let text = readText(path);
  for (const [name, content] of Object.entries(sections)) {
    text = withSection(path, text, name, content);
  }
  return { path, text };
}

function componentReadme(factory: ComponentFactory): GeneratedFile {
  return withSections(readmePath(factory), {
    options: optionTable(factory.config),
    metrics: metricTable(factory.metrics ?? []),
  });
}

function reporterSections(): Readonly<Record<string, string>> {
  const { health, registry, reporter, telemetry } = executableConfig.shape;
  const redis = registry.unwrap().shape.redis;
  return {
    "reporter-options": optionTable(reporter),
    "redis-options": optionTable(redis),
    "telemetry-options": optionTable(telemetry),
    "health-options": optionTable(health),
    metrics: metricTable(Object.values(reporterMetrics)),
  };
}

function componentTable(): string {
  const factories: readonly ComponentFactory[] = builtInFactories;
  const rows = factories.map((factory) => {
    const { aliases = [], kind, stability, type } = factory;
    return [
      `[\`${type}\`](../${readmePath(factory)})`,
      kind,
      aliases.map((alias) => `\`${alias}\``).join(", "),
      factory.kind === "extension" ? "" : factory.signals.join(", "),
      stability,
    ];
  });
  return markdownTable(["type", "kind", "older names", "signals", "stability"], rows);
}

function readmePath({ kind, type }: ComponentFactory): string {
  return `packages/components/src/${kind}s/${type.replaceAll("_", "-")}/README.md`;
}
