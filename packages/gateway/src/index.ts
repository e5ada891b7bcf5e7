export { type Command, parseCommandLine, UsageError } from "./command-line.js";
export { shutdownTimeoutMs } from "./commands/run.js";
export { ExitCode } from "./exit-code.js";
export { ownTelemetryMetrics } from "./own-telemetry/metrics.js";
export {
  type MessageOutput,
  OutputClosedError,
  type ProcessEnvironment,
  type ResultOutput,
} from "./process-environment.js";
export { reloadMetrics } from "./reload/metrics.js";
export { runCommandLine } from "./run-command-line.js";
export { telemetryConfig } from "./telemetry-config.js";
