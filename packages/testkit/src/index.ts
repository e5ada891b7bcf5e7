export { CapturingConsumer, CapturingExporter, type Respond } from "./capturing-consumer.js";
export { CapturingLogger, type LogRecord } from "./capturing-logger.js";
export {
  CgroupTree,
  hostCgroup2Path,
  randomContainerId,
  spawnInCgroupNamespace,
} from "./cgroup-tree.js";
export { FakeClock, settle } from "./fake-clock.js";
export { type LifecycleSuiteOptions, runLifecycleSuite } from "./lifecycle-suite.js";
export { buildRequest, type RequestShape } from "./otlp/build-request.js";
export { decodeRequest } from "./otlp/decode-request.js";
export { loadDefinitions, otlpDefinitions, protoFolder, requestType } from "./otlp/definitions.js";
export { realClock } from "./real-clock.js";
export { RecordingLedger } from "./recording-ledger.js";
export { RecordingMeter } from "./recording-meter.js";
export { type RedisServer, type RedisServerOptions, startRedis } from "./redis-server.js";
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
