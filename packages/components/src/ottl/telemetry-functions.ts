import {
  EMPTY_ATTRIBUTE,
  FieldCursor,
  findAttribute,
  LENGTH_DELIMITED,
  NO_ATTRIBUTE,
} from "@inode-gateway/otlp";
import { equalValues } from "./compare.js";
import { type CompiledValue, ITEM_LEVEL } from "./compile-path.js";
import { EvaluationError } from "./condition-error.js";
import { decodeValueAt } from "./decode-value.js";
import { type ContextName, pointAttributes } from "./path-fields.js";
import type { TelemetryCursor } from "./telemetry-cursor.js";
import { typeName, type Value } from "./value.js";

/** A function that looks at the telemetry itself. */
export interface TelemetryFunction {
  readonly minArguments: number;
  readonly maxArguments: number;
  readonly contexts: readonly ContextName[];
  readonly get: (cursor: TelemetryCursor, values: readonly Value[]) => Value;
}

const PARENT_SPAN_ID = 4;
const DATA_POINTS = 1;

/** The functions that look at the telemetry itself, by name. */
export const telemetryFunctions: ReadonlyMap<string, TelemetryFunction> = new Map([
  [
    "IsRootSpan",
    {
      minArguments: 0,
      maxArguments: 0,
      contexts: ["span"],
      get: ({ item }) => item.binary(PARENT_SPAN_ID).every((byte) => byte === 0),
    },
  ],
  [
    "HasAttrKeyOnDatapoint",
    {
      minArguments: 1,
      maxArguments: 1,
      contexts: ["metric"],
      get: (cursor, [key]) => somePoint(cursor, key, () => true),
    },
  ],
  [
    "HasAttrOnDatapoint",
    {
      minArguments: 2,
      maxArguments: 2,
      contexts: ["metric"],
      get: (cursor, [key, wanted]) => somePoint(cursor, key, (value) => equalValues(value, wanted)),
    },
  ],
] satisfies [string, TelemetryFunction][]);

/** A call of one of them. */
export function compileTelemetryFunction(
  { get }: TelemetryFunction,
  values: readonly CompiledValue[],
): CompiledValue {
  return {
    level: ITEM_LEVEL,
    get: (cursor) =>
      get(
        cursor,
        values.map((value) => value.get(cursor)),
      ),
  };
}

/** Whether any data point of the metric has an attribute of that key with a fitting value. */
function somePoint(
  { item: { bytes, start, end } }: TelemetryCursor,
  key: Value,
  fits: (value: Value) => boolean,
): boolean {
  if (typeof key !== "string") {
    throw new EvaluationError(`expected string but got ${typeName(key)}`);
  }
  const wanted = Buffer.from(key);
  const data = new FieldCursor(bytes, start, end);
  while (data.next()) {
    const attributes = pointAttributes[data.number];
    if (attributes === undefined || data.wireType !== LENGTH_DELIMITED) continue;
    const point = new FieldCursor(bytes, data.contentStart, data.contentEnd);
    while (point.next()) {
      if (point.number !== DATA_POINTS || point.wireType !== LENGTH_DELIMITED) continue;
      const { contentStart, contentEnd } = point;
      const found = findAttribute(bytes, contentStart, contentEnd, attributes, wanted);
      if (found === NO_ATTRIBUTE) continue;
      if (fits(found === EMPTY_ATTRIBUTE ? undefined : decodeValueAt(bytes, found))) return true;
    }
  }
  return false;
}
