import type { Signal } from "@inode-gateway/otlp";
import protobuf from "protobufjs";
import { requestType } from "./definitions.js";

// From the request down to the item, by field name.
const paths: Readonly<Record<Signal, readonly (readonly string[])[]>> = {
  traces: [["resource_spans"], ["scope_spans"], ["spans"]],
  logs: [["resource_logs"], ["scope_logs"], ["log_records"]],
  metrics: [
    ["resource_metrics"],
    ["scope_metrics"],
    ["metrics"],
    ["gauge", "sum", "histogram", "exponential_histogram", "summary"],
    ["data_points"],
  ],
  profiles: [["resource_profiles"], ["scope_profiles"], ["profiles"], ["samples"]],
};

/**
 * Every item of a request with all that stands around it, as text, sorted; decoded by protobufjs.
 *
 * Two requests with equal lists say the same about the same items: Resource, scope, metric, schema
 * URLs, and fields that OTLP does not define, are part of the text. A Resource, scope or metric
 * without items is listed once. Fields of the request itself are left out.
 */
export function itemsOfRequest(signal: Signal, bytes: Uint8Array): string[] {
  const items: string[] = [];
  const reader = protobuf.Reader.create(bytes);
  reader.discardUnknown = false;
  collect(requestType(signal).decode(reader), paths[signal], 0, "", items);
  return items.sort();
}

/** How many items protobufjs finds in a request. */
export function decodedItemCount(signal: Signal, bytes: Uint8Array): number {
  let messages = [requestType(signal).decode(bytes)];
  for (const names of paths[signal]) {
    messages = messages.flatMap((message) => names.flatMap((name) => childrenOf(message, name)));
  }
  return messages.length;
}

function collect(
  message: protobuf.Message,
  path: readonly (readonly string[])[],
  level: number,
  context: string,
  items: string[],
): void {
  const names = path[level];
  if (names === undefined) {
    items.push(context + textOf(message, []));
    return;
  }
  const inner = level === 0 ? "" : `${context}${textOf(message, names)}\n`;
  const children = names.flatMap((name) => childrenOf(message, name));
  if (children.length === 0 && level > 0) items.push(inner);
  for (const child of children) collect(child, path, level + 1, inner, items);
}

function childrenOf(message: protobuf.Message, name: string): protobuf.Message[] {
  const value = (message as unknown as Record<string, unknown>)[name];
  if (value === undefined || value === null || !Object.hasOwn(message, name)) return [];
  return (Array.isArray(value) ? value : [value]) as protobuf.Message[];
}

/** The message without the fields of some names, its unknown fields included. */
function textOf(message: protobuf.Message, without: readonly string[]): string {
  return JSON.stringify(plain(message, without));
}

function plain(value: unknown, without: readonly string[] = []): unknown {
  if (value === null || typeof value !== "object") return numberText(value);
  if (ArrayBuffer.isView(value)) return Buffer.from(value as Uint8Array).toString("hex");
  if (Array.isArray(value)) return value.map((each) => plain(each));
  if ("low" in value && "high" in value) return String(value);
  const entries = Object.entries(value).filter(([name]) => !without.includes(name));
  const fields = entries.map(([name, each]): [string, unknown] => [name, plain(each)]);
  const unknowns = (value as { readonly $unknowns?: readonly Uint8Array[] }).$unknowns;
  return { ...Object.fromEntries(fields.sort(byName)), unknown: plain(unknowns ?? []) };
}

// JSON has no word for them.
function numberText(value: unknown): unknown {
  if (typeof value !== "number") return value;
  return Object.is(value, -0) ? "-0" : Number.isFinite(value) ? value : String(value);
}

function byName([one]: [string, unknown], [other]: [string, unknown]): number {
  return one < other ? -1 : 1;
}
