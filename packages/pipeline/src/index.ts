export type {
  AccountingSnapshot,
  ComponentAccount,
  IdentityAccount,
  IdentityTerms,
  PipelineAccount,
} from "./accounting/accounts.js";
export { pipelineMetrics } from "./accounting/metrics.js";
export {
  type CheckOptions,
  type CheckResult,
  checkConfiguration,
} from "./check/check-configuration.js";
export { checkEnvironment } from "./check/check-environment.js";
export type {
  CheckedComponent,
  CheckedConfiguration,
  CheckedPipeline,
} from "./check/checked-configuration.js";
export { redactConfiguration } from "./check/redact-configuration.js";
export { InternalError } from "./flow/internal-error.js";
export { checkGraph } from "./graph/check-graph.js";
export type { GraphServices } from "./graph/node-builder.js";
export { StartError } from "./life/start-error.js";
export {
  createPipelineRuntime,
  type PipelineRuntime,
  type PipelineRuntimeOptions,
} from "./pipeline-runtime.js";
export type { ReloadOutcome } from "./reload/reload-outcome.js";
