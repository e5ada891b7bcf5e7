import type { Signal } from "@inode-gateway/contract";
import { otlpNames } from "../../transport/otlp-names.js";
import type { OtlpHttpConfig } from "./config.js";

/**
 * Where requests of one signal go.
 *
 * @throws Error naming the missing keys when neither the signal nor the exporter has an endpoint
 */
export function signalUrl(config: OtlpHttpConfig, signal: Signal): URL {
  const own = config[`${signal}_endpoint`];
  if (own !== undefined) return new URL(own);
  const { endpoint } = config;
  if (endpoint === undefined) {
    throw new Error(`\`${signal}_endpoint\` or \`endpoint\` must be set to export ${signal}`);
  }
  return new URL(endpoint.replace(/\/+$/, "") + otlpNames[signal].httpPath);
}
