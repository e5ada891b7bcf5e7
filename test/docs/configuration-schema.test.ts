import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { parse } from "yaml";
import { z } from "zod";
import { readText } from "./repository.js";

// The draft is one that zod knows; its types do not say so of text that was read.
type JsonSchemaInput = Parameters<typeof z.fromJSONSchema>[0];
const schema = z.fromJSONSchema(
  JSON.parse(readText("docs/configuration.schema.json")) as JsonSchemaInput,
);

/** The smallest configuration there is, with one place changed. */
function configuration(change: string): unknown {
  const base = {
    receivers: { otlp: { protocols: { grpc: null } } },
    exporters: { nop: null },
    service: { pipelines: { traces: { receivers: ["otlp"], exporters: ["nop"] } } },
  };
  return { ...base, ...(parse(change) as object) };
}

suite("docs/configuration.schema.json", () => {
  for (const path of ["configs/gateway.yaml", "configs/standalone.yaml"]) {
    test(`accepts ${path}`, () => {
      assert.ok(schema.safeParse(parse(readText(path))).success);
    });
  }

  for (const [what, change] of [
    ["no change", "{}"],
    ["a section without keys", "extensions:"],
    ["a name behind a type", "exporters: { nop/2: {}, debug/a: {} }"],
    ["an older name of a type", "exporters: { otlp/a: { endpoint: 'b:1' }, otlphttp: {} }"],
    ["a reference for a number", `processors: { batch: { send_batch_size: "$\{env:N:-5}" } }`],
    ["a reference for a duration", `processors: { batch: { timeout: "$\{env:N}" } }`],
    ["a duration and a zero", "processors: { batch: { timeout: 1s }, batch/b: { timeout: 0 } }"],
    ["text with commas for a list", "processors: { batch: { metadata_keys: 'a,b' } }"],
    ["headers as a map", "exporters: { otlp_http: { headers: { a: b } } }"],
    ["headers as a list", "exporters: { otlp_http: { headers: [{ name: a, value: b }] } }"],
  ] as const) {
    test(`accepts ${what}`, () => {
      assert.ok(schema.safeParse(configuration(change)).success);
    });
  }

  for (const [what, change] of [
    ["an unknown section", "recievers: {}"],
    ["an unknown type", "exporters: { otlp_gprc: {} }"],
    ["a type without a name behind its slash", "exporters: { nop/: {} }"],
    ["an unknown key", "processors: { batch: { timout: 1s } }"],
    [
      "an unknown key deep inside",
      "receivers: { otlp: { protocols: { grpc: { tls: { ca: x } } } } }",
    ],
    ["a number without a unit", "processors: { batch: { timeout: 5 } }"],
    ["a number out of range", "processors: { batch: { num_consumers: 0 } }"],
    ["text for a number", "processors: { batch: { send_batch_size: many } }"],
    ["a value of another set", "exporters: { debug: { verbosity: loud } }"],
    ["an unknown signal", "service: { pipelines: { trace: {} } }"],
    ["an unknown key of a pipeline", "service: { pipelines: { traces: { exporter: [nop] } } }"],
    ["an unknown key of telemetry", "service: { telemetry: { log: {} } }"],
  ] as const) {
    test(`refuses ${what}`, () => {
      assert.equal(schema.safeParse(configuration(change)).success, false);
    });
  }
});
