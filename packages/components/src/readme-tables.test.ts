import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { ComponentFactory, MetricDefinition } from "@inode-gateway/contract";
import { z } from "zod";
import { builtInFactories } from "./index.js";

interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly anyOf?: readonly JsonSchema[];
}

/** The rows of one schema: keys of nested objects carry the path to them. */
function optionRows(schema: JsonSchema, prefix = ""): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, option]) => {
    const path = `${prefix}${key}`;
    const nested = optionRows(option, `${path}.`);
    const shown = nested.length > 0 ? "" : shownDefault(option);
    const row = `| \`${path}\` | ${shown} | ${cell(option.description ?? "")} |`;
    return [row, ...nested];
  });
}

function shownDefault(option: JsonSchema): string {
  return option.default === undefined ? "" : `\`${JSON.stringify(option.default)}\``;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}

function optionTable(factory: ComponentFactory): string {
  const schema = z.toJSONSchema(factory.config, { io: "input", unrepresentable: "any" });
  const rows = optionRows(schema as JsonSchema);
  return ["| key | default | meaning |", "| --- | --- | --- |", ...rows].join("\n");
}

function metricTable(metrics: readonly MetricDefinition[]): string {
  const rows = metrics.map(
    ({ help, kind, labels, name }) =>
      `| \`${name}\` | ${kind} | ${labels.map((label) => `\`${label}\``).join(", ")} | ${cell(help)} |`,
  );
  return ["| metric | kind | labels | meaning |", "| --- | --- | --- | --- |", ...rows].join("\n");
}

function beginOf(name: string): string {
  return `<!-- ${name}: made from the code, see readme-tables.test.ts -->`;
}

function withTable(readme: string, name: string, table: string): string {
  const begin = beginOf(name);
  const end = `<!-- end of ${name} -->`;
  const from = readme.indexOf(begin);
  const until = readme.indexOf(end);
  if (from === -1 || until === -1) return readme;
  return `${readme.slice(0, from + begin.length)}\n${table}\n${readme.slice(until)}`;
}

/** The formatter aligns the columns of a table. */
function withoutAlignment(readme: string): string {
  return readme.replaceAll(/\|[ -]+(?=\|)/g, "| ").replaceAll(/ +(?=\|)/g, " ");
}

function readmeOf({ kind, type }: ComponentFactory): string {
  const folder = `../src/${kind}s/${type.replaceAll("_", "-")}/README.md`;
  return fileURLToPath(new URL(folder, import.meta.url));
}

// Run with UPDATE_README_TABLES=1 to write the tables instead of comparing them.
for (const factory of builtInFactories) {
  const path = readmeOf(factory);
  if (!existsSync(path) || !readFileSync(path, "utf8").includes(beginOf("options"))) continue;
  test(`the tables of ${factory.kind} ${factory.type} say what the code says`, () => {
    const readme = readFileSync(path, "utf8");
    const withOptions = withTable(readme, "options", optionTable(factory));
    const current = withTable(withOptions, "metrics", metricTable(factory.metrics ?? []));
    if (process.env["UPDATE_README_TABLES"] === "1") writeFileSync(path, current);
    else assert.equal(withoutAlignment(readme), withoutAlignment(current));
  });
}
