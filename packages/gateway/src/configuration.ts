import { builtInFactories } from "@inode-gateway/components";
import {
  ConfigurationError,
  type ConfigurationTree,
  checkEnvironment as checkSection,
  loadConfiguration,
  sectionEntries,
} from "@inode-gateway/config";
import {
  type CheckedConfiguration,
  checkConfiguration,
  checkEnvironment,
  checkGraph,
} from "@inode-gateway/pipeline";
import { createLogger, createMeter, systemClock } from "@inode-gateway/telemetry";
import type { SourceFlags } from "./command-line.js";
import { type TelemetryConfig, telemetryConfig } from "./telemetry-config.js";
import { readBuildInfo } from "./version.js";

/** A configuration that this program can run. */
export type GatewayConfiguration = CheckedConfiguration<TelemetryConfig>;

/**
 * Reads, merges and substitutes the sources that the command line names.
 *
 * @throws ConfigurationError, also when it names none
 */
export async function loadTree(
  sources: SourceFlags,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<ConfigurationTree> {
  if (sources.configs.length === 0 && sources.sets.length === 0) {
    const message = "at least one config flag must be provided, such as --config gateway.yaml";
    throw new ConfigurationError([{ path: "", message }]);
  }
  return loadConfiguration({ ...sources, environment });
}

/**
 * Checks a configuration against every built-in component, with all problems at once, and then makes
 * each component once for what only shows in its pipelines. Starts nothing.
 *
 * @throws ConfigurationError
 */
export function checkTree(tree: ConfigurationTree): GatewayConfiguration {
  const result = checkConfiguration(tree, builtInFactories, { telemetrySchema: telemetryConfig });
  if ("problems" in result) throw new ConfigurationError(result.problems);
  const problems = checkGraph(result.checked, {
    logger: createLogger({ level: "error", encoding: "json", destination: { write: ignore } }),
    meter: createMeter(),
    clock: systemClock,
    random: Math.random,
    build: readBuildInfo(),
  });
  if (problems.length > 0) throw new ConfigurationError(problems);
  return result.checked;
}

/** Components that are made to be forgotten have nothing to say. */
function ignore(): void {}

/**
 * Checks what a configuration needs around it, such as certificate files, with all problems at once.
 *
 * @throws ConfigurationError
 */
export async function checkSurroundings(
  tree: ConfigurationTree,
  checked: GatewayConfiguration,
): Promise<void> {
  const service = sectionEntries(sectionEntries(tree.root)?.get("service"));
  const telemetry = service?.get("telemetry");
  const problems = [
    ...(await checkEnvironment(tree, checked)),
    ...(await checkSection(telemetryConfig, telemetry, ["service", "telemetry"])),
  ];
  if (problems.length > 0) throw new ConfigurationError(problems);
}

/**
 * Reads and checks everything that {@link loadTree}, {@link checkTree} and {@link checkSurroundings} do.
 *
 * @throws ConfigurationError that tells warnings too: a variable that is not set is often the very reason
 *   for what is wrong
 */
export async function loadConfigurationAgain(
  sources: SourceFlags,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<GatewayConfiguration> {
  const tree = await loadTree(sources, environment);
  try {
    const checked = checkTree(tree);
    await checkSurroundings(tree, checked);
    return checked;
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    const warnings = tree.warnings.map((message) => ({ path: "", message }));
    throw new ConfigurationError([...error.problems, ...warnings]);
  }
}
