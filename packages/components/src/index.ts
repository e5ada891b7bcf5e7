import type { ComponentFactory } from "@inode-gateway/contract";
import { forwardConnector } from "./connectors/forward/factory.js";
import { routingConnector } from "./connectors/routing/factory.js";
import { debugExporter } from "./exporters/debug/factory.js";
import { nopExporter } from "./exporters/nop/factory.js";
import { otlpGrpcExporter } from "./exporters/otlp-grpc/factory.js";
import { otlpHttpExporter } from "./exporters/otlp-http/factory.js";
import { basicAuth } from "./extensions/basicauth/factory.js";
import { bearerTokenAuth } from "./extensions/bearertokenauth/factory.js";
import { fileStorage } from "./extensions/file-storage/factory.js";
import { healthCheck } from "./extensions/health-check/factory.js";
import { inodeReporter } from "./extensions/inode-reporter/factory.js";
import { memoryLimiterExtension } from "./extensions/memory-limiter/factory.js";
import { memoryRegistry } from "./extensions/memory-registry/factory.js";
import { pprof } from "./extensions/pprof/factory.js";
import { redisRegistry } from "./extensions/redis-registry/factory.js";
import { zpages } from "./extensions/zpages/factory.js";
import { attributesProcessor } from "./processors/attributes/factory.js";
import { batchProcessor } from "./processors/batch/factory.js";
import { filterProcessor } from "./processors/filter/factory.js";
import { inodeResolver } from "./processors/inode-resolver/factory.js";
import { memoryLimiterProcessor } from "./processors/memory-limiter/factory.js";
import { probabilisticSampler } from "./processors/probabilistic-sampler/factory.js";
import { resourceProcessor } from "./processors/resource/factory.js";
import { otlpReceiver } from "./receivers/otlp/factory.js";

export { AuthenticationError, type RequestHeaders } from "./capabilities/authenticator.js";
export {
  type ContainerRegistryProvider,
  containerRegistryOf,
} from "./capabilities/container-registry-provider.js";
export { queueStorageOf, type RecordLog } from "./capabilities/queue-storage.js";
export { forwardConnector } from "./connectors/forward/factory.js";
export { routingConnector } from "./connectors/routing/factory.js";
export { retryOnFailure, sendingQueue } from "./delivery/config.js";
export { DeliveringExporter } from "./delivery/delivering-exporter.js";
export { debugExporter } from "./exporters/debug/factory.js";
export { nopExporter } from "./exporters/nop/factory.js";
export { otlpGrpcExporter } from "./exporters/otlp-grpc/factory.js";
export { otlpHttpExporter } from "./exporters/otlp-http/factory.js";
export { basicAuth } from "./extensions/basicauth/factory.js";
export { bearerTokenAuth } from "./extensions/bearertokenauth/factory.js";
export { fileStorage } from "./extensions/file-storage/factory.js";
export { healthCheck } from "./extensions/health-check/factory.js";
export { inodeReporter } from "./extensions/inode-reporter/factory.js";
export { memoryLimiterExtension } from "./extensions/memory-limiter/factory.js";
export { memoryRegistry } from "./extensions/memory-registry/factory.js";
export {
  type FileNode,
  MappingFileError,
  readMappingFile,
  readMappings,
} from "./extensions/memory-registry/mapping-file.js";
export { pprof } from "./extensions/pprof/factory.js";
export { redisRegistry } from "./extensions/redis-registry/factory.js";
export { zpages } from "./extensions/zpages/factory.js";
export type { MemoryReading, ProcessMemory } from "./memory-limit/process-memory.js";
export { attributesProcessor } from "./processors/attributes/factory.js";
export { batchProcessor } from "./processors/batch/factory.js";
export { filterProcessor } from "./processors/filter/factory.js";
export {
  type ExplainableRegistry,
  type ExplainedAttributes,
  type ExplainedStep,
  type Explanation,
  explainResolution,
} from "./processors/inode-resolver/explain.js";
export { inodeResolver } from "./processors/inode-resolver/factory.js";
export {
  defineMemoryLimiter,
  memoryLimiterProcessor,
} from "./processors/memory-limiter/factory.js";
export { probabilisticSampler } from "./processors/probabilistic-sampler/factory.js";
export { resourceProcessor } from "./processors/resource/factory.js";
export { otlpReceiver } from "./receivers/otlp/factory.js";
export { OtlpReceiver } from "./receivers/otlp/otlp-receiver.js";

/** Every component that the `inode-gateway` executable offers. */
export const builtInFactories: readonly ComponentFactory[] = [
  otlpReceiver,
  memoryLimiterProcessor,
  inodeResolver,
  batchProcessor,
  filterProcessor,
  resourceProcessor,
  attributesProcessor,
  probabilisticSampler,
  forwardConnector,
  routingConnector,
  otlpGrpcExporter,
  otlpHttpExporter,
  debugExporter,
  nopExporter,
  memoryRegistry,
  redisRegistry,
  inodeReporter,
  healthCheck,
  fileStorage,
  bearerTokenAuth,
  basicAuth,
  memoryLimiterExtension,
  zpages,
  pprof,
];
