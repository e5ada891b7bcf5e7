import { builtInFactories } from "@inode-gateway/components";
import type { ComponentFactory, ComponentKind, Signal } from "@inode-gateway/contract";
import { telemetryConfig } from "@inode-gateway/gateway";
import { inputSchema, type JsonSchema } from "./input-schema.js";

const sections: Readonly<Record<ComponentKind, string>> = {
  receiver: "receivers",
  processor: "processors",
  exporter: "exporters",
  connector: "connectors",
  extension: "extensions",
};

const signals: readonly Signal[] = ["traces", "metrics", "logs", "profiles"];

/**
 * JSON Schema of a gateway's configuration, for editors and for checks before a deployment.
 *
 * It accepts a file as it is written, before substitution: where a value is no text, `${...}` may
 * stand, and so may nothing (null), which is the default. Rules between keys are not in it, and
 * neither are keys written as `a::b`: `inode-gateway validate` knows all of it.
 */
export function configurationSchema(): object {
  const kinds = Object.keys(sections) as ComponentKind[];
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Configuration of inode-gateway",
    ...object({
      ...Object.fromEntries(kinds.map((kind) => [sections[kind], componentsOf(kind)])),
      service: object({
        extensions: list("Extensions to run, by their IDs; every one that is used must be here."),
        pipelines: byId(Object.fromEntries(signals.map((signal) => [signal, pipeline]))),
        telemetry: relaxed(inputSchema(telemetryConfig)),
      }),
    }),
    required: ["receivers", "exporters", "service"],
    definitions: {
      substitution: {
        description: "A reference that is substituted, or nothing, which is the default.",
        type: ["string", "null"],
        pattern: "\\$\\{",
      },
    },
  };
}

const pipeline = object({
  receivers: list("Receivers and connectors that telemetry comes from, by their IDs."),
  processors: list("Processors in the order in which telemetry passes them, by their IDs."),
  exporters: list("Exporters and connectors that telemetry goes to, by their IDs."),
});

function componentsOf(kind: ComponentKind): JsonSchema {
  const factories: readonly ComponentFactory[] = builtInFactories;
  const types = factories
    .filter((factory) => factory.kind === kind)
    .map(({ aliases = [], config, type }): [string, JsonSchema] => {
      const names = aliases.length === 0 ? type : `(?:${[type, ...aliases].join("|")})`;
      return [names, relaxed(inputSchema(config))];
    });
  return byId(Object.fromEntries(types));
}

/** A map whose keys are a type, or a type and a name behind a slash. */
function byId(schemas: Readonly<Record<string, JsonSchema>>): JsonSchema {
  const patterns = Object.entries(schemas).map(([type, schema]) => [`^${type}(/.+)?$`, schema]);
  return {
    type: ["object", "null"],
    patternProperties: Object.fromEntries(patterns) as Record<string, JsonSchema>,
    additionalProperties: false,
  };
}

function object(properties: Readonly<Record<string, JsonSchema>>): JsonSchema {
  return { type: ["object", "null"], properties, additionalProperties: false };
}

function list(description: string): JsonSchema {
  return { description, type: ["array", "null"], items: { type: "string" } };
}

/** A schema that also accepts what substitution, null and commas become the right thing of. */
function relaxed(schema: JsonSchema): JsonSchema {
  const { anyOf, description, items, properties, type, ...rest } = schema;
  const about = description === undefined ? {} : { description };
  if (properties !== undefined) {
    const inner = Object.entries(properties).map(([key, value]) => [key, relaxed(value)]);
    return { ...about, ...rest, type: ["object", "null"], properties: Object.fromEntries(inner) };
  }
  if (type === "array") {
    const list = { ...rest, type, items: relaxed(items ?? {}) };
    return { ...about, anyOf: [list, { type: ["string", "null"] }] };
  }
  const isText = type === "string" || (Array.isArray(type) && type.includes("string"));
  const isAnyText = isText && rest.enum === undefined && rest.pattern === undefined;
  if (isAnyText) return { ...about, ...rest, type: ["string", "null"] };
  const accepted = anyOf ?? (type === undefined ? [rest] : [{ type, ...rest }]);
  const kept = anyOf === undefined ? {} : rest;
  return { ...about, ...kept, anyOf: [...accepted, { $ref: "#/definitions/substitution" }] };
}
