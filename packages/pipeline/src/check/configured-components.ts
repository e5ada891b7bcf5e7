import { nearest, parseComponentId, parseSection, sectionEntries } from "@inode-gateway/config";
import type { ComponentFactory, ComponentKind } from "@inode-gateway/contract";
import { type CheckedComponent, componentKinds, sectionOfKind } from "./checked-configuration.js";
import type { Findings } from "./findings.js";

/** Components of one kind by ID. A value is undefined when its section has problems of its own. */
export type ConfiguredKind = ReadonlyMap<string, CheckedComponent | undefined>;

/** Everything that is configured, used or not. */
export type ConfiguredComponents = Readonly<Record<ComponentKind, ConfiguredKind>>;

/** Checks the ID, the type and the section of every component, used or not. */
export function checkComponents(
  root: ReadonlyMap<string, unknown>,
  factories: readonly ComponentFactory[],
  findings: Findings,
): ConfiguredComponents {
  const configured = Object.fromEntries(
    componentKinds.map((kind) => {
      const ofKind = factories.filter((factory) => factory.kind === kind);
      return [kind, checkKind(kind, root.get(sectionOfKind[kind]), ofKind, findings)];
    }),
  ) as Record<ComponentKind, ConfiguredKind>;
  if (configured.receiver.size === 0) {
    findings.problem([], "no receiver configuration specified in config");
  }
  if (configured.exporter.size === 0) {
    findings.problem([], "no exporter configuration specified in config");
  }
  refuseAmbiguous(configured, findings);
  return configured;
}

function checkKind(
  kind: ComponentKind,
  section: unknown,
  factories: readonly ComponentFactory[],
  findings: Findings,
): ConfiguredKind {
  const name = sectionOfKind[kind];
  const components = new Map<string, CheckedComponent | undefined>();
  const entries = sectionEntries(section);
  if (entries === undefined) {
    findings.problem([name], `expected a map of ${name} by their IDs`);
    return components;
  }
  for (const [id, below] of entries) {
    components.set(id, checkComponent(id, below, { name, factories }, findings));
  }
  return components;
}

function checkComponent(
  id: string,
  section: unknown,
  { name, factories }: { readonly name: string; readonly factories: readonly ComponentFactory[] },
  findings: Findings,
): CheckedComponent | undefined {
  const factory = factoryOf(id, name, factories, findings);
  if (factory === undefined) return undefined;
  const parsed = parseSection(factory.config, section, [name, id]);
  if ("value" in parsed) return { id, factory, config: parsed.value as unknown, section };
  findings.problems.push(...parsed.problems);
  return undefined;
}

function factoryOf(
  id: string,
  section: string,
  factories: readonly ComponentFactory[],
  findings: Findings,
): ComponentFactory | undefined {
  const parts = parseComponentId(id);
  if ("problem" in parts) {
    findings.problem([section], parts.problem);
    return undefined;
  }
  const { type } = parts;
  const exact = factories.find((factory) => factory.type === type);
  if (exact !== undefined) return exact;
  const aliased = factories.find((factory) => factory.aliases?.includes(type));
  if (aliased !== undefined) {
    findings.warnings.push(
      `${section}::${id}: \`${type}\` is an older name of \`${aliased.type}\`, which should be used`,
    );
    return aliased;
  }
  const types = factories.map((factory) => factory.type).sort();
  const meant = nearest(type, types);
  const hint = meant === undefined ? "" : `, did you mean ${JSON.stringify(meant)}?`;
  findings.problem(
    [section],
    `unknown type: ${JSON.stringify(type)} for id: ${JSON.stringify(id)} (valid values: [${types.join(" ")}])${hint}`,
  );
  return undefined;
}

// A pipeline's lists name connectors beside receivers and exporters: an ID must say which is meant.
function refuseAmbiguous(configured: ConfiguredComponents, findings: Findings): void {
  for (const id of configured.connector.keys()) {
    for (const kind of ["receiver", "exporter"] as const) {
      if (!configured[kind].has(id)) continue;
      const quoted = JSON.stringify(id);
      findings.problem(
        ["connectors", id],
        `ambiguous ID: Found both ${quoted} ${kind} and ${quoted} connector. Change one of the components' IDs to eliminate ambiguity (e.g. rename ${quoted} connector to ${JSON.stringify(`${id}/connector`)})`,
      );
    }
  }
}
