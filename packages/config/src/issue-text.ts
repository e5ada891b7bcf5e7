import type { z } from "zod";
import { nearest } from "./nearest.js";
import { isSecret } from "./secret.js";

/** Longer text is cut in messages: enough to recognise a value by. */
const SHOWN_CHARACTERS_MAX = 64;

/** Keys or values that one message lists at most. */
const LISTED_MAX = 20;

/** The message of a union of which one branch fits but for its contents: look at that branch. */
export const SEE_BRANCH = "the contents are not valid";

/** Parts a message may have; each becomes a problem of its own. */
export const PROBLEM_SEPARATOR = "\n";

type RawIssue = z.core.$ZodRawIssue;

/**
 * Says in our words what zod found: what was expected and what was there, never a secret.
 *
 * Several unknown keys give one line each. Messages that a schema brings itself are not asked for.
 */
export function issueText(issue: RawIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return typeText(issue.expected, issue);
    case "unrecognized_keys":
      return unknownKeysText(issue.keys, issue.inst);
    case "invalid_value":
      return valueText(issue.values, issue);
    case "too_small":
      return sizeText("at least", issue.origin, issue.minimum, issue.inclusive ?? true, issue);
    case "too_big":
      return sizeText("at most", issue.origin, issue.maximum, issue.inclusive ?? true, issue);
    case "not_multiple_of":
      return `must be a multiple of ${issue.divisor}, is ${shown(issue)}`;
    case "invalid_format":
      return formatText(issue.format, issue.pattern, issue);
    case "invalid_union":
      return unionText(issue.errors, issue);
    case "invalid_key":
      return nestedText("the key is not valid", issue.issues);
    case "invalid_element":
      return nestedText("an element is not valid", issue.issues);
    case "custom":
      return issue.message ?? "is not valid";
  }
}

/** `a number`, `a list` and so on, for zod's words. */
function typeName(expected: string): string {
  switch (expected) {
    case "string":
      return "text";
    case "int":
      return "a whole number";
    case "number":
      return "a number";
    case "boolean":
      return "true or false";
    case "array":
    case "tuple":
      return "a list";
    case "object":
    case "record":
    case "map":
      return "a map";
    case "null":
    case "undefined":
    case "never":
      return "nothing";
    default:
      return expected;
  }
}

function typeText(expected: string, issue: RawIssue): string {
  const wanted = typeName(expected);
  if (issue.input === undefined) return `is required: ${wanted}`;
  const isNumberAsText = expected === "string" && typeof issue.input === "number";
  return `expected ${wanted}, got ${shown(issue)}${isNumberAsText ? ", write it in quotes" : ""}`;
}

function valueText(values: readonly unknown[], issue: RawIssue): string {
  const list = listed(values.map((value) => JSON.stringify(value)));
  const wanted = values.length === 1 ? `must be ${list}` : `must be one of ${list}`;
  if (issue.input === undefined) return `is required: ${wanted}`;
  const texts = values.filter((value) => typeof value === "string");
  if (typeof issue.input === "number" && texts.includes(String(issue.input))) {
    return `${wanted}, is the number ${issue.input}, write it in quotes`;
  }
  const meant = typeof issue.input === "string" ? nearest(issue.input, texts) : undefined;
  const hint = meant === undefined ? "" : `, did you mean ${JSON.stringify(meant)}?`;
  return `${wanted}, is ${shown(issue)}${hint}`;
}

function unknownKeysText(keys: readonly string[], schema: unknown): string {
  const valid = validKeys(schema);
  return keys.map((key) => unknownKeyText(key, valid)).join(PROBLEM_SEPARATOR);
}

/** `unknown key "htttp", did you mean "http"?`, or the valid keys when none is close. */
export function unknownKeyText(key: string, valid: readonly string[]): string {
  const written = JSON.stringify(key.slice(0, SHOWN_CHARACTERS_MAX));
  const meant = nearest(key, valid);
  if (meant !== undefined) return `unknown key ${written}, did you mean ${JSON.stringify(meant)}?`;
  if (valid.length === 0) return `unknown key ${written}, no keys are valid here`;
  return `unknown key ${written}, valid keys are ${listed([...valid].sort())}`;
}

function validKeys(schema: unknown): readonly string[] {
  const shape = (schema as { _zod?: { def?: { shape?: object } } } | undefined)?._zod?.def?.shape;
  return shape === undefined ? [] : Object.keys(shape);
}

function sizeText(
  bound: "at least" | "at most",
  origin: string,
  limit: number | bigint,
  isInclusive: boolean,
  issue: RawIssue,
): string {
  const number = isInclusive
    ? `${bound} ${limit}`
    : `${bound === "at least" ? "above" : "below"} ${limit}`;
  const { input } = issue;
  if (origin === "string" && typeof input === "string") {
    return `must have ${number} characters, has ${input.length}`;
  }
  if (origin === "array" && Array.isArray(input)) {
    return `must have ${number} entries, has ${input.length}`;
  }
  return `must be ${number}, is ${shown(issue)}`;
}

function formatText(format: string, pattern: string | undefined, issue: RawIssue): string {
  const value = shown(issue);
  return format === "regex"
    ? `${value} does not match ${pattern}`
    : `${value} is no valid ${format}`;
}

// The branch whose type fits is the one that was meant; when none does, all are named.
function unionText(branches: readonly (readonly z.core.$ZodIssue[])[], issue: RawIssue): string {
  const expected = new Set<string>();
  for (const branch of branches) {
    for (const { code, path, ...rest } of branch) {
      if (path.length > 0) continue;
      if (code === "invalid_type" && "expected" in rest) expected.add(typeName(rest.expected));
      if (code === "invalid_value" && "values" in rest) {
        for (const value of rest.values) expected.add(JSON.stringify(value));
      }
    }
  }
  if (fittingBranch(branches) !== undefined) return SEE_BRANCH;
  if (expected.size === 0) return issue.message ?? "is not valid";
  const wanted = [...expected].join(" or ");
  return issue.input === undefined
    ? `is required: ${wanted}`
    : `expected ${wanted}, got ${shown(issue)}`;
}

/** The branch of a union that complains of something else than its own type, if there is one. */
export function fittingBranch(
  branches: readonly (readonly z.core.$ZodIssue[])[],
): readonly z.core.$ZodIssue[] | undefined {
  return branches.find((branch) =>
    branch.every(({ code, path }) => path.length > 0 || !TYPE_CODES.has(code)),
  );
}

const TYPE_CODES: ReadonlySet<string> = new Set(["invalid_type", "invalid_value", "invalid_union"]);

function nestedLine({ path, message }: z.core.$ZodIssue): string {
  return path.length === 0 ? message : `${path.map(String).join("::")}: ${message}`;
}

function nestedText(what: string, issues: readonly z.core.$ZodIssue[]): string {
  return `${what}: ${issues.map(nestedLine).join("; ")}`;
}

function shown(issue: RawIssue): string {
  const { input } = issue;
  if (input === null || input === undefined) return "nothing";
  if (Array.isArray(input)) return "a list";
  if (typeof input === "object") return "a map";
  if (isSecret(issue["schema"]) || isSecret(issue.inst)) return "another value";
  if (typeof input !== "string") return String(input);
  const isLong = input.length > SHOWN_CHARACTERS_MAX;
  return JSON.stringify(isLong ? `${input.slice(0, SHOWN_CHARACTERS_MAX)}...` : input);
}

function listed(texts: readonly string[]): string {
  if (texts.length <= LISTED_MAX) return texts.join(", ");
  return `${texts.slice(0, LISTED_MAX).join(", ")} and ${texts.length - LISTED_MAX} more`;
}
