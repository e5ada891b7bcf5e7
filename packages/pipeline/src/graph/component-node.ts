import type { Component, ComponentKind, ComponentSettings, Signal } from "@inode-gateway/contract";
import type { Tally } from "../accounting/tally.js";
import type { CheckedComponent } from "../check/checked-configuration.js";
import type { ComponentBugs } from "../flow/component-bugs.js";
import type { ComponentStatusEntry } from "../life/status-store.js";

/** One component instance in a graph, with everything the engine keeps beside it. */
export interface ComponentNode<Made extends Component = Component> {
  readonly kind: ComponentKind;
  readonly id: string;
  readonly signal: Signal | undefined;
  readonly pipeline: string | undefined;
  /** What it was made from. */
  readonly checked: CheckedComponent;
  readonly component: Made;
  readonly settings: ComponentSettings;
  readonly tally: Tally;
  readonly bugs: ComponentBugs;
  readonly status: ComponentStatusEntry;
}

/** The IDs of the extensions that a component refers to. */
export function extensionsOf({ config, factory }: CheckedComponent): readonly string[] {
  return (factory.extensions?.(config) ?? []).map(({ extensionId }) => extensionId);
}

/** A component as a person calls it: `processor "batch" in pipeline "traces"`. */
export function describeComponent(node: {
  readonly kind: ComponentKind;
  readonly id: string;
  readonly signal?: Signal | undefined;
  readonly pipeline?: string | undefined;
}): string {
  const name = `${node.kind} ${JSON.stringify(node.id)}`;
  if (node.pipeline !== undefined) return `${name} in pipeline ${JSON.stringify(node.pipeline)}`;
  return node.signal === undefined ? name : `${name} for ${node.signal}`;
}
