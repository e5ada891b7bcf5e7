import type { SimulatedSignal, Tier } from "./items.js";
import { type GatewayPlan, processorOrder } from "./plan-gateway.js";

/** A destination, as far as pipelines know it. */
interface Reachable {
  readonly name: string;
  readonly tiers: readonly Tier[];
}

interface Pipeline {
  readonly receivers: readonly string[];
  readonly processors: readonly string[];
  readonly exporters: readonly string[];
}

const tiers = ["a", "b"] as const satisfies readonly Tier[];

/** What an operator would write for a plan. */
export function configurationOf(plan: GatewayPlan, destinations: readonly Reachable[]): unknown {
  const { exporters, isBroken, layout, processors, signals } = plan;
  const sections = Object.entries(exporters).map(([name, section]) => {
    return [exporterId(name), { ...section, destination: name }] as const;
  });
  const extensions = ["registry", "disk", ...(isBroken ? ["broken"] : [])];
  const pipelines = signals.flatMap((signal) => pipelinesOf(signal, plan, destinations));
  return {
    receivers: { clients: {} },
    processors,
    exporters: Object.fromEntries(sections),
    connectors: connectorsOf(layout, signals),
    extensions: Object.fromEntries(extensions.map((id) => [id, {}])),
    service: { extensions, pipelines: Object.fromEntries(pipelines) },
  };
}

/** The ID of the exporter that leads to a destination. */
export function exporterId(destination: string): string {
  return `destination/${destination}`;
}

/** The destinations that a pipeline may lead to, in whatever configuration of a world. */
export function destinationsBehind(
  pipeline: string,
  destinations: readonly Reachable[],
): readonly string[] {
  const [, name = ""] = pipeline.split("/");
  const tier = tiers.find((each) => name === tierName(each));
  return destinations
    .filter((one) => (name.startsWith(ONLY) ? name === ONLY + one.name : true))
    .filter((one) => tier === undefined || one.tiers.includes(tier))
    .map((one) => one.name);
}

const ONLY = "only_";

function tierName(tier: Tier): string {
  return `tier_${tier}`;
}

function connectorsOf(layout: GatewayPlan["layout"], signals: readonly SimulatedSignal[]) {
  if (layout === "forward") return { forward: {} };
  if (layout !== "routing") return {};
  const sections = signals.map((signal) => {
    const table = [
      {
        condition: 'attributes["tier"] == "a"',
        pipelines: [`${signal}/${tierName("a")}`],
      },
    ];
    const section = { table, default_pipelines: [`${signal}/${tierName("b")}`] };
    return [`routing/${signal}`, section] as const;
  });
  return Object.fromEntries(sections);
}

function pipelinesOf(
  signal: SimulatedSignal,
  plan: GatewayPlan,
  destinations: readonly Reachable[],
): (readonly [id: string, pipeline: Pipeline])[] {
  const { batchesBehind, exporters, layout, processors } = plan;
  const names = Object.keys(exporters);
  const receivers = ["clients"];
  // The sampler knows no metrics.
  const unbatched = processorOrder.filter(
    (id) => id in processors && !(id === "probabilistic_sampler" && signal === "metrics"),
  );
  const batch = "batch" in processors ? ["batch"] : [];
  const whole = { receivers, processors: [...unbatched, ...batch] };
  const front = { receivers, processors: [...unbatched, ...(batchesBehind ? [] : batch)] };
  const behind = batchesBehind ? batch : [];
  switch (layout) {
    case "single":
      return [[signal, { ...whole, exporters: names.map(exporterId) }]];
    case "split":
      return names.map((name) => [
        `${signal}/${ONLY}${name}`,
        { ...whole, exporters: [exporterId(name)] },
      ]);
    case "forward":
      return [
        [`${signal}/front`, { ...front, exporters: ["forward"] }],
        [
          `${signal}/back`,
          { receivers: ["forward"], processors: behind, exporters: names.map(exporterId) },
        ],
      ];
    case "routing": {
      const connector = `routing/${signal}`;
      const routes = tiers.map((tier) => {
        const reached = destinations.filter((one) => {
          return one.tiers.includes(tier) && one.name in exporters;
        });
        const ids = reached.map(({ name }) => exporterId(name));
        const pipeline = { receivers: [connector], processors: behind, exporters: ids };
        return [`${signal}/${tierName(tier)}`, pipeline] as const;
      });
      return [[`${signal}/front`, { ...front, exporters: [connector] }], ...routes];
    }
  }
}
