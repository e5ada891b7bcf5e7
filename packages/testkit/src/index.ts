export { CapturingConsumer, CapturingExporter, type Respond } from "./capturing-consumer.js";
export { CapturingLogger, type LogRecord } from "./capturing-logger.js";
export { FakeClock, settle } from "./fake-clock.js";
export { type LifecycleSuiteOptions, runLifecycleSuite } from "./lifecycle-suite.js";
export { loadDefinitions, otlpDefinitions, protoFolder, requestType } from "./otlp/definitions.js";
export { realClock } from "./real-clock.js";
export { RecordingLedger } from "./recording-ledger.js";
export { RecordingMeter } from "./recording-meter.js";
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
