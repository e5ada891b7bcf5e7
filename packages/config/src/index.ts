export { checkEnvironment, withEnvironmentCheck } from "./check-environment.js";
export { type ComponentIdParts, parseComponentId } from "./component-id.js";
export {
  ConfigurationError,
  type ConfigurationProblem,
  formatProblem,
} from "./configuration-error.js";
export {
  DURATION_MAX_MS,
  type DurationLimits,
  duration,
  formatDuration,
  parseDuration,
} from "./duration.js";
export { plainCopy, sectionEntries } from "./expanded-value.js";
export { headers } from "./headers.js";
export { unknownKeyText } from "./issue-text.js";
export {
  type ConfigurationSources,
  type ConfigurationTree,
  loadConfiguration,
  SOURCES_MAX,
} from "./load-configuration.js";
export { nearest } from "./nearest.js";
export { type ParsedSection, parseSection } from "./parse-section.js";
export { redact } from "./redact.js";
export { isSecret, REDACTED, secret } from "./secret.js";
export { fileProblem, readSmallFile } from "./small-file.js";
export type { ClientTlsConfig, ServerTlsConfig, TlsConfig } from "./tls-config.js";
export {
  type ClientTlsMaterial,
  readClientTls,
  readServerTls,
  type ServerTlsMaterial,
  type TlsMaterial,
} from "./tls-material.js";
export { tlsFingerprint, tlsReloadIntervalMs } from "./tls-reload.js";
export { clientTls, serverTls } from "./tls-schema.js";
