export {
  type AdminServer,
  type AdminServerOptions,
  maxAdminConnections,
  startAdminServer,
} from "./admin-server.js";
export { failureFields } from "./failure-fields.js";
export { LogSampler, type LogSampling, maxSampledMessages } from "./log-sampler.js";
export { createLogger, type LoggedRecord, type LoggerOptions, type LogLevel } from "./logger.js";
export {
  createMeter,
  type MeterOptions,
  maxSeriesPerMetric,
  type PrometheusMeter,
} from "./meter.js";
export type { MetricSnapshot, PointSnapshot } from "./metric-snapshot.js";
export { type MetricsServerOptions, startMetricsServer } from "./metrics-server.js";
export {
  type ProcessMetricsOptions,
  processMetrics,
  registerProcessMetrics,
} from "./process-metrics.js";
export { systemClock } from "./system-clock.js";
