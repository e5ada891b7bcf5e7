import { nearest } from "@inode-gateway/config";
import {
  EMPTY_ATTRIBUTE,
  equalsText,
  findAttribute,
  type MovableView,
  NO_ATTRIBUTE,
} from "@inode-gateway/otlp";
import { ConditionSyntaxError, EvaluationError } from "./condition-error.js";
import { decodeMap, decodeValueAt, valueEqualsText } from "./decode-value.js";
import { anyValue, type ContextName, type PathField, pathFields } from "./path-fields.js";
import type { Key, PathSegment } from "./syntax-tree.js";
import type { TelemetryCursor } from "./telemetry-cursor.js";
import { isList, typeName, type Value } from "./value.js";

/** How deep in a request a value is looked up; what is looked up further out changes less often. */
export const CONSTANT = 0;
/** Looked up in the Resource. */
export const RESOURCE_LEVEL = 1;
/** Looked up in the scope. */
export const SCOPE_LEVEL = 2;
/** Looked up in the span, metric or log record. */
export const ITEM_LEVEL = 3;
/** Looked up in the span event or data point. */
export const CHILD_LEVEL = 4;

/** A value that can be computed at any place of a request. */
export interface CompiledValue {
  readonly level: number;
  readonly get: (cursor: TelemetryCursor) => Value;
  /** Makes a comparison with one text that decodes nothing; undefined where there is none. */
  readonly equalsText?: ((text: string) => (cursor: TelemetryCursor) => boolean) | undefined;
}

const levels: Readonly<Record<ContextName, number>> = {
  resource: RESOURCE_LEVEL,
  scope: SCOPE_LEVEL,
  span: ITEM_LEVEL,
  metric: ITEM_LEVEL,
  log: ITEM_LEVEL,
  spanevent: CHILD_LEVEL,
  datapoint: CHILD_LEVEL,
};

/** The contexts that can be seen from each, itself first. */
export const visibleContexts: Readonly<Record<ContextName, readonly ContextName[]>> = {
  resource: ["resource"],
  scope: ["scope", "resource"],
  span: ["span", "scope", "resource"],
  spanevent: ["spanevent", "span", "scope", "resource"],
  metric: ["metric", "scope", "resource"],
  datapoint: ["datapoint", "metric", "scope", "resource"],
  log: ["log", "scope", "resource"],
};

/** The context that a name in front of a path means. */
export function contextNamed(name: string): ContextName | undefined {
  if (name === "instrumentation_scope") return "scope";
  return Object.hasOwn(levels, name) ? (name as ContextName) : undefined;
}

/**
 * Compiles a path as seen from a context.
 *
 * @throws ConditionSyntaxError when no such path can be read there
 */
export function compilePath(segments: readonly PathSegment[], context: ContextName): CompiledValue {
  const [first, ...rest] = segments;
  if (first === undefined) throw new ConditionSyntaxError(1, "a path is empty");
  const named = rest.length > 0 && first.keys.length === 0 ? contextNamed(first.name) : undefined;
  if (named !== undefined && !visibleContexts[context].includes(named)) {
    throw new ConditionSyntaxError(
      first.column,
      `\`${first.name}\` cannot be seen from context \`${context}\`, only ${listed(context)}`,
    );
  }
  const target = named ?? context;
  const path = named === undefined ? segments : rest;
  const get = compileField(path, target);
  return {
    level: levels[target],
    get: (cursor) => get(viewOf(cursor, target), cursor),
    equalsText: compileEqualsText(path, target),
  };
}

/** The view that stands on the message of a context. */
export function viewOf(cursor: TelemetryCursor, context: ContextName): MovableView {
  switch (context) {
    case "resource":
      return cursor.resource;
    case "scope":
      return cursor.scope;
    case "spanevent":
    case "datapoint":
      return cursor.child;
    case "span":
    case "metric":
    case "log":
      return cursor.item;
  }
}

type Getter = (view: MovableView, cursor: TelemetryCursor) => Value;

function compileField(path: readonly PathSegment[], context: ContextName): Getter {
  const [segment, below, beyond] = path;
  const fields = pathFields[context];
  if (segment === undefined || !Object.hasOwn(fields, segment.name)) {
    throw unknownName(segment, Object.keys(fields), `context \`${context}\``);
  }
  const field = fields[segment.name] as PathField;
  if (beyond !== undefined) throw unknownName(beyond, [], `\`${below?.name}\``);
  if (field.kind === "attributes") {
    if (below !== undefined) throw unknownName(below, [], `\`${segment.name}\``);
    return compileAttributes(field.fieldNumber, segment.keys);
  }
  if (below !== undefined) {
    const readers = field.below ?? {};
    if (segment.keys.length > 0 || !Object.hasOwn(readers, below.name)) {
      throw unknownName(below, Object.keys(readers), `\`${segment.name}\``);
    }
    refuseKeys(below);
    return readers[below.name] as Getter;
  }
  if (field.kind === "any") {
    const { keys } = segment;
    return (view) => indexed(anyValue(view, field.fieldNumber), keys);
  }
  refuseKeys(segment);
  if (field.read !== undefined) return field.read;
  const names = Object.keys(field.below ?? {});
  throw new ConditionSyntaxError(
    segment.column,
    `\`${segment.name}\` as a whole is not supported, only ${quoted(names, `${segment.name}.`)}`,
  );
}

function compileAttributes(
  fieldNumber: (cursor: TelemetryCursor) => number,
  keys: readonly Key[],
): Getter {
  const [key, ...rest] = keys;
  if (key === undefined) {
    return ({ bytes, start, end }, cursor) => decodeMap(bytes, start, end, fieldNumber(cursor));
  }
  if (typeof key.value !== "string") {
    throw new ConditionSyntaxError(key.column, `attributes have strings as keys, not ${key.value}`);
  }
  const wanted = Buffer.from(key.value);
  return (view, cursor) => {
    const { bytes } = view;
    const found = findAttribute(bytes, view.start, view.end, fieldNumber(cursor), wanted);
    if (found === NO_ATTRIBUTE) return undefined;
    const value = found === EMPTY_ATTRIBUTE ? undefined : decodeValueAt(bytes, found);
    return rest.length === 0 ? value : indexed(value, rest);
  };
}

/** For an attribute with one key and for names: what nearly all conditions compare with a text. */
function compileEqualsText(
  [segment, below]: readonly PathSegment[],
  context: ContextName,
): CompiledValue["equalsText"] {
  const field = pathFields[context][segment?.name ?? ""];
  if (segment === undefined || below !== undefined || field === undefined) return undefined;
  if (field.kind === "value" && field.textField !== undefined) {
    const { textField } = field;
    return (text) => (cursor) => {
      const view = viewOf(cursor, context);
      const start = view.startOf(textField);
      if (start < 0) return text === "";
      return equalsText(view.bytes, start, view.endOf(textField), text);
    };
  }
  const [key, deeper] = segment.keys;
  if (field.kind !== "attributes" || typeof key?.value !== "string" || deeper !== undefined) {
    return undefined;
  }
  const wanted = Buffer.from(key.value);
  return (text) => (cursor) => {
    const { bytes, start, end } = viewOf(cursor, context);
    const found = findAttribute(bytes, start, end, field.fieldNumber(cursor), wanted);
    return found >= 0 && valueEqualsText(bytes, found, text);
  };
}

/** What keys lead to inside a value. */
export function indexed(value: Value, keys: readonly Key[]): Value {
  let current = value;
  for (const { value: key } of keys) {
    if (current instanceof Map && typeof key === "string") {
      if (!current.has(key)) return undefined;
      current = current.get(key);
    } else if (isList(current) && typeof key === "number") {
      if (key >= current.length) throw new EvaluationError(`index ${key} is out of bounds`);
      current = current[key];
    } else {
      throw new EvaluationError(`${typeName(current)} cannot be indexed by a ${typeof key}`);
    }
  }
  return current;
}

function refuseKeys({ name, keys }: PathSegment): void {
  const [key] = keys;
  if (key === undefined) return;
  throw new ConditionSyntaxError(key.column, `\`${name}\` cannot be indexed`);
}

function unknownName(
  segment: PathSegment | undefined,
  names: readonly string[],
  where: string,
): ConditionSyntaxError {
  const name = segment?.name ?? "";
  const advice: Readonly<Record<string, string>> = {
    cache: "; conditions have no cache",
    time: "; use `time_unix_nano`",
    start_time: "; use `start_time_unix_nano`",
    end_time: "; use `end_time_unix_nano`",
    observed_time: "; use `observed_time_unix_nano`",
  };
  const meant = nearest(name, names);
  const suggestion = meant === undefined ? "" : `, did you mean \`${meant}\`?`;
  const known = names.length === 0 ? "" : `; supported are ${quoted(names)}`;
  const more = advice[name] ?? (suggestion === "" ? known : suggestion);
  return new ConditionSyntaxError(segment?.column ?? 1, `${where} has no \`${name}\`${more}`);
}

function listed(context: ContextName): string {
  return quoted(visibleContexts[context]);
}

function quoted(names: readonly string[], prefix: string = ""): string {
  return names.map((name) => `\`${prefix}${name}\``).join(", ");
}
