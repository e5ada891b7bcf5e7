import type { ConfigurationProblem } from "@inode-gateway/config";
import type { Component, ComponentSettings, Consumer } from "@inode-gateway/contract";
import { Accounting } from "../accounting/accounting.js";
import { AccountingMetrics } from "../accounting/observe-accounting.js";
import {
  type CheckedComponent,
  type CheckedConfiguration,
  sectionOfKind,
} from "../check/checked-configuration.js";
import { StartError } from "../life/start-error.js";
import { buildGraph } from "./build-graph.js";
import type { ComponentNode } from "./component-node.js";
import { type GraphServices, NodeBuilder, type NodeIdentity } from "./node-builder.js";

/**
 * Makes every component of a checked configuration once, starts nothing and forgets all of it, for what
 * only shows then: conditions that do not fit the signal of a pipeline, pipelines that are not behind a
 * connector. All problems at once.
 *
 * @param services none that anybody else uses: components register their metrics with them
 */
export function checkGraph(
  checked: CheckedConfiguration,
  services: GraphServices,
): readonly ConfigurationProblem[] {
  const metrics = new AccountingMetrics(services.meter, new Accounting());
  const nodes = new TrialNodeBuilder(services, metrics);
  buildGraph(checked, { services, nodes });
  return nodes.problems;
}

/** Puts something in the place of a component that cannot be made, so that the others are tried too. */
class TrialNodeBuilder extends NodeBuilder {
  readonly problems: ConfigurationProblem[] = [];

  override build<Made extends Component>(
    identity: NodeIdentity,
    checked: CheckedComponent,
    create: (settings: ComponentSettings) => Made,
  ): ComponentNode<Made> {
    try {
      return super.build(identity, checked, create);
    } catch (error) {
      if (!(error instanceof StartError)) throw error;
      this.problems.push(problemOf(identity, error));
      // Nobody calls it: the graph only has to hold together.
      return super.build(identity, checked, () => placeholder as Component as Made);
    }
  }
}

const placeholder: Component & Consumer = {
  start: () => Promise.resolve(),
  shutdown: () => Promise.resolve(),
  consume: () => Promise.resolve(),
};

function problemOf(
  { id, kind, pipeline, signal }: NodeIdentity,
  { cause, message }: StartError,
): ConfigurationProblem {
  const reason = cause instanceof Error ? cause.message : message;
  const place = pipeline === undefined ? signal && `for ${signal}` : `in pipeline \`${pipeline}\``;
  return {
    path: `${sectionOfKind[kind]}::${id}`,
    message: place === undefined ? reason : `${reason} (${place})`,
  };
}
