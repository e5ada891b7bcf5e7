import type { Signal } from "@inode-gateway/otlp";
import type { z } from "zod";
import type {
  Component,
  ComponentKind,
  Connector,
  Consumer,
  Exporter,
  Extension,
  Processor,
} from "./component.js";
import type { MetricDefinition } from "./meter.js";
import type { ComponentSettings } from "./settings.js";

/** How far a component may be relied on; the Collector's words. */
export type Stability = "development" | "alpha" | "beta" | "stable";

/** Where a component's configuration names an extension that must exist and run. */
export interface ExtensionReference {
  readonly extensionId: string;
  /** Keys below the component's own configuration, such as `["auth", "authenticator"]`. */
  readonly path: readonly (string | number)[];
}

/** What every factory is made of. `Schema` is a strict zod object with the user's keys in snake_case. */
export interface FactoryDefinition<Schema extends z.ZodType> {
  /** Type in the configuration, such as `otlp_grpc`. */
  readonly type: string;
  /** Older names that are accepted with a warning. */
  readonly aliases?: readonly string[];
  readonly stability: Stability;
  readonly config: Schema;
  /** Every metric the component may emit; the metrics table in the docs is made from it. */
  readonly metrics?: readonly MetricDefinition[];
  /**
   * Whether an instance must be stopped before another of the same ID can start, because both need the
   * same port, directory or queue on disk. Default: true for receivers and extensions, else false.
   */
  readonly exclusive?: (config: z.output<Schema>) => boolean;
  /** The extensions a configuration refers to; checked by `validate`, started before the component. */
  readonly extensions?: (config: z.output<Schema>) => readonly ExtensionReference[];
}

/** The definition of a component that carries telemetry of some signals. */
interface SignalFactoryDefinition<Schema extends z.ZodType> extends FactoryDefinition<Schema> {
  readonly signals: readonly Signal[];
}

/** One instance serves every signal that a pipeline wants from it; a missing key is a signal nobody wants. */
export type ReceiverOutputs = Readonly<Partial<Record<Signal, Consumer>>>;

/** The pipelines behind a connector, by their ID, such as `traces/backend`. */
export type ConnectorOutputs = ReadonlyMap<string, Consumer>;

/** Makes a receiver; `create` touches nothing outside memory. */
export interface ReceiverFactory<Schema extends z.ZodType = z.ZodType>
  extends SignalFactoryDefinition<Schema> {
  readonly kind: "receiver";
  readonly create: (
    settings: ComponentSettings,
    config: z.output<Schema>,
    outputs: ReceiverOutputs,
  ) => Component;
}

/** Makes a processor, once for each pipeline that names it. */
export interface ProcessorFactory<Schema extends z.ZodType = z.ZodType>
  extends SignalFactoryDefinition<Schema> {
  readonly kind: "processor";
  readonly create: (
    settings: ComponentSettings,
    config: z.output<Schema>,
    next: Consumer,
  ) => Processor;
}

/** Makes an exporter, once for each signal; all pipelines of that signal share the instance. */
export interface ExporterFactory<Schema extends z.ZodType = z.ZodType>
  extends SignalFactoryDefinition<Schema> {
  readonly kind: "exporter";
  readonly create: (settings: ComponentSettings, config: z.output<Schema>) => Exporter;
}

/** Makes a connector, once for each signal it takes. */
export interface ConnectorFactory<Schema extends z.ZodType = z.ZodType>
  extends SignalFactoryDefinition<Schema> {
  readonly kind: "connector";
  /** The signals that may come out for a signal that goes in; the same one when left out. */
  readonly outputSignals?: (input: Signal) => readonly Signal[];
  readonly create: (
    settings: ComponentSettings,
    config: z.output<Schema>,
    outputs: ConnectorOutputs,
  ) => Connector;
}

/** Makes an extension, once for the process. */
export interface ExtensionFactory<Schema extends z.ZodType = z.ZodType>
  extends FactoryDefinition<Schema> {
  readonly kind: "extension";
  readonly create: (settings: ComponentSettings, config: z.output<Schema>) => Extension;
}

/** Any factory, its schema forgotten: configurations reach `create` only after their own schema. */
export type ComponentFactory =
  // biome-ignore lint/suspicious/noExplicitAny: existential type; each factory is fed its own schema's output
  | ReceiverFactory<any>
  // biome-ignore lint/suspicious/noExplicitAny: as above
  | ProcessorFactory<any>
  // biome-ignore lint/suspicious/noExplicitAny: as above
  | ExporterFactory<any>
  // biome-ignore lint/suspicious/noExplicitAny: as above
  | ConnectorFactory<any>
  // biome-ignore lint/suspicious/noExplicitAny: as above
  | ExtensionFactory<any>;

type Definition<Factory extends { readonly kind: ComponentKind }> = Omit<Factory, "kind">;

/** Declares a receiver; the schema's output type reaches `create` checked. */
export function defineReceiver<Schema extends z.ZodType>(
  definition: Definition<ReceiverFactory<Schema>>,
): ReceiverFactory<Schema> {
  return { kind: "receiver", ...definition };
}

/** Declares a processor. */
export function defineProcessor<Schema extends z.ZodType>(
  definition: Definition<ProcessorFactory<Schema>>,
): ProcessorFactory<Schema> {
  return { kind: "processor", ...definition };
}

/** Declares an exporter. */
export function defineExporter<Schema extends z.ZodType>(
  definition: Definition<ExporterFactory<Schema>>,
): ExporterFactory<Schema> {
  return { kind: "exporter", ...definition };
}

/** Declares a connector. */
export function defineConnector<Schema extends z.ZodType>(
  definition: Definition<ConnectorFactory<Schema>>,
): ConnectorFactory<Schema> {
  return { kind: "connector", ...definition };
}

/** Declares an extension. */
export function defineExtension<Schema extends z.ZodType>(
  definition: Definition<ExtensionFactory<Schema>>,
): ExtensionFactory<Schema> {
  return { kind: "extension", ...definition };
}
