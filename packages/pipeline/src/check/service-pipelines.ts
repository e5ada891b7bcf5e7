import { nearest, parseComponentId, parseSection, sectionEntries } from "@inode-gateway/config";
import type { ComponentKind, Signal } from "@inode-gateway/contract";
import { z } from "zod";
import type { CheckedPipeline } from "./checked-configuration.js";
import type { ConfiguredComponents } from "./configured-components.js";
import type { Findings } from "./findings.js";

const SIGNALS: readonly Signal[] = ["traces", "metrics", "logs", "profiles"];

const PATH = ["service", "pipelines"];

const pipelineSchema = z.strictObject({
  receivers: z.array(z.string()).default([]),
  processors: z.array(z.string()).default([]),
  exporters: z.array(z.string()).default([]),
});

/** Checks `service::pipelines`: signals, lists, references. Pipelines with problems are left out. */
export function checkPipelines(
  section: unknown,
  configured: ConfiguredComponents,
  findings: Findings,
): readonly CheckedPipeline[] {
  const entries = sectionEntries(section);
  if (entries === undefined) {
    findings.problem(PATH, "expected a map of pipelines by their IDs");
    return [];
  }
  if (entries.size === 0) findings.problem(PATH, "service must have at least one pipeline");
  const pipelines: CheckedPipeline[] = [];
  for (const [id, below] of entries) {
    const before = findings.problems.length;
    const pipeline = checkPipeline(id, below, configured, findings);
    if (pipeline !== undefined && findings.problems.length === before) pipelines.push(pipeline);
  }
  return pipelines;
}

function checkPipeline(
  id: string,
  section: unknown,
  configured: ConfiguredComponents,
  findings: Findings,
): CheckedPipeline | undefined {
  const path = [...PATH, id];
  const signal = signalOf(id, findings);
  const parsed = parseSection(pipelineSchema, section, path);
  if ("problems" in parsed) {
    findings.problems.push(...parsed.problems);
    return undefined;
  }
  const { receivers, processors, exporters } = parsed.value;
  if (receivers.length === 0) findings.problem(path, "must have at least one receiver");
  if (exporters.length === 0) findings.problem(path, "must have at least one exporter");
  for (const processor of repeated(processors)) {
    findings.problem(path, `references processor ${JSON.stringify(processor)} multiple times`);
  }
  const checkList = (list: readonly string[], kind: ComponentKind, orConnector: boolean) => {
    for (const reference of new Set(list)) {
      checkReference(reference, { kind, orConnector, signal, path }, configured, findings);
    }
  };
  checkList(receivers, "receiver", true);
  checkList(processors, "processor", false);
  checkList(exporters, "exporter", true);
  if (signal === undefined) return undefined;
  return {
    id,
    signal,
    receivers: once(receivers, "receiver", path, findings),
    processors,
    exporters: once(exporters, "exporter", path, findings),
  };
}

function signalOf(id: string, findings: Findings): Signal | undefined {
  const parts = parseComponentId(id);
  if ("problem" in parts) {
    findings.problem(PATH, parts.problem);
    return undefined;
  }
  const signal = SIGNALS.find((candidate) => candidate === parts.type);
  if (signal !== undefined) return signal;
  const meant = nearest(parts.type, SIGNALS);
  const hint = meant === undefined ? "" : `, did you mean ${JSON.stringify(meant)}?`;
  findings.problem(
    [...PATH, id],
    `unknown signal ${JSON.stringify(parts.type)} (valid values: [${SIGNALS.join(" ")}])${hint}`,
  );
  return undefined;
}

interface ReferencePlace {
  readonly kind: ComponentKind;
  /** Whether a connector may stand here too. */
  readonly orConnector: boolean;
  readonly signal: Signal | undefined;
  readonly path: readonly string[];
}

function checkReference(
  id: string,
  { kind, orConnector, signal, path }: ReferencePlace,
  configured: ConfiguredComponents,
  findings: Findings,
): void {
  // What a connector supports depends on both of its ends: see check-connectors.
  if (orConnector && configured.connector.has(id)) return;
  const ofKind = configured[kind];
  if (!ofKind.has(id)) {
    const candidates = orConnector
      ? [...ofKind.keys(), ...configured.connector.keys()]
      : ofKind.keys();
    findings.problem(path, notConfigured(kind, id, candidates));
    return;
  }
  const factory = ofKind.get(id)?.factory;
  if (signal === undefined || factory === undefined || factory.kind === "extension") return;
  if (factory.signals.includes(signal)) return;
  const supported = factory.signals.join(", ");
  findings.problem(
    path,
    `${kind} ${JSON.stringify(id)} does not support ${signal}, it supports ${supported}`,
  );
}

/** The Collector's words, with the nearest ID that exists. */
export function notConfigured(kind: string, id: string, candidates: Iterable<string>): string {
  const meant = nearest(id, candidates);
  const hint = meant === undefined ? "" : `, did you mean ${JSON.stringify(meant)}?`;
  return `references ${kind} ${JSON.stringify(id)} which is not configured${hint}`;
}

// The Collector takes a receiver or exporter that is named twice as named once.
function once(
  list: readonly string[],
  kind: string,
  path: readonly string[],
  findings: Findings,
): string[] {
  for (const id of repeated(list)) {
    findings.warnings.push(
      `${path.join("::")}: references ${kind} ${JSON.stringify(id)} multiple times, once counts`,
    );
  }
  return [...new Set(list)];
}

/** Every entry that is there more than once, once each. */
export function repeated(list: readonly string[]): ReadonlySet<string> {
  return new Set(list.filter((id, index) => list.indexOf(id) !== index));
}
