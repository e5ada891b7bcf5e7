import type { Signal } from "@inode-gateway/contract";
import {
  attributesOf,
  type JsonAnyValue,
  type JsonKeyValue,
  messageOf,
  messagesOf,
  type OtlpJson,
  plainValue,
  textOf,
} from "./otlp-json.js";
import { signalShapes } from "./signal-shape.js";

/** A batch with one line for each resource, scope and item, much as the Collector writes it. */
export function normalText(signal: Signal, request: OtlpJson): string {
  const shape = signalShapes[signal];
  const lines: string[] = [];
  for (const [index, resource] of messagesOf(request, shape.resourcesKey).entries()) {
    const pairs = pairsOf(containerFirst(attributesOf(messageOf(resource, "resource"))));
    lines.push(joinWords([`${shape.resourceLine} #${index}`, schemaOf(resource), ...pairs]));
    for (const [scopeIndex, scoped] of messagesOf(resource, shape.scopesKey).entries()) {
      const scope = messageOf(scoped, "scope");
      const version = textOf(scope, "version");
      const name = `${textOf(scope, "name")}${version === "" ? "" : `@${version}`}`;
      const words = [`${shape.scopeLine} #${scopeIndex}`, name, schemaOf(scoped)];
      lines.push(joinWords([...words, ...pairsOf(attributesOf(scope))]));
      for (const item of messagesOf(scoped, shape.itemsKey)) lines.push(...itemLines(signal, item));
    }
  }
  return lines.join("\n");
}

function itemLines(signal: Signal, item: OtlpJson): readonly string[] {
  switch (signal) {
    case "traces": {
      const ids = [textOf(item, "name"), textOf(item, "traceId"), textOf(item, "spanId")];
      return [joinWords([...ids, ...pairsOf(attributesOf(item))])];
    }
    case "logs": {
      const body = plainValue(messageOf(item, "body") as JsonAnyValue);
      return [joinWords([body, ...pairsOf(attributesOf(item))])];
    }
    case "metrics":
      return pointLines(item);
    case "profiles": {
      const samples = messagesOf(item, "sample").length + messagesOf(item, "samples").length;
      return [joinWords([textOf(item, "profileId"), `samples=${samples}`])];
    }
  }
}

const pointKinds = ["gauge", "sum", "histogram", "exponentialHistogram", "summary"] as const;

function pointLines(metric: OtlpJson): readonly string[] {
  const name = textOf(metric, "name");
  const lines: string[] = [];
  for (const kind of pointKinds) {
    for (const point of messagesOf(messageOf(metric, kind), "dataPoints")) {
      const attributes = pairsOf(attributesOf(point)).join(",");
      lines.push(joinWords([`${name}{${attributes}}`, pointValue(point)]));
    }
  }
  return lines;
}

function pointValue(point: OtlpJson): string {
  const number = textOf(point, "asInt") || textOf(point, "asDouble");
  if (number !== "") return number;
  const words = ["count", "sum", "min", "max"].map((key) => [key, textOf(point, key)] as const);
  return words
    .filter(([, value]) => value !== "")
    .map(([key, value]) => `${key}=${value}`)
    .join(" ");
}

/** The answer this gateway exists for comes first, wherever it stands on the wire. */
function containerFirst(attributes: readonly JsonKeyValue[]): readonly JsonKeyValue[] {
  const isAnswer = ({ key }: JsonKeyValue) => key === "container.id";
  return [...attributes.filter(isAnswer), ...attributes.filter((pair) => !isAnswer(pair))];
}

function pairsOf(attributes: readonly JsonKeyValue[]): readonly string[] {
  return attributes.map(({ key, value }) => `${key ?? ""}=${plainValue(value)}`);
}

function schemaOf(parent: OtlpJson): string {
  const url = textOf(parent, "schemaUrl");
  return url === "" ? "" : `[${url}]`;
}

function joinWords(words: readonly string[]): string {
  return words.filter((word) => word !== "").join(" ");
}
