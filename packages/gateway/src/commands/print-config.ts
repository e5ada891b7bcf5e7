import { builtInFactories } from "@inode-gateway/components";
import { type ConfigurationTree, plainCopy } from "@inode-gateway/config";
import { redactConfiguration } from "@inode-gateway/pipeline";
import { stringify } from "yaml";
import { telemetryConfig } from "../telemetry-config.js";

/** How `print-config` prints. */
export interface PrintConfigOptions {
  readonly format: "yaml" | "json";
  readonly isRedacted: boolean;
}

/** The merged, substituted configuration as text, with or without its secrets. */
export function printConfiguration(tree: ConfigurationTree, options: PrintConfigOptions): string {
  const plain = options.isRedacted
    ? redactConfiguration(tree, builtInFactories, telemetryConfig)
    : plainCopy(tree.root);
  return options.format === "yaml" ? stringify(plain) : `${JSON.stringify(plain, undefined, 2)}\n`;
}
