import { z } from "zod";
import type { ConfigurationProblem } from "./configuration-error.js";
import { ExpandedValue, isMap } from "./expanded-value.js";
import { KEY_DELIMITER } from "./merge.js";
import { parseSection } from "./parse-section.js";
import { branchesOf, elementsOf, valuesOf } from "./schema-walk.js";

interface EnvironmentCheck {
  /** Rejects with an Error whose message says what is wrong outside the configuration. */
  readonly check: (value: never) => Promise<unknown>;
}

const checks = z.registry<EnvironmentCheck>();

/** Marks a schema whose values refer to something outside the configuration, such as files. */
export function withEnvironmentCheck<Schema extends z.ZodType>(
  schema: Schema,
  check: (value: z.output<Schema>) => Promise<unknown>,
): Schema {
  checks.add(schema, { check: check as EnvironmentCheck["check"] });
  return schema;
}

/**
 * Looks at what a section refers to outside the configuration: certificate and key files.
 *
 * Nothing is changed and nothing is connected to. Sections that their schema refuses are passed over:
 * `parseSection` says why.
 */
export async function checkEnvironment(
  schema: z.ZodType,
  section: unknown,
  path: readonly string[],
): Promise<readonly ConfigurationProblem[]> {
  const problems: ConfigurationProblem[] = [];
  await visit([schema], section, path, problems);
  return problems;
}

async function visit(
  schemas: readonly z.core.$ZodType[],
  written: unknown,
  path: readonly string[],
  problems: ConfigurationProblem[],
): Promise<void> {
  const options = schemas.flatMap(branchesOf);
  const value = written instanceof ExpandedValue ? written.value : written;
  for (const option of options) {
    // The registry's type widens functions so far that they no longer fit their own type.
    const { check } = (checks.get(option) ?? {}) as Partial<EnvironmentCheck>;
    if (check !== undefined) await run(option as z.ZodType, check, written, path, problems);
  }
  if (Array.isArray(value)) {
    const below = options.flatMap(elementsOf);
    for (const [index, entry] of value.entries()) {
      await visit(below, entry, [...path, String(index)], problems);
    }
  } else if (isMap(value)) {
    for (const [key, entry] of Object.entries(value)) {
      const below = options.flatMap((option) => valuesOf(option, key));
      if (below.length > 0) await visit(below, entry, [...path, key], problems);
    }
  }
}

async function run(
  schema: z.ZodType,
  check: EnvironmentCheck["check"],
  section: unknown,
  path: readonly string[],
  problems: ConfigurationProblem[],
): Promise<void> {
  const parsed = parseSection(schema, section, path);
  if ("problems" in parsed) return;
  try {
    await check(parsed.value as never);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    problems.push({ path: path.join(KEY_DELIMITER), message });
  }
}
