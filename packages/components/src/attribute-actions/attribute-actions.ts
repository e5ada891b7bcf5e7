import type { BatchOrigin } from "@inode-gateway/contract";
import { type AttributeList, encodeAnyValue, readText } from "@inode-gateway/otlp";
import { GoRegExp } from "../go-regexp/go-regexp.js";
import type { ActionConfig } from "./config.js";
import { toAttributeValue } from "./configured-value.js";
import { contextReader } from "./context-value.js";
import { type ConversionTarget, convertValue } from "./convert-value.js";
import { hashValue } from "./hash-value.js";
import { KeyPattern } from "./key-pattern.js";
import { readTypedValue, typeOfValue } from "./typed-value.js";

/** One action, ready: changes a loaded list. */
type Action = (list: AttributeList, origin: BatchOrigin) => void;

/** Gives the value to set as an AnyValue message; undefined when there is none. */
type ValueSource = (list: AttributeList, origin: BatchOrigin) => Uint8Array | undefined;

/**
 * Actions on attributes in the order they were written, with the Collector's meaning.
 *
 * Only the attributes that an action names are decoded. Of equal keys, which the specification forbids,
 * setting leaves one, `delete` none, and `hash` hides them all.
 */
export class AttributeActions {
  /** Whether the result depends on the sender, not on the attributes alone. */
  readonly readsContext: boolean;
  readonly #actions: readonly Action[];

  /** @param configs checked by `attributeActions` */
  constructor(configs: readonly ActionConfig[]) {
    this.#actions = configs.map(compile);
    this.readsContext = configs.some(({ from_context: key }) => key !== "");
  }

  /** Changes a list that was loaded. */
  apply(list: AttributeList, origin: BatchOrigin): void {
    for (const action of this.#actions) action(list, origin);
  }
}

function compile(config: ActionConfig): Action {
  const key = Buffer.from(config.key);
  switch (config.action) {
    case "insert": {
      const source = valueSource(config);
      return (list, origin) => {
        if (list.find(key) >= 0) return;
        const value = source(list, origin);
        if (value !== undefined) list.add(key, value);
      };
    }
    case "update": {
      const source = valueSource(config);
      return (list, origin) => {
        const position = list.find(key);
        if (position < 0) return;
        const value = source(list, origin);
        if (value !== undefined) replace(list, position, key, value);
      };
    }
    case "upsert": {
      const source = valueSource(config);
      return (list, origin) => {
        const value = source(list, origin);
        if (value !== undefined) set(list, key, value);
      };
    }
    case "delete":
      return deletion(config, key);
    case "hash":
      return hashing(config, key);
    case "extract":
      return extraction(config, key);
    default:
      return conversion(config, key);
  }
}

function valueSource(config: ActionConfig): ValueSource {
  if (isSet(config.value)) {
    const value = encodeAnyValue(toAttributeValue(config.value));
    return () => value;
  }
  const fallback = isSet(config.default_value)
    ? encodeAnyValue(toAttributeValue(config.default_value))
    : undefined;
  if (config.from_context !== "") {
    const read = contextReader(config.from_context);
    return (_list, origin) => {
      const text = read(origin);
      return text === undefined ? fallback : encodeAnyValue(text);
    };
  }
  if (config.from_attribute === "") return () => fallback;
  const key = Buffer.from(config.from_attribute);
  return (list) => {
    const position = list.find(key);
    return position < 0 ? fallback : list.value(position);
  };
}

function deletion(config: ActionConfig, key: Uint8Array): Action {
  const pattern = keyPattern(config);
  return (list) => {
    if (key.byteLength > 0) removeAll(list, key, 0);
    forEachKey(list, pattern, (position) => list.remove(position));
  };
}

function hashing(config: ActionConfig, key: Uint8Array): Action {
  const pattern = keyPattern(config);
  const hash = (list: AttributeList, position: number) =>
    list.setValue(position, hashValue(list.value(position)));
  return (list) => {
    if (key.byteLength > 0) {
      for (let at = list.find(key); at >= 0; at = list.find(key, at + 1)) hash(list, at);
    }
    // What has the key and matches too is hashed twice, as in the Collector.
    forEachKey(list, pattern, (position) => hash(list, position));
  };
}

function extraction(config: ActionConfig, key: Uint8Array): Action {
  const pattern = new GoRegExp(config.pattern);
  const targets = pattern.groupNames.map((name) => Buffer.from(name));
  return (list) => {
    const position = list.find(key);
    if (position < 0) return;
    const { type, value } = readTypedValue(list.value(position));
    if (type !== "string") return;
    const groups = pattern.exec(value as string);
    if (groups === undefined) return;
    for (const [index, target] of targets.entries()) {
      set(list, target, encodeAnyValue(groups[index + 1] ?? ""));
    }
  };
}

function conversion(config: ActionConfig, key: Uint8Array): Action {
  const target = config.converted_type as ConversionTarget;
  return (list) => {
    const position = list.find(key);
    if (position < 0 || typeOfValue(list.value(position)) === target) return;
    const value = convertValue(list.value(position), target);
    if (value !== undefined) list.setValue(position, value);
  };
}

function set(list: AttributeList, key: Uint8Array, value: Uint8Array): void {
  const position = list.find(key);
  if (position < 0) list.add(key, value);
  else replace(list, position, key, value);
}

function replace(list: AttributeList, position: number, key: Uint8Array, value: Uint8Array): void {
  list.setValue(position, value);
  removeAll(list, key, position + 1);
}

function removeAll(list: AttributeList, key: Uint8Array, from: number): void {
  for (let at = list.find(key, from); at >= 0; at = list.find(key, at + 1)) list.remove(at);
}

function forEachKey(
  list: AttributeList,
  pattern: KeyPattern | undefined,
  visit: (position: number) => void,
): void {
  if (pattern === undefined) return;
  for (let position = 0; position < list.length; position++) {
    if (list.isRemoved(position)) continue;
    const key = list.key(position);
    if (pattern.matches(readText(key, 0, key.byteLength))) visit(position);
  }
}

function keyPattern({ pattern }: ActionConfig): KeyPattern | undefined {
  return pattern === "" ? undefined : new KeyPattern(pattern);
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null;
}
