import { ConfigurationError, type ConfigurationProblem } from "./configuration-error.js";
import { isMap } from "./expanded-value.js";
import { merge, nestKeys } from "./merge.js";
import { readSourceFile } from "./read-source.js";
import { substitute } from "./substitution.js";
import { parseYaml } from "./yaml-source.js";

/** `--config` and `--set` together; the Collector's limit. */
export const SOURCES_MAX = 100;

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
  /** A map; empty when nothing is configured. */
  readonly root: unknown;
  /** Such as an unset environment variable. */
  readonly warnings: readonly string[];
}

/**
 * Reads every source, merges them in order (`--set` last), and then substitutes `${...}`.
 *
 * @throws ConfigurationError with all problems of the first of these steps that has any
 */
export async function loadConfiguration(sources: ConfigurationSources): Promise<ConfigurationTree> {
  const count = sources.configs.length + sources.sets.length;
  if (count > SOURCES_MAX) {
    const message = `${count} --config and --set values, at most ${SOURCES_MAX} are allowed`;
    throw new ConfigurationError([{ path: "", message }]);
  }
  const problems: ConfigurationProblem[] = [];
  let merged: unknown = {};
  const add = async (read: () => unknown) => {
    try {
      merged = merge(merged, nestKeys(await read()));
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      problems.push(...error.problems);
    }
  };
  for (const config of sources.configs) await add(() => readConfig(config, sources.environment));
  for (const set of sources.sets) await add(() => readSet(set));
  if (problems.length > 0) throw new ConfigurationError(problems);
  const substituted = await substitute(merged, sources.environment);
  if (substituted.problems.length > 0) throw new ConfigurationError(substituted.problems);
  return { root: substituted.root, warnings: substituted.warnings };
}

async function readConfig(
  config: string,
  environment: ConfigurationSources["environment"],
): Promise<unknown> {
  const [, scheme, rest = ""] = /^([A-Za-z][A-Za-z0-9+.-]+):(.*)$/s.exec(config) ?? [];
  switch (scheme) {
    case undefined:
      return readConfigFile(config);
    case "file":
      return readConfigFile(rest);
    case "yaml":
      return mapOf(rest, `--config yaml:${keyOf(rest)}`);
    case "env": {
      const text = Object.hasOwn(environment, rest) ? environment[rest] : undefined;
      if (text === undefined) {
        throw refusal(`--config env:${rest}: the environment variable is not set`);
      }
      return mapOf(text, `--config env:${rest}`);
    }
    case "http":
    case "https":
      throw refusal(
        `--config ${scheme}:... is not supported: fetch the document yourself and give its file`,
      );
    default:
      throw refusal(
        `--config ${config}: scheme ${JSON.stringify(scheme)} is not supported, supported are env, file and yaml; a file of that name is written file:${config}`,
      );
  }
}

async function readConfigFile(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readSourceFile(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw refusal(`--config ${path} cannot be read: ${reason}`);
  }
  return mapOf(text, path);
}

function readSet(set: string): unknown {
  const equal = set.indexOf("=");
  // What stands in place of the key may be a secret only when somebody mistakes --set for something else.
  if (equal < 0) {
    throw refusal(`--set ${set}: missing equal sign, write --set key.path=value`);
  }
  const path = set.slice(0, equal).trim();
  const value = set.slice(equal + 1).trim();
  return mapOf(`${path.replaceAll(".", "::")}: ${value}`, `--set ${path}`);
}

function mapOf(text: string, name: string): unknown {
  const value = parseYaml(text, name);
  if (value === null || value === undefined) return {};
  if (isMap(value)) return value;
  throw refusal(
    `${name}: expected a map at the top, got ${Array.isArray(value) ? "a list" : "text"}`,
  );
}

// The value behind the key may be a secret.
function keyOf(yaml: string): string {
  const end = yaml.search(/:\s/);
  return end < 0 ? "" : yaml.slice(0, Math.min(end, 128));
}

function refusal(message: string): ConfigurationError {
  return new ConfigurationError([{ path: "", message }]);
}
