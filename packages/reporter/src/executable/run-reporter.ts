import { readFileSync } from "node:fs";
import {
  ConfigurationError,
  checkEnvironment,
  loadConfiguration,
  parseSection,
} from "@inode-gateway/config";
import type { ContainerRegistry } from "@inode-gateway/registry";
import {
  createLogger,
  createMeter,
  failureFields,
  registerProcessMetrics,
  startMetricsServer,
  systemClock,
} from "@inode-gateway/telemetry";
import { createRedisRegistryFromConfig } from "../redis-registry-config.js";
import { createReporter } from "../reporter.js";
import type { Logger } from "../reporter-types.js";
import { helpText, parseCommandLine, UsageError } from "./command-line.js";
import { type ExecutableConfig, executableConfig } from "./executable-config.js";
import { startHealthServer } from "./health-server.js";

/** What the executable may use of the process; passed in, so that nothing else touches it. */
export interface ProcessEnvironment {
  /** Arguments after the program's name. */
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  writeOut(text: string): void;
  writeError(text: string): void;
  /** Whether a person is looking at what is logged. */
  readonly isTerminal: boolean;
  /** Resolves at the first SIGTERM or SIGINT, with its name. */
  readonly stopSignal: Promise<string>;
}

/** Exit codes; they stand in the README. */
const exitCodes = { ok: 0, failed: 1, usage: 2 } as const;

/** How long stopping may take: less than the 10 s that container runtimes give by default. */
const stopTimeoutMs = 5_000;

/** Runs `inode-reporter` to its end; resolves to the exit code and never rejects. */
export async function runReporter(host: ProcessEnvironment): Promise<number> {
  try {
    const command = parseCommandLine(host.args);
    if (command.name === "help") {
      host.writeOut(helpText);
      return exitCodes.ok;
    }
    if (command.name === "version") {
      host.writeOut(`inode-reporter ${readVersion()}\n`);
      return exitCodes.ok;
    }
    const { config, warnings } = await readConfig(command, host);
    if (command.name === "validate") {
      for (const warning of warnings) host.writeError(`inode-reporter: ${warning}\n`);
      host.writeOut("the configuration is valid\n");
      return exitCodes.ok;
    }
    return await runUntilStopped(config, warnings, host);
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof ConfigurationError)) throw error;
    host.writeError(`inode-reporter: ${describe(error)}\n`);
    if (error instanceof UsageError) host.writeError("Try: inode-reporter --help\n");
    return exitCodes.usage;
  }
}

function describe(error: UsageError | ConfigurationError): string {
  const count = error instanceof ConfigurationError ? error.problems.length : 1;
  if (count === 1) return error.message;
  return `the configuration has ${count} problems\n  ${error.message.replaceAll("\n", "\n  ")}`;
}

async function readConfig(
  sources: { readonly configs: readonly string[]; readonly sets: readonly string[] },
  host: ProcessEnvironment,
): Promise<{ config: ExecutableConfig; warnings: readonly string[] }> {
  const { configs, sets } = sources;
  const { root, warnings } = await loadConfiguration({
    configs,
    sets,
    environment: host.environment,
  });
  const parsed = parseSection(executableConfig, root, []);
  const problems =
    "problems" in parsed ? parsed.problems : await checkEnvironment(executableConfig, root, []);
  if ("value" in parsed && problems.length === 0) return { config: parsed.value, warnings };
  // A variable that is not set is often the very reason for what is wrong.
  for (const warning of warnings) host.writeError(`inode-reporter: ${warning}\n`);
  throw new ConfigurationError(problems);
}

async function runUntilStopped(
  config: ExecutableConfig,
  warnings: readonly string[],
  host: ProcessEnvironment,
): Promise<number> {
  const logger = createLogger({
    ...config.telemetry.logs,
    isTerminal: host.isTerminal,
    destination: { write: (line: string) => host.writeError(line) },
  });
  for (const warning of warnings)
    logger.warn("the configuration is accepted with a doubt", { warning });
  // Released in reverse order of acquiring, whatever happens in between.
  const releases: (() => Promise<void>)[] = [];
  try {
    await acquire(config, logger, releases);
    const signal = await host.stopSignal;
    logger.info("stopping", { signal });
    return exitCodes.ok;
  } catch (error) {
    logger.error("inode-reporter cannot start", failureFields(error));
    return exitCodes.failed;
  } finally {
    for (const release of releases.reverse()) {
      await release().catch((error: unknown) => logger.error("stopping failed", { error }));
    }
    logger.info("stopped");
  }
}

async function acquire(
  config: ExecutableConfig,
  logger: Logger,
  releases: (() => Promise<void>)[],
): Promise<void> {
  const version = readVersion();
  const meter = createMeter();
  registerProcessMetrics(meter, { prefix: "inode_reporter" });
  const registry = await connect(config, logger);
  releases.push(() => registry.stop());
  const reporter = createReporter(
    { config: config.reporter, logger, meter, clock: systemClock, version },
    registry,
  );
  const health = await startHealthServer(config.health.endpoint, () => reporter.status());
  releases.push(() => health.close());
  const metrics = await startMetricsServer({
    endpoint: config.telemetry.metrics.endpoint,
    endpointKey: "telemetry::metrics::endpoint",
    meter,
  });
  releases.push(() => metrics.close());
  releases.push(() => reporter.stop(systemClock.nowMs() + stopTimeoutMs));
  await registry.start();
  await reporter.start();
  logger.info("inode-reporter is running", {
    version,
    health: health.address,
    metrics: metrics.address,
    registry: config.registry.redis.endpoint.replace(/\/\/[^@/]*@/, "//"),
  });
}

function connect(config: ExecutableConfig, logger: Logger): Promise<ContainerRegistry> {
  // Nothing is looked up here: the smallest cache there is.
  const redis = { ...config.registry.redis, cache_max_entries: 1, negative_cache_ttl: 0 };
  return createRedisRegistryFromConfig(redis, {
    warning: (message, fields) => logger.warn(message, fields),
  });
}

function readVersion(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  const { version } = JSON.parse(text) as { readonly version: string };
  return version;
}
