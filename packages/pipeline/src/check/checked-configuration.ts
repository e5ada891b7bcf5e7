import type {
  ComponentFactory,
  ComponentKind,
  ConnectorFactory,
  ExporterFactory,
  ExtensionFactory,
  ProcessorFactory,
  ReceiverFactory,
  Signal,
} from "@inode-gateway/contract";

/** One configured component whose section has passed its own schema. */
export interface CheckedComponent<Factory extends ComponentFactory = ComponentFactory> {
  /** The whole ID from the configuration, such as `otlp_grpc/backend`. */
  readonly id: string;
  readonly factory: Factory;
  /** Output of the factory's schema. */
  readonly config: unknown;
  /** What the schema was given, after substitution: equal sections are equal configurations. */
  readonly section: unknown;
}

/** One pipeline; every ID in it is configured, and every component supports its signal. */
export interface CheckedPipeline {
  /** Such as `traces/backend`. */
  readonly id: string;
  readonly signal: Signal;
  /** IDs of receivers and connectors, each once. */
  readonly receivers: readonly string[];
  /** IDs of processors in the order of flow. */
  readonly processors: readonly string[];
  /** IDs of exporters and connectors, each once. */
  readonly exporters: readonly string[];
}

/** A configuration that can be built: references resolve, connectors have both ends, no cycles. */
export interface CheckedConfiguration<Telemetry = unknown> {
  /** Used components by ID; what no pipeline names is left out. */
  readonly receivers: ReadonlyMap<string, CheckedComponent<ReceiverFactory>>;
  readonly processors: ReadonlyMap<string, CheckedComponent<ProcessorFactory>>;
  readonly exporters: ReadonlyMap<string, CheckedComponent<ExporterFactory>>;
  readonly connectors: ReadonlyMap<string, CheckedComponent<ConnectorFactory>>;
  /** In the order of their start: whatever an extension refers to stands before it. */
  readonly extensions: ReadonlyMap<string, CheckedComponent<ExtensionFactory>>;
  readonly pipelines: readonly CheckedPipeline[];
  /** Output of the schema of `service::telemetry`. */
  readonly telemetry: Telemetry;
  /** Unexpected, but harmless: an older name of a type, an unset environment variable. */
  readonly warnings: readonly string[];
  /** Worth knowing: components that are configured but not used. */
  readonly notes: readonly string[];
}

/** The section of the configuration that holds the components of a kind. */
export const sectionOfKind = {
  receiver: "receivers",
  processor: "processors",
  exporter: "exporters",
  connector: "connectors",
  extension: "extensions",
} as const satisfies Record<ComponentKind, string>;

/** In the order in which a configuration names them. */
export const componentKinds = [
  "receiver",
  "processor",
  "exporter",
  "connector",
  "extension",
] as const satisfies readonly ComponentKind[];
