import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import {
  DeliveringExporter,
  fileStorage,
  memoryLimiterProcessor,
  retryOnFailure,
  sendingQueue,
} from "@inode-gateway/components";
import type { Batch, Component, Consumer } from "@inode-gateway/contract";
import { TestHost } from "@inode-gateway/testkit";
import { componentSettings } from "./chain.js";
import type { Layer } from "./layer.js";

/** Requests that a layer may have on their way: enough to keep it busy, less than its queue holds. */
const onTheirWayMax = 16;

/** What stands between a pipeline and a destination, each alone before a destination that drops. */
export interface DeliveryLayers {
  readonly layers: readonly Layer[];
  stop(): Promise<void>;
}

const nowhere = {
  start: async () => undefined,
  send: async () => undefined,
  close: async () => undefined,
};

type Policy = NonNullable<ConstructorParameters<typeof DeliveringExporter>[2]>;

const retry = retryOnFailure().parse({});

/** @param folder where the queues on disk are made */
export async function startDeliveryLayers(
  folder: string,
  batchOf: (request: number) => Batch,
): Promise<DeliveryLayers> {
  const directory = mkdtempSync(join(folder, "queues-"));
  const storages = Object.fromEntries(
    [true, false].map((fsync) => {
      const id = fsync ? "file_storage/fsync" : "file_storage";
      const path = join(directory, String(fsync));
      const config = { directory: path, create_directory: true, fsync, timeout: "30s" };
      const settings = componentSettings("extension", id);
      return [id, fileStorage.create(settings, fileStorage.config.parse(config))];
    }),
  );
  const host = new TestHost(storages);
  const started: Component[] = Object.values(storages);
  const queue = (keys: object) => sendingQueue().parse({ queue_size: 100_000, ...keys });
  const policies: readonly (readonly [string, Policy])[] = [
    ["exporter alone", {}],
    ["retry wrapper", { retry, timeoutMs: 5_000 }],
    ["queue, memory", { queue: queue({}) }],
    ["queue and retry", { queue: queue({}), retry, timeoutMs: 5_000 }],
    ["queue with batch", { queue: queue({ batch: {} }) }],
    ["queue, disk", { queue: queue({ storage: "file_storage" }) }],
    ["queue, disk, fsync", { queue: queue({ storage: "file_storage/fsync" }) }],
  ];
  const exporters = policies.map(([name, policy], index) => {
    const settings = componentSettings("exporter", `nowhere/${index}`);
    const exporter = new DeliveringExporter(settings, nowhere, policy);
    started.push(exporter);
    return [name, exporter] as const;
  });
  const limiter = memoryLimiterProcessor.create(
    componentSettings("processor", "memory_limiter"),
    memoryLimiterProcessor.config.parse({ check_interval: "1s", limit_mib: 100_000 }),
    { consume: async () => undefined },
  );
  started.push(limiter);
  for (const component of started) await component.start(host);
  const layers = [
    ...exporters.map(([name, exporter]) => layerOf(name, exporter, batchOf)),
    layerOf("memory_limiter", limiter, batchOf),
  ];
  const stop = async () => {
    for (const component of started.reverse()) await component.shutdown(performance.now() + 10_000);
    rmSync(directory, { recursive: true });
  };
  return { layers, stop };
}

/** A layer that has several requests on their way, as a receiver has. */
function layerOf(name: string, consumer: Consumer, batchOf: (request: number) => Batch): Layer {
  const onTheirWay = new Set<Promise<void>>();
  return {
    name,
    run: async (request) => {
      const done: Promise<void> = consumer
        .consume(batchOf(request))
        .finally(() => onTheirWay.delete(done));
      onTheirWay.add(done);
      if (onTheirWay.size >= onTheirWayMax) await Promise.race(onTheirWay);
    },
  };
}
