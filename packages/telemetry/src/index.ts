export { LogSampler, type LogSampling, maxSampledMessages } from "./log-sampler.js";
export { createLogger, type LoggerOptions, type LogLevel } from "./logger.js";
export { createMeter, maxSeriesPerMetric, type PrometheusMeter } from "./meter.js";
export { type MetricsServer, maxMetricsConnections, startMetricsServer } from "./metrics-server.js";
export {
  type ProcessMetricsOptions,
  processMetrics,
  registerProcessMetrics,
} from "./process-metrics.js";
