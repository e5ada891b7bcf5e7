import {
  type ConfigurationProblem,
  type ConfigurationTree,
  parseSection,
  sectionEntries,
  unknownKeyText,
} from "@inode-gateway/config";
import type { ComponentFactory, ComponentKind } from "@inode-gateway/contract";
import type { z } from "zod";
import {
  type CheckedComponent,
  type CheckedConfiguration,
  type CheckedPipeline,
  componentKinds,
  sectionOfKind,
} from "./checked-configuration.js";
import { type ConfiguredComponents, checkComponents } from "./configured-components.js";
import { checkConnectors } from "./connector-ends.js";
import { checkExtensions } from "./extension-references.js";
import { Findings } from "./findings.js";
import { checkPipelines } from "./service-pipelines.js";

const TOP_LEVEL_KEYS = [...componentKinds.map((kind) => sectionOfKind[kind]), "service"];
const SERVICE_KEYS = ["extensions", "pipelines", "telemetry"];

/** What a configuration is checked with besides the factories. */
export interface CheckOptions<TelemetrySchema extends z.ZodType> {
  /** Schema of `service::telemetry`. */
  readonly telemetrySchema: TelemetrySchema;
}

/** Either a configuration that can be built, or everything that is wrong with it. */
export type CheckResult<Telemetry> =
  | { readonly checked: CheckedConfiguration<Telemetry> }
  | { readonly problems: readonly ConfigurationProblem[] };

/**
 * Checks a whole configuration with the Collector's rules and messages; touches nothing outside memory.
 *
 * Every configured component's section is checked; only what a pipeline or `service::extensions` names
 * becomes part of the result.
 */
export function checkConfiguration<TelemetrySchema extends z.ZodType>(
  tree: ConfigurationTree,
  factories: readonly ComponentFactory[],
  { telemetrySchema }: CheckOptions<TelemetrySchema>,
): CheckResult<z.output<TelemetrySchema>> {
  const findings = new Findings();
  findings.warnings.push(...tree.warnings);
  const root = sectionEntries(tree.root) ?? new Map<string, unknown>();
  if (root.size === 0) return { problems: [{ path: "", message: "empty configuration file" }] };
  refuseUnknownKeys(root, TOP_LEVEL_KEYS, [], findings);
  const configured = checkComponents(root, factories, findings);
  const service = sectionEntries(root.get("service"));
  if (service === undefined) findings.problem(["service"], "expected a map");
  else refuseUnknownKeys(service, SERVICE_KEYS, ["service"], findings);
  const pipelines = checkPipelines(service?.get("pipelines"), configured, findings);
  // A connector may only seem to lack an end while a pipeline with problems is left out.
  const isComplete = pipelines.length === sectionEntries(service?.get("pipelines"))?.size;
  if (isComplete) checkConnectors(pipelines, configured, findings);
  const used = usedComponents(pipelines, configured);
  const extensions = checkExtensions(service?.get("extensions"), used, configured, findings);
  const telemetry = parseSection(telemetrySchema, service?.get("telemetry"), [
    "service",
    "telemetry",
  ]);
  if ("problems" in telemetry) return { problems: [...findings.problems, ...telemetry.problems] };
  if (findings.problems.length > 0) return { problems: findings.problems };
  noteUnused(configured, [...used, ...extensions], findings);
  return {
    checked: {
      receivers: ofKind(used, "receiver"),
      processors: ofKind(used, "processor"),
      exporters: ofKind(used, "exporter"),
      connectors: ofKind(used, "connector"),
      extensions: ofKind(extensions, "extension"),
      pipelines,
      telemetry: telemetry.value,
      warnings: findings.warnings,
      notes: findings.notes,
    },
  };
}

function refuseUnknownKeys(
  entries: ReadonlyMap<string, unknown>,
  valid: readonly string[],
  path: readonly string[],
  findings: Findings,
): void {
  for (const key of entries.keys()) {
    if (!valid.includes(key)) findings.problem(path, unknownKeyText(key, valid));
  }
}

function usedComponents(
  pipelines: readonly CheckedPipeline[],
  configured: ConfiguredComponents,
): readonly CheckedComponent[] {
  const used = new Set<CheckedComponent>();
  const add = (kind: ComponentKind, id: string) => {
    const component = configured[kind].get(id) ?? configured.connector.get(id);
    if (component !== undefined) used.add(component);
  };
  for (const { receivers, processors, exporters } of pipelines) {
    for (const id of receivers) add("receiver", id);
    for (const id of processors) add("processor", id);
    for (const id of exporters) add("exporter", id);
  }
  return [...used];
}

function ofKind<Kind extends ComponentKind>(
  components: readonly CheckedComponent[],
  kind: Kind,
): ReadonlyMap<string, CheckedComponent<Extract<ComponentFactory, { readonly kind: Kind }>>> {
  type Wanted = CheckedComponent<Extract<ComponentFactory, { readonly kind: Kind }>>;
  const isWanted = (component: CheckedComponent): component is Wanted =>
    component.factory.kind === kind;
  return new Map(components.filter(isWanted).map((component) => [component.id, component]));
}

function noteUnused(
  configured: ConfiguredComponents,
  used: readonly CheckedComponent[],
  findings: Findings,
): void {
  for (const kind of componentKinds) {
    for (const [id, component] of configured[kind]) {
      if (component === undefined || used.includes(component)) continue;
      const where =
        kind === "extension" ? "`service::extensions` does not list it" : "no pipeline uses it";
      findings.notes.push(`${sectionOfKind[kind]}::${id}: is not started, ${where}`);
    }
  }
}
