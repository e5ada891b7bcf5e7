import { DeliveringExporter, retryOnFailure, sendingQueue } from "@inode-gateway/components";
import { duration } from "@inode-gateway/config";
import {
  type ComponentFactory,
  defineExporter,
  defineExtension,
  defineReceiver,
  type ReceiverOutputs,
} from "@inode-gateway/contract";
import { z } from "zod";
import type { Destination } from "./destination.js";
import { simulatedSignals } from "./items.js";
import type { ProcessClock } from "./simulated-clock.js";
import type { SimulatedDisk } from "./simulated-disk.js";
import type { SimulatedRegistry } from "./simulated-registry.js";
import { SimulatedSender } from "./simulated-sender.js";

/** What is outside a gateway's process, and what the process shows of itself. */
export interface Surroundings {
  readonly clock: ProcessClock;
  readonly destinations: ReadonlyMap<string, Destination>;
  readonly registry: SimulatedRegistry;
  readonly disk: SimulatedDisk;
  /** The receiver of the process: where requests go, and how it ends. */
  readonly receiving: {
    readonly begin: (outputs: ReceiverOutputs) => void;
    readonly end: (deadlineMs: number) => Promise<void>;
  };
}

const exporterConfig = z.strictObject({
  destination: z.string(),
  timeout: duration().prefault("5s"),
  retry_on_failure: retryOnFailure(),
  sending_queue: sendingQueue(),
});

/** The components that stand for the world: everything between them is the real thing. */
export function simulatedFactories(world: Surroundings): readonly ComponentFactory[] {
  const stability = "development";
  const nothing = z.strictObject({});
  const rest = () => Promise.resolve();
  return [
    defineReceiver({
      type: "clients",
      signals: simulatedSignals,
      stability,
      config: nothing,
      create: (_settings, _config, outputs) => ({
        start: async () => world.receiving.begin(outputs),
        shutdown: (deadlineMs) => world.receiving.end(deadlineMs),
      }),
    }),
    defineExporter({
      type: "destination",
      signals: simulatedSignals,
      stability,
      config: exporterConfig,
      extensions: ({ sending_queue: queue }) =>
        queue.storage === undefined
          ? []
          : [{ extensionId: queue.storage, path: ["sending_queue", "storage"] }],
      exclusive: ({ sending_queue: queue }) => queue.storage !== undefined,
      create: (settings, config) => {
        const destination = world.destinations.get(config.destination);
        if (destination === undefined) throw new Error(`no destination ${config.destination}`);
        return new DeliveringExporter(settings, new SimulatedSender(destination, world.clock), {
          timeoutMs: config.timeout,
          retry: config.retry_on_failure,
          queue: config.sending_queue,
        });
      },
    }),
    defineExtension({
      type: "registry",
      stability,
      config: nothing,
      create: () => ({
        start: rest,
        shutdown: rest,
        containerRegistry: world.registry.connect(world.clock),
      }),
    }),
    defineExtension({
      type: "broken",
      stability,
      config: nothing,
      create: () => ({
        start: () => Promise.reject(new Error("cannot start, on purpose")),
        shutdown: rest,
      }),
    }),
    defineExtension({
      type: "disk",
      stability,
      config: nothing,
      create: () => ({
        start: rest,
        shutdown: rest,
        openRecordLog: ({ componentId, name }: { componentId: string; name: string }) =>
          Promise.resolve(world.disk.open(`${componentId}/${name}`, world.clock)),
      }),
    }),
  ];
}
