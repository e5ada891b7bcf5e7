export {
  type CheckOptions,
  type CheckResult,
  checkConfiguration,
} from "./check/check-configuration.js";
export type {
  CheckedComponent,
  CheckedConfiguration,
  CheckedPipeline,
} from "./check/checked-configuration.js";
export { redactConfiguration } from "./check/redact-configuration.js";
