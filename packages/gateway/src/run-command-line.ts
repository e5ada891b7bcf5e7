import { builtInFactories } from "@inode-gateway/components";
import { ConfigurationError, type ConfigurationTree, formatProblem } from "@inode-gateway/config";
import type { ComponentSettings } from "@inode-gateway/contract";
import { createLogger, createMeter, systemClock } from "@inode-gateway/telemetry";
import { type Command, parseCommandLine, type SourceFlags, UsageError } from "./command-line.js";
import { listComponents } from "./commands/components.js";
import { runExplainCommand } from "./commands/explain.js";
import { printConfiguration } from "./commands/print-config.js";
import { runRegistryCommand } from "./commands/registry.js";
import { runGateway } from "./commands/run.js";
import {
  checkSurroundings,
  checkTree,
  type GatewayConfiguration,
  loadConfigurationAgain,
  loadTree,
} from "./configuration.js";
import { ExitCode } from "./exit-code.js";
import { helpText } from "./help-text.js";
import { openRegistry } from "./open-registry.js";
import { OutputClosedError, type ProcessEnvironment } from "./process-environment.js";
import { readBuildInfo } from "./version.js";

/**
 * Does what the command line asks and gives the exit code. Never rejects: what is wrong is written
 * to `io.stderr` for a person.
 */
export async function runCommandLine(io: ProcessEnvironment): Promise<ExitCode> {
  try {
    return await execute(parseCommandLine(io.args), io);
  } catch (error) {
    if (error instanceof UsageError) {
      io.stderr.write(`error: ${error.message}\nSee inode-gateway --help\n`);
      return ExitCode.usage;
    }
    if (error instanceof ConfigurationError) {
      io.stderr.write(describeProblems(error));
      return ExitCode.usage;
    }
    if (error instanceof OutputClosedError) return ExitCode.ok;
    io.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
    return ExitCode.failed;
  }
}

async function execute(command: Command, io: ProcessEnvironment): Promise<ExitCode> {
  const build = readBuildInfo();
  switch (command.name) {
    case "help":
      await io.stdout.write(helpText);
      return ExitCode.ok;
    case "version":
      await io.stdout.write(`${build.command} version ${build.version}\n`);
      return ExitCode.ok;
    case "components":
      await io.stdout.write(listComponents(build, builtInFactories));
      return ExitCode.ok;
    case "run":
      return runGateway(
        {
          checked: await loadChecked(command.sources, io),
          load: () => loadConfigurationAgain(command.sources, io.environment),
        },
        build,
        io,
      );
    case "validate":
      return validate(command, io);
    case "print-config": {
      const tree = await loadTreeWithWarnings(command.sources, io);
      if (command.isValidated) checkTree(tree);
      await io.stdout.write(printConfiguration(tree, command));
      return ExitCode.ok;
    }
    case "explain":
    case "registry":
      return askRegistry(command, io);
  }
}

async function loadChecked(
  sources: SourceFlags,
  io: ProcessEnvironment,
): Promise<GatewayConfiguration> {
  const tree = await loadTree(sources, io.environment);
  try {
    const checked = checkTree(tree);
    await checkSurroundings(tree, checked);
    return checked;
  } catch (error) {
    // A variable that is not set is often the very reason for what is wrong.
    for (const warning of tree.warnings) io.stderr.write(`warning: ${warning}\n`);
    throw error;
  }
}

async function validate(
  command: Extract<Command, { name: "run" | "validate" }>,
  io: ProcessEnvironment,
): Promise<ExitCode> {
  const { warnings, notes } = await loadChecked(command.sources, io);
  for (const warning of warnings) io.stderr.write(`warning: ${warning}\n`);
  for (const note of notes) io.stderr.write(`note: ${note}\n`);
  await io.stdout.write("the configuration is valid\n");
  return ExitCode.ok;
}

/** For commands that do not check the whole configuration, which would tell of these too. */
async function loadTreeWithWarnings(
  sources: SourceFlags,
  io: ProcessEnvironment,
): Promise<ConfigurationTree> {
  const tree = await loadTree(sources, io.environment);
  for (const warning of tree.warnings) io.stderr.write(`warning: ${warning}\n`);
  return tree;
}

async function askRegistry(
  command: Extract<Command, { name: "explain" | "registry" }>,
  io: ProcessEnvironment,
): Promise<ExitCode> {
  const tree = await loadTreeWithWarnings(command.sources, io);
  const opened = await openRegistry(tree, command.registryId, (id) => commandSettings(id, io));
  try {
    if (command.name === "explain") {
      await runExplainCommand(command.attributes, tree, opened, io.stdout);
    } else {
      await runRegistryCommand(command, opened, io, systemClock.unixMs());
    }
  } finally {
    await opened.close();
  }
  return ExitCode.ok;
}

/** Settings of an extension that a command opens: it counts for nobody, and what ends the
 * command is told by the command itself, so that only errors are logged. */
function commandSettings(id: string, io: ProcessEnvironment): ComponentSettings {
  const logger = createLogger({
    level: "error",
    encoding: "console",
    destination: { write: (line) => io.stderr.write(line) },
  });
  const ignore = () => undefined;
  return {
    id,
    kind: "extension",
    logger,
    meter: createMeter(),
    clock: systemClock,
    random: Math.random,
    ledger: {
      held: ignore,
      released: ignore,
      dropped: ignore,
      recovered: ignore,
      persisted: ignore,
    },
    build: readBuildInfo(),
    reportState: ignore,
    runInBackground: (name, promise) => {
      promise.catch((error: unknown) => logger.error("a background task failed", { name, error }));
    },
  };
}

function describeProblems({ problems }: ConfigurationError): string {
  const [only, ...more] = problems;
  if (only !== undefined && more.length === 0) return `error: ${formatProblem(only)}\n`;
  const lines = problems.map((problem) => `  ${formatProblem(problem)}\n`);
  return `error: the configuration has ${problems.length} problems\n${lines.join("")}`;
}
