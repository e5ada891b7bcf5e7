import { isDeepStrictEqual } from "node:util";
import { type AttributeList, encodeAnyValue } from "@inode-gateway/otlp";
import {
  configuredValueProblem,
  toAttributeValue,
} from "../../attribute-actions/configured-value.js";
import { readTypedValue, type TypedValue } from "../../attribute-actions/typed-value.js";
import { textOfValue } from "../../attribute-actions/value-text.js";
import type { MatchConfig } from "./config.js";
import { TextSet } from "./text-set.js";

interface Condition {
  readonly key: Uint8Array;
  readonly holds: ((value: TypedValue) => boolean) | undefined;
}

/** Attributes that must all be there, with the values that are given. */
export class AttributeConditions {
  readonly #conditions: readonly Condition[];

  /** @throws Error when a value cannot be compared as `match_type` wants */
  constructor(entries: MatchConfig["attributes"], match: MatchConfig) {
    this.#conditions = entries.map(({ key, value }) => ({
      key: Buffer.from(key),
      holds: value === undefined || value === null ? undefined : comparison(key, value, match),
    }));
  }

  /** Whether a loaded list fulfils them all. */
  hold(list: AttributeList): boolean {
    return this.#conditions.every(({ holds, key }) => {
      const position = list.find(key);
      if (position < 0) return false;
      return holds === undefined || holds(readTypedValue(list.value(position)));
    });
  }
}

function comparison(key: string, written: unknown, match: MatchConfig) {
  const problem = configuredValueProblem(written);
  if (problem !== undefined) throw new Error(`value of ${JSON.stringify(key)}: ${problem}`);
  if (match.match_type === "strict") {
    const wanted = readTypedValue(encodeAnyValue(toAttributeValue(written)));
    return ({ type, value }: TypedValue) =>
      type === wanted.type && isDeepStrictEqual(value, wanted.value);
  }
  if (typeof written !== "string") {
    throw new Error(
      `match_type=regexp for ${JSON.stringify(key)} only supports Str, but found ${typeof written}`,
    );
  }
  const patterns = new TextSet([written], match);
  return ({ type, value }: TypedValue) => isScalar(type) && patterns.matches(textOfValue(value));
}

function isScalar(type: TypedValue["type"]): boolean {
  return type === "string" || type === "bool" || type === "int" || type === "double";
}
