import type { ConnectorFactory, Signal } from "@inode-gateway/contract";
import type { CheckedPipeline } from "./checked-configuration.js";
import type { ConfiguredComponents } from "./configured-components.js";
import type { Findings } from "./findings.js";

/** The signals that may come out of a connector for one that goes in; empty when it takes none. */
export function connectorOutputs(factory: ConnectorFactory, input: Signal): readonly Signal[] {
  if (!factory.signals.includes(input)) return [];
  return factory.outputSignals?.(input) ?? [input];
}

/** Every connector that is used needs pipelines on both ends, and no way may lead back to its start. */
export function checkConnectors(
  pipelines: readonly CheckedPipeline[],
  configured: ConfiguredComponents,
  findings: Findings,
): void {
  const links: PipelineLink[] = [];
  for (const [id, component] of configured.connector) {
    const factory = component?.factory;
    if (factory?.kind !== "connector") continue;
    const inputs = pipelines.filter(({ exporters }) => exporters.includes(id));
    const outputs = pipelines.filter(({ receivers }) => receivers.includes(id));
    const carries = (input: CheckedPipeline, output: CheckedPipeline) =>
      connectorOutputs(factory, input.signal).includes(output.signal);
    const path = ["connectors", id];
    for (const input of inputs) {
      if (outputs.some((output) => carries(input, output))) continue;
      findings.problem(
        path,
        `connector ${JSON.stringify(id)} used as exporter in [${input.id}] pipeline but not used in any supported receiver pipeline`,
      );
    }
    for (const output of outputs) {
      if (inputs.some((input) => carries(input, output))) continue;
      findings.problem(
        path,
        `connector ${JSON.stringify(id)} used as receiver in [${output.id}] pipeline but not used in any supported exporter pipeline`,
      );
    }
    for (const input of inputs) {
      for (const output of outputs) {
        if (carries(input, output)) links.push({ from: input.id, through: id, to: output.id });
      }
    }
  }
  const cycle = findCycle(links);
  if (cycle !== undefined) findings.problem([], `cycle detected: ${describe(cycle)}`);
}

interface PipelineLink {
  readonly from: string;
  readonly through: string;
  readonly to: string;
}

function findCycle(links: readonly PipelineLink[]): readonly PipelineLink[] | undefined {
  const finished = new Set<string>();
  const way: PipelineLink[] = [];
  const visit = (pipeline: string): readonly PipelineLink[] | undefined => {
    const start = way.findIndex(({ from }) => from === pipeline);
    if (start >= 0) return way.slice(start);
    if (finished.has(pipeline)) return undefined;
    for (const link of links) {
      if (link.from !== pipeline) continue;
      way.push(link);
      const cycle = visit(link.to);
      if (cycle !== undefined) return cycle;
      way.pop();
    }
    finished.add(pipeline);
    return undefined;
  };
  for (const { from } of links) {
    const cycle = visit(from);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

function describe(cycle: readonly PipelineLink[]): string {
  const steps = cycle.flatMap(({ from, through }) => [
    `pipeline ${JSON.stringify(from)}`,
    `connector ${JSON.stringify(through)}`,
  ]);
  return [...steps, `pipeline ${JSON.stringify(cycle[0]?.from)}`].join(" -> ");
}
