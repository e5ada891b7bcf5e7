export type { Signal } from "@inode-gateway/otlp";
export { Batch, type BatchOrigin, type BatchParts } from "./batch.js";
export type {
  Component,
  ComponentKind,
  ComponentState,
  ComponentStatus,
  Connector,
  Consumer,
  Exporter,
  Extension,
  Host,
  Processor,
} from "./component.js";
export {
  type BackendStatus,
  type DeliveryErrorOptions,
  isDeliveryError,
  PermanentError,
  type PermanentErrorCode,
  RetryableError,
  type RetryableErrorCode,
} from "./errors.js";
export {
  type ComponentFactory,
  type ConnectorFactory,
  type ConnectorOutputs,
  defineConnector,
  defineExporter,
  defineExtension,
  defineProcessor,
  defineReceiver,
  type ExporterFactory,
  type ExtensionFactory,
  type ExtensionReference,
  type ProcessorFactory,
  type ReceiverFactory,
  type ReceiverOutputs,
  type Stability,
} from "./factory.js";
export type { LogFields, Logger } from "./logger.js";
export type {
  Counter,
  Gauge,
  Histogram,
  Meter,
  MetricDefinition,
  MetricLabels,
} from "./meter.js";
export type { EndItems, EntranceItems, PipelineOverview } from "./pipeline-overview.js";
export type { BuildInfo, Clock, ComponentSettings, Ledger, Timer } from "./settings.js";
export type { EndSpan, Tracer } from "./tracer.js";
