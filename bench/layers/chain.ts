import { batchProcessor, inodeResolver, memoryRegistry } from "@inode-gateway/components";
import {
  Batch,
  type BatchOrigin,
  type Component,
  type ComponentKind,
  type ComponentSettings,
  type Consumer,
  type Extension,
  type Host,
} from "@inode-gateway/contract";
import { createMeter } from "@inode-gateway/telemetry";
import { createTestSettings, realClock } from "@inode-gateway/testkit";

const origin: BatchOrigin = {
  peer: "127.0.0.1:50000",
  receivedAtMs: 0,
  deadlineMs: Number.POSITIVE_INFINITY,
  metadata: new Map(),
};

/** The real components between a receiver's check and an exporter, started. */
export interface Chain {
  /** A resolver whose registry knows every body, before a consumer that drops. */
  readonly resolver: Consumer;
  /** A batch processor with its defaults, before a consumer that drops. */
  readonly batcher: Consumer;
  /** The resolver before the batch processor. */
  readonly both: Consumer;
  stop(): Promise<void>;
}

/** A batch as a receiver makes it after its check; its items are counted on use unless given. */
export function received(bytes: Uint8Array, itemCount?: number): Batch {
  const parts = { signal: "traces", chunks: [bytes], origin } as const;
  return new Batch(itemCount === undefined ? parts : { ...parts, itemCount });
}

/** @param mappingsPath file of the mappings of every body */
export async function startChain(mappingsPath: string): Promise<Chain> {
  const registry = memoryRegistry.create(
    componentSettings("extension", "memory_registry"),
    memoryRegistry.config.parse({ file: mappingsPath }),
  );
  const host = hostWith("memory_registry", registry);
  const sink: Consumer = { consume: async () => undefined };
  const resolverConfig = inodeResolver.config.parse({ registry: "memory_registry" });
  const batchConfig = batchProcessor.config.parse({});
  const batcher = batchProcessor.create(componentSettings("processor", "batch"), batchConfig, sink);
  const lastBatcher = batchProcessor.create(
    componentSettings("processor", "batch/2"),
    batchConfig,
    sink,
  );
  const resolver = inodeResolver.create(
    componentSettings("processor", "inode_resolver"),
    resolverConfig,
    sink,
  );
  const both = inodeResolver.create(
    componentSettings("processor", "inode_resolver/2"),
    resolverConfig,
    lastBatcher,
  );
  const components: Component[] = [registry, batcher, lastBatcher, resolver, both];
  for (const component of components) await component.start(host);
  const stop = async () => {
    for (const component of components.reverse()) await component.shutdown(performance.now());
  };
  return { resolver, batcher, both, stop };
}

/** Settings as the gateway gives them, with its own clock and metrics. */
export function componentSettings(kind: ComponentKind, id: string): ComponentSettings {
  const base = createTestSettings({ kind, id, signal: "traces", clock: realClock });
  const ignore = () => undefined;
  const ledger = {
    held: ignore,
    released: ignore,
    dropped: ignore,
    recovered: ignore,
    persisted: ignore,
  };
  return { ...base, meter: createMeter(), ledger };
}

function hostWith(id: string, extension: Extension): Host {
  return {
    extension: (wanted) => (wanted === id ? extension : undefined),
    componentStatuses: () => [],
  };
}
