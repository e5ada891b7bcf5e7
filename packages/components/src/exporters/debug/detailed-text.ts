import type { Signal } from "@inode-gateway/contract";
import {
  attributesOf,
  type JsonAnyValue,
  type JsonKeyValue,
  messageOf,
  messagesOf,
  type OtlpJson,
  textOf,
  typedValue,
} from "./otlp-json.js";
import { signalShapes } from "./signal-shape.js";

/** A batch with every field on a line of its own, much as the Collector writes it. */
export function detailedText(signal: Signal, request: OtlpJson): string {
  const shape = signalShapes[signal];
  const lines: string[] = [];
  for (const [index, resource] of messagesOf(request, shape.resourcesKey).entries()) {
    lines.push(`${shape.resourceBlock} #${index}`);
    lines.push(`Resource SchemaURL: ${textOf(resource, "schemaUrl")}`);
    attributeLines(lines, "Resource attributes", attributesOf(messageOf(resource, "resource")), 0);
    for (const [scopeIndex, scoped] of messagesOf(resource, shape.scopesKey).entries()) {
      const scope = messageOf(scoped, "scope");
      lines.push(`${shape.scopeBlock} #${scopeIndex}`);
      lines.push(`${shape.scopeBlock} SchemaURL: ${textOf(scoped, "schemaUrl")}`);
      lines.push(
        `InstrumentationScope ${textOf(scope, "name")} ${textOf(scope, "version")}`.trimEnd(),
      );
      attributeLines(lines, "InstrumentationScope attributes", attributesOf(scope), 0);
      for (const [itemIndex, item] of messagesOf(scoped, shape.itemsKey).entries()) {
        lines.push(`${shape.itemBlock} #${itemIndex}`);
        fieldLines(lines, item, 1);
      }
    }
  }
  return lines.join("\n");
}

/** The Collector's words for fields whose JSON name says less. */
const labels: ReadonlyMap<string, string> = new Map([
  ["traceId", "Trace ID"],
  ["spanId", "ID"],
  ["parentSpanId", "Parent ID"],
  ["startTimeUnixNano", "Start time"],
  ["endTimeUnixNano", "End time"],
  ["timeUnixNano", "Timestamp"],
  ["observedTimeUnixNano", "ObservedTimestamp"],
  ["traceState", "TraceState"],
  ["schemaUrl", "SchemaURL"],
]);

function fieldLines(lines: string[], message: OtlpJson, depth: number): void {
  const indent = "    ".repeat(depth);
  for (const [key, value] of Object.entries(message)) {
    const label = labels.get(key) ?? `${key.charAt(0).toUpperCase()}${key.slice(1)}`;
    if (key === "attributes" || key === "filteredAttributes") {
      attributeLines(lines, label, value as readonly JsonKeyValue[], depth);
    } else if (key === "body") {
      lines.push(`${indent}Body: ${typedValue(value as JsonAnyValue)}`);
    } else if (Array.isArray(value) && value.some((element) => typeof element === "object")) {
      for (const [index, element] of (value as OtlpJson[]).entries()) {
        lines.push(`${indent}${label} #${index}`);
        fieldLines(lines, element, depth + 1);
      }
    } else if (Array.isArray(value)) {
      lines.push(`${indent}${label}: [${value.join(", ")}]`);
    } else if (typeof value === "object" && value !== null) {
      lines.push(`${indent}${label}:`);
      fieldLines(lines, value as OtlpJson, depth + 1);
    } else {
      lines.push(`${indent}${label}: ${scalarText(key, value)}`);
    }
  }
}

function attributeLines(
  lines: string[],
  label: string,
  attributes: readonly JsonKeyValue[],
  depth: number,
): void {
  if (attributes.length === 0) return;
  const indent = "    ".repeat(depth);
  lines.push(`${indent}${label}:`);
  for (const { key, value } of attributes) {
    lines.push(`${indent}     -> ${key ?? ""}: ${typedValue(value)}`);
  }
}

/** Nanoseconds of Unix time are shown as a person reads them, to the last digit. */
function scalarText(key: string, value: unknown): string {
  const text = String(value);
  if (!key.endsWith("UnixNano") || !/^\d{1,19}$/.test(text)) return text;
  const nanos = BigInt(text);
  const seconds = new Date(Number(nanos / 1_000_000_000n) * 1000).toISOString().slice(0, 19);
  const fraction = String(nanos % 1_000_000_000n).padStart(9, "0");
  return `${seconds.replace("T", " ")}.${fraction} +0000 UTC`;
}
