import type { z } from "zod";
import { inputSchema, isDuration, type JsonSchema } from "./input-schema.js";
import { markdownTable } from "./markdown-table.js";

/** One key that a user may write. */
export interface Option {
  /** Keys from the section down, joined by `::` as in error messages. */
  readonly path: string;
  readonly schema: JsonSchema;
  readonly isRequired: boolean;
}

/** Every key of a section, those of nested maps after the map's own. */
export function optionsOf(schema: JsonSchema, above = ""): Option[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, option]) => {
    const path = `${above}${key}`;
    const isRequired = schema.required?.includes(key) ?? false;
    const nested = [
      ...optionsOf(option, `${path}::`),
      ...(option.items === undefined ? [] : optionsOf(option.items, `${path}::0::`)),
    ];
    return [{ path, schema: option, isRequired }, ...nested];
  });
}

/** The table of all keys of a section. */
export function optionTable(schema: z.ZodType): string {
  const options = optionsOf(inputSchema(schema));
  if (options.length === 0) return "No options.";
  const rows = options.map(({ isRequired, path, schema: option }) => [
    `\`${path}\``,
    typeText(option),
    isRequired ? "required" : defaultText(option),
    option.description ?? "",
  ]);
  return markdownTable(["key", "type", "default", "meaning"], rows);
}

function typeText(option: JsonSchema): string {
  const { anyOf, enum: values, items } = option;
  // Nothing, written out, is the same as leaving the key out.
  const [type] = [option.type ?? []].flat().filter((name) => name !== "null");
  if (isDuration(option)) return "duration";
  if (anyOf !== undefined) return anyOf.map(typeText).join(" or ");
  if (values !== undefined) return values.map((value) => code(value)).join(", ");
  if (type === "array") return `list of ${itemText(items ?? {})}`;
  if (type === "object") return mapText(option);
  if (type === "integer" || type === "number") return type + boundsText(option);
  if (type === "string" && option.writeOnly === true) return "string, secret";
  return type ?? "anything";
}

function itemText(items: JsonSchema): string {
  const text = typeText(items);
  if (text === "string") return "strings";
  return items.properties === undefined ? text : "maps";
}

function mapText({ additionalProperties: values }: JsonSchema): string {
  if (typeof values !== "object") return "map";
  const text = typeText(values);
  return text === "anything" ? "map" : `map of ${text.replace(/^string/, "strings")}`;
}

function boundsText({ exclusiveMinimum, maximum, minimum }: JsonSchema): string {
  const least = exclusiveMinimum === undefined ? minimum : exclusiveMinimum + 1;
  if (least !== undefined && maximum !== undefined) return `, ${least} to ${maximum}`;
  if (least !== undefined) return `, at least ${least}`;
  return maximum === undefined ? "" : `, at most ${maximum}`;
}

function defaultText(option: JsonSchema): string {
  if (option.default === undefined) return "unset";
  // The defaults of a map are those of its keys, which have rows of their own.
  return option.properties === undefined ? code(option.default) : "";
}

function code(value: unknown): string {
  const isPlain = typeof value === "string" && value !== "";
  return `\`${isPlain ? value : JSON.stringify(value)}\``;
}
