import {
  attributesProcessor,
  probabilisticSampler,
  resourceProcessor,
} from "@inode-gateway/components";
import type { Consumer, ProcessorFactory } from "@inode-gateway/contract";
import { componentSettings, received } from "./chain.js";
import type { Layer } from "./layer.js";

/** The processors that edit, each with a configuration as gateways have them. */
const cases: readonly (readonly [
  name: string,
  factory: ProcessorFactory,
  config: Readonly<Record<string, unknown>>,
])[] = [
  [
    "resource insert",
    resourceProcessor,
    { attributes: [{ key: "deployment.environment.name", action: "insert", value: "bench" }] },
  ],
  [
    "attributes insert",
    attributesProcessor,
    { actions: [{ key: "deployment.environment.name", action: "insert", value: "bench" }] },
  ],
  [
    "attributes delete",
    attributesProcessor,
    {
      include: { match_type: "strict", services: ["bench-service-0"] },
      actions: [{ key: "url.path", action: "delete" }],
    },
  ],
  ["sampler 10 %", probabilisticSampler, { sampling_percentage: 10 }],
  ["sampler consistent", probabilisticSampler, { sampling_percentage: 10, mode: "equalizing" }],
];

/** One layer for each case, before a consumer that drops. */
export function processorLayers(bodies: readonly Uint8Array[], spans: number): Layer[] {
  const sink: Consumer = { consume: () => Promise.resolve() };
  return cases.map(([name, factory, config]) => {
    const settings = componentSettings("processor", factory.type);
    const processor = factory.create(settings, factory.config.parse(config), sink);
    return {
      name,
      run: (request) =>
        processor.consume(received(bodies[request % bodies.length] as Uint8Array, spans)),
    };
  });
}
