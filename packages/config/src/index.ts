import type { z } from "zod";
import type { ConfigurationProblem } from "./configuration-error.js";

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
export { headers } from "./headers.js";
export { nearest } from "./nearest.js";
export { secret } from "./secret.js";
export {
  type ClientTlsMaterial,
  readClientTls,
  readServerTls,
  type ServerTlsMaterial,
  type TlsMaterial,
} from "./tls-material.js";
export {
  type ClientTlsConfig,
  clientTls,
  type ServerTlsConfig,
  serverTls,
  type TlsConfig,
} from "./tls-schema.js";

/** Where a configuration comes from. */
export interface ConfigurationSources {
  /** `--config` values in order: paths, `file:`, `env:`, `yaml:`. */
  readonly configs: readonly string[];
  /** `--set` values in order. */
  readonly sets: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
}
/** A merged, substituted configuration, not yet checked by any schema. Opaque: read it with `parseSection`. */
export interface ConfigurationTree {
  readonly root: unknown;
  /** Such as an unset environment variable. */
  readonly warnings: readonly string[];
}
export declare function loadConfiguration(
  sources: ConfigurationSources,
): Promise<ConfigurationTree>;
/** Parses one section by its schema; problems carry full paths below `path`. */
export declare function parseSection<Schema extends z.ZodType>(
  schema: Schema,
  section: unknown,
  path: readonly string[],
): { readonly value: z.output<Schema> } | { readonly problems: readonly ConfigurationProblem[] };
