import type { z } from "zod";
import type { ConfigurationProblem } from "./configuration-error.js";
import { isMap, plainCopy, setOwn } from "./expanded-value.js";
import { fittingBranch, issueText, PROBLEM_SEPARATOR, SEE_BRANCH } from "./issue-text.js";
import { KEY_DELIMITER } from "./merge.js";

/** Rounds of putting texts and defaults where the schema wants them; each goes one level deeper. */
const ROUNDS_MAX = 100;

/** What became of a section: its value, or everything that is wrong with it. */
export type ParsedSection<Value> =
  | { readonly value: Value }
  | { readonly problems: readonly ConfigurationProblem[] };

/** What zod complains of, wherever it stands in a union. */
interface Complaint {
  readonly path: readonly PropertyKey[];
  readonly wants: "string" | "array" | "map" | "other";
}

/**
 * Parses one section by its schema; problems carry full paths below `path`, all at once.
 *
 * Beside what the schema says itself: where it wants text, a substituted value is its text (`0123` stays
 * `0123`); where it wants a list, text is split at commas; null stands for an empty map where it wants
 * a map, and for the default elsewhere.
 */
export function parseSection<Schema extends z.ZodType>(
  schema: Schema,
  section: unknown,
  path: readonly string[],
): ParsedSection<z.output<Schema>> {
  const originals = new Map<string, string>();
  // Below one member, so that the section itself can be replaced like everything in it.
  const holder: Record<string, unknown> = {
    section: plainCopy(section ?? {}, (at, original) => {
      originals.set(JSON.stringify(at.map(String)), original);
    }),
  };
  for (let round = 0; ; round++) {
    const result = schema.safeParse(holder["section"], { error: issueText });
    if (result.success) return { value: result.data };
    const isChanged =
      round < ROUNDS_MAX &&
      complaintsOf(result.error.issues, [])
        .map((complaint) => satisfy(holder, complaint, originals))
        .includes(true);
    if (!isChanged) return { problems: problemsOf(result.error.issues, path) };
  }
}

function complaintsOf(
  issues: readonly z.core.$ZodIssue[],
  parent: readonly PropertyKey[],
): Complaint[] {
  return issues.flatMap((issue): Complaint[] => {
    const path = [...parent, ...issue.path];
    if (issue.code === "invalid_type") return [{ path, wants: wantedBy(issue.expected) }];
    if (issue.code === "invalid_union") {
      return issue.errors.flatMap((branch) => complaintsOf(branch, path));
    }
    if (issue.code !== "invalid_value") return [];
    const wantsText = issue.values.some((value) => typeof value === "string");
    return [{ path, wants: wantsText ? "string" : "other" }];
  });
}

function wantedBy(expected: string): Complaint["wants"] {
  if (expected === "string" || expected === "array") return expected;
  return expected === "object" || expected === "record" ? "map" : "other";
}

/** Whether anything could be changed at the place of a complaint. */
function satisfy(
  holder: Record<string, unknown>,
  { path, wants }: Complaint,
  originals: ReadonlyMap<string, string>,
): boolean {
  const place = placeOf(holder, path);
  if (place === undefined) return false;
  const { parent, key } = place;
  const value = Array.isArray(parent) ? parent[Number(key)] : parent[key];
  const original = originals.get(JSON.stringify(path.map(String)));
  if (wants === "string" && original !== undefined && value !== original) {
    return put(parent, key, original);
  }
  if (value === null && wants === "map") return put(parent, key, {});
  if (value === null && !Array.isArray(parent) && path.length > 0) {
    delete parent[key];
    return true;
  }
  const isText = typeof value === "string";
  return wants === "array" && isText && put(parent, key, value === "" ? [] : value.split(","));
}

interface Place {
  readonly parent: Record<string, unknown> | unknown[];
  readonly key: string;
}

function placeOf(holder: Record<string, unknown>, path: readonly PropertyKey[]): Place | undefined {
  let parent: unknown = holder;
  let key = "section";
  for (const next of path) {
    parent = Array.isArray(parent) ? parent[Number(key)] : isMap(parent) ? parent[key] : undefined;
    key = String(next);
  }
  return isMap(parent) || Array.isArray(parent) ? { parent, key } : undefined;
}

function put(parent: Place["parent"], key: string, value: unknown): boolean {
  if (Array.isArray(parent)) parent[Number(key)] = value;
  else setOwn(parent, key, value);
  return true;
}

function problemsOf(
  issues: readonly z.core.$ZodIssue[],
  path: readonly string[],
): ConfigurationProblem[] {
  return issues.flatMap((issue) => {
    if (issue.code === "invalid_union" && issue.message === SEE_BRANCH) {
      const branch = fittingBranch(issue.errors) ?? [];
      return problemsOf(branch, [...path, ...issue.path.map(String)]);
    }
    const at = [...path, ...issue.path.map(String)].join(KEY_DELIMITER);
    return issue.message.split(PROBLEM_SEPARATOR).map((message) => ({ path: at, message }));
  });
}
