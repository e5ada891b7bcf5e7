export { CapturingConsumer, CapturingExporter, type Respond } from "./capturing-consumer.js";
export { CapturingLogger, type LogRecord } from "./capturing-logger.js";
export {
  CgroupTree,
  hostCgroup2Path,
  randomContainerId,
  removeCgroup,
  spawnInCgroupNamespace,
} from "./cgroup-tree.js";
export type {
  ContainerOptions,
  ContainerRuntime,
  RestartingRuntime,
  RunningContainer,
} from "./containers/container-runtime.js";
export { PodmanRuntime } from "./containers/podman-runtime.js";
export { RuncRuntime, type RuncRuntimeOptions } from "./containers/runc-runtime.js";
export { runInUnifiedView, spawnInUnifiedView } from "./containers/unified-view.js";
export { FakeClock, settle } from "./fake-clock.js";
export { type LifecycleSuiteOptions, runLifecycleSuite } from "./lifecycle-suite.js";
export { arbitraryMutation, type Mutation } from "./otlp/arbitrary-mutation.js";
export { arbitraryMessage, arbitraryRequest } from "./otlp/arbitrary-request.js";
export { buildRequest, type RequestShape } from "./otlp/build-request.js";
export { decodeRequest } from "./otlp/decode-request.js";
export { loadDefinitions, otlpDefinitions, protoFolder, requestType } from "./otlp/definitions.js";
export { decodedItemCount, itemsOfRequest } from "./otlp/items-of-request.js";
export { realClock } from "./real-clock.js";
export { RecordingLedger } from "./recording-ledger.js";
export { RecordingMeter } from "./recording-meter.js";
export { type RedisServer, type RedisServerOptions, startRedis } from "./redis-server.js";
export {
  type CreateRegistryFixture,
  createTestMapping,
  createTestNode,
  type RegistryFixture,
  shortAnswers,
  suiteTimes,
  testBootId,
  testContainerId,
} from "./registry/registry-fixture.js";
export { type RegistryCase, runRegistrySuite } from "./registry/registry-suite.js";
export { seededRandom } from "./seeded-random.js";
export { createTestBatch, createTestOrigin, type TestBatchOptions } from "./test-batch.js";
export {
  type CapturingExporterFactory,
  capturingExporterFactory,
  ManualReceiver,
  type ManualReceiverFactory,
  manualReceiverFactory,
} from "./test-factories.js";
export { TestHost } from "./test-host.js";
export {
  createTestSettings,
  type ReportedState,
  type TestSettings,
  type TestSettingsOptions,
} from "./test-settings.js";
export { type WaitOptions, waitUntil } from "./wait-until.js";
