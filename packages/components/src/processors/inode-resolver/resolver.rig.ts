import { Batch, type Extension } from "@inode-gateway/contract";
import type { AttributeScalar, Signal } from "@inode-gateway/otlp";
import {
  type ContainerRegistry,
  createMemoryRegistry,
  type Mapping,
  type NodeRecord,
} from "@inode-gateway/registry";
import {
  buildRequest,
  CapturingConsumer,
  createTestOrigin,
  createTestSettings,
  decodeRequest,
  FakeClock,
  TestHost,
  type TestSettings,
} from "@inode-gateway/testkit";
import type { z } from "zod";
import { inodeResolverConfig } from "./config.js";
import { InodeResolver } from "./inode-resolver.js";

/** Boot ID of {@link testNode}. */
export const BOOT_ID = "9a2f4c1e-52b7-4a39-8f0d-6d1c83e0b7aa";
/** A boot ID that nobody publishes. */
export const FOREIGN_BOOT_ID = "00000000-52b7-4a39-8f0d-6d1c83e0b7aa";
/** The container behind inode 4026 of {@link testNode}. */
export const CONTAINER_ID = "57bd9c30801f8ba75af549773090e8f6b25cebaa6d476316cf5585564a868c92";
/** Another container. */
export const OTHER_ID = "1d6f52de1635785a1754e36094ec54acec6ec617b1a555f553b9c28fb78da977";

/** A pure v2 node that is found by every name. */
export const testNode: NodeRecord = {
  bootId: BOOT_ID,
  nodeName: "worker-1",
  hostName: "worker-1.internal",
  hostId: "machine-1",
  kernelRelease: "6.18.0",
  reporterVersion: "0.1.0",
  hierarchy: "v2",
  devices: [38],
};

/** Inode 4026: a container with some metadata. */
export const testMapping: Mapping = {
  inode: 4026,
  record: {
    containerId: CONTAINER_ID,
    attributes: {
      "k8s.pod.name": "checkout-7f9c",
      "k8s.container.name": "checkout",
      "k8s.container.restart_count": 2,
    },
  },
};

/** Attributes of one Resource, as a sender would write them. */
export type Attributes = Readonly<Record<string, AttributeScalar>>;

/** What a rig may be made of. */
export interface RigOptions {
  readonly config?: Partial<z.input<typeof inodeResolverConfig>>;
  /** Default a memory registry on the rig's clock with {@link testNode} and {@link testMapping}. */
  readonly registry?: ContainerRegistry;
  readonly signal?: Signal;
}

/** A running resolver with everything around it. */
export interface Rig {
  readonly resolver: InodeResolver;
  readonly registry: ContainerRegistry;
  readonly output: CapturingConsumer;
  readonly clock: FakeClock;
  readonly settings: TestSettings;
  /** Sends one batch and gives the attributes of every Resource of what came out. */
  send(...resources: readonly Attributes[]): Promise<Record<string, unknown>[]>;
  /** A counter by its name without prefix, over all labels that are not given. */
  count(name: string, labels?: Readonly<Record<string, string>>): number;
}

/** Makes and starts a resolver on a fake clock. */
export async function startRig(options: RigOptions = {}): Promise<Rig> {
  const clock = new FakeClock();
  const signal = options.signal ?? "traces";
  const settings = createTestSettings({
    id: "inode_resolver",
    kind: "processor",
    signal,
    pipeline: signal,
    clock,
  });
  let { registry } = options;
  if (registry === undefined) {
    registry = createMemoryRegistry({ clock });
    await registry.publish(testNode, { published: [testMapping], vanished: [] });
  }
  const output = new CapturingConsumer();
  const config = inodeResolverConfig.parse({ registry: "memory_registry", ...options.config });
  const resolver = new InodeResolver(settings, config, output);
  await resolver.start(new TestHost({ memory_registry: asExtension(registry) }));
  return {
    resolver,
    registry,
    output,
    clock,
    settings,
    send: async (...resources) => {
      await resolver.consume(batchOf(signal, resources));
      const sent = output.batches.at(-1);
      return sent === undefined ? [] : resourcesOf(signal, sent.bytes);
    },
    count: (name, labels) => settings.meter.sum(`inode_gateway_resolver_${name}`, labels),
  };
}

/** A registry as the extension that holds it. */
export function asExtension(containerRegistry: ContainerRegistry): Extension {
  return {
    start: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
    containerRegistry,
  } as Extension;
}

/** One batch of two items per Resource. */
export function batchOf(
  signal: Signal,
  resources: readonly Attributes[],
  deadlineMs = Number.POSITIVE_INFINITY,
): Batch {
  const shape = {
    resources: resources.length,
    itemsPerScope: 2,
    resourceAttributes: (index: number) => resources[index] ?? {},
  };
  const bytes = buildRequest(signal === "profiles" ? "traces" : signal, shape);
  return new Batch({ signal, chunks: [bytes], origin: createTestOrigin({ deadlineMs }) });
}

/** The attributes of every Resource of a request, as protobufjs reads them; integers as text. */
export function resourcesOf(signal: Signal, bytes: Uint8Array): Record<string, unknown>[] {
  const decoded = decodeRequest(signal, bytes);
  const entries = Object.values(decoded)[0] as readonly { resource?: DecodedResource }[];
  return entries.map(({ resource }) => attributesOf(resource ?? {}));
}

interface DecodedResource {
  readonly attributes?: readonly {
    readonly key: string;
    readonly value: Readonly<Record<string, unknown>>;
  }[];
}

function attributesOf({ attributes = [] }: DecodedResource): Record<string, unknown> {
  const read: Record<string, unknown> = {};
  for (const { key, value } of attributes) {
    if (key in read) throw new Error(`attribute ${key} occurs twice`);
    read[key] = Object.values(value)[0];
  }
  return read;
}
