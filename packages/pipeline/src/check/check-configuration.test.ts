import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { clientTls, formatProblem, loadConfiguration, secret } from "@inode-gateway/config";
import {
  type ComponentFactory,
  defineConnector,
  defineExporter,
  defineExtension,
  defineProcessor,
  defineReceiver,
} from "@inode-gateway/contract";
import { z } from "zod";
import { checkConfiguration } from "./check-configuration.js";
import { checkEnvironment } from "./check-environment.js";
import { redactConfiguration } from "./redact-configuration.js";

const never = () => {
  throw new Error("checking must not create anything");
};
const stability = "development";
const options = z.strictObject({
  size: z.int().min(1).default(1),
  extension: z.string().optional(),
  token: secret().optional(),
  tls: clientTls().optional(),
});
const extensions = ({ extension }: z.output<typeof options>) =>
  extension === undefined ? [] : [{ extensionId: extension, path: ["extension"] }];
const common = { stability, config: options, extensions, create: never } as const;
const telemetrySchema = z.strictObject({ level: z.enum(["none", "basic"]).default("basic") });

const factories: readonly ComponentFactory[] = [
  defineReceiver({ ...common, type: "otlp", signals: ["traces", "metrics", "logs"] }),
  defineProcessor({ ...common, type: "batch", signals: ["traces", "metrics", "logs"] }),
  defineProcessor({ ...common, type: "tail", signals: ["traces"] }),
  defineExporter({ ...common, type: "otlp_grpc", aliases: ["otlp"], signals: ["traces", "logs"] }),
  defineExporter({ ...common, type: "nop", signals: ["traces", "metrics", "logs"] }),
  defineConnector({ ...common, type: "forward", signals: ["traces", "logs"] }),
  defineConnector({
    ...common,
    type: "count",
    signals: ["traces"],
    outputSignals: () => ["metrics"],
  }),
  defineExtension({ ...common, type: "store" }),
];

async function check(yaml: string) {
  const tree = await loadConfiguration({ configs: [`yaml:${yaml}`], sets: [], environment: {} });
  return checkConfiguration(tree, factories, { telemetrySchema });
}

async function problemsOf(yaml: string): Promise<readonly string[]> {
  const result = await check(yaml);
  return "problems" in result ? result.problems.map(formatProblem) : [];
}

async function checkedOf(yaml: string) {
  const result = await check(yaml);
  if ("problems" in result) assert.fail(result.problems.map(formatProblem).join("\n"));
  return result.checked;
}

/** A whole configuration of one pipeline, with lines added or replaced below the top level. */
function withPipelines(pipelines: string, components = ""): string {
  return `
receivers: {otlp: , otlp/2: }
processors: {batch: , tail: }
exporters: {nop: , otlp_grpc: }
${components}
service:
  pipelines: ${pipelines}`;
}

suite("a good configuration", () => {
  test("is taken apart; null sections are defaults, what nobody names is left out and noted", async () => {
    const checked = await checkedOf(`
receivers: {otlp: {size: 3}, otlp/unused: }
processors: {batch: }
exporters: {otlp: , nop/unused: }
extensions: {store: , store/unused: }
service:
  extensions: [store]
  telemetry: {level: none}
  pipelines:
    traces: {receivers: [otlp], processors: [batch], exporters: [otlp]}
    logs/2: {receivers: [otlp], exporters: [otlp]}`);
    assert.deepEqual(checked.pipelines, [
      {
        id: "traces",
        signal: "traces",
        receivers: ["otlp"],
        processors: ["batch"],
        exporters: ["otlp"],
      },
      { id: "logs/2", signal: "logs", receivers: ["otlp"], processors: [], exporters: ["otlp"] },
    ]);
    assert.deepEqual([...checked.receivers.keys()], ["otlp"]);
    assert.deepEqual(checked.receivers.get("otlp")?.config, { size: 3 });
    assert.deepEqual(checked.processors.get("batch")?.config, { size: 1 });
    assert.equal(checked.exporters.get("otlp")?.factory.type, "otlp_grpc");
    assert.deepEqual([...checked.extensions.keys()], ["store"]);
    assert.deepEqual(checked.telemetry, { level: "none" });
    assert.deepEqual(checked.warnings, [
      "exporters::otlp: `otlp` is an older name of `otlp_grpc`, which should be used",
    ]);
    assert.deepEqual(checked.notes, [
      "receivers::otlp/unused: is not started, no pipeline uses it",
      "exporters::nop/unused: is not started, no pipeline uses it",
      "extensions::store/unused: is not started, `service::extensions` does not list it",
    ]);
  });

  test("a receiver or exporter that is named twice counts once, with a warning", async () => {
    const checked = await checkedOf(
      withPipelines("{traces: {receivers: [otlp, otlp], exporters: [nop, nop]}}"),
    );
    assert.deepEqual(checked.pipelines[0]?.receivers, ["otlp"]);
    assert.deepEqual(checked.pipelines[0]?.exporters, ["nop"]);
    assert.match(
      checked.warnings.join("\n"),
      /references receiver "otlp" multiple times, once counts/,
    );
  });

  test("extensions start after those they refer to", async () => {
    const checked = await checkedOf(
      withPipelines(
        "{traces: {receivers: [otlp], exporters: [nop]}}\n  extensions: [store/a, store/b, store/c]",
        "extensions: {store/a: {extension: store/c}, store/b: , store/c: {extension: store/b}}",
      ),
    );
    assert.deepEqual([...checked.extensions.keys()], ["store/b", "store/c", "store/a"]);
  });
});

suite("problems", () => {
  const pipeline = "{traces: {receivers: [otlp], exporters: [nop]}}";
  const table: readonly [string, string, readonly string[]][] = [
    ["an empty file", "", ["empty configuration file"]],
    [
      "no components, no pipelines",
      "service:",
      [
        "no receiver configuration specified in config",
        "no exporter configuration specified in config",
        "service::pipelines: service must have at least one pipeline",
      ],
    ],
    [
      "unknown keys at the top and below service",
      `${withPipelines(pipeline)}\n  pipeline: {}\nrecievers: {}`,
      [
        'unknown key "recievers", did you mean "receivers"?',
        'service: unknown key "pipeline", did you mean "pipelines"?',
      ],
    ],
    [
      "an unknown type",
      withPipelines(pipeline, "connectors: {forwrd/1: , count/: }"),
      [
        'connectors: unknown type: "forwrd" for id: "forwrd/1" (valid values: [count forward]), did you mean "forward"?',
        'connectors: in "count/" id: the part after / must not be empty',
      ],
    ],
    [
      "sections that are no maps",
      withPipelines("[]", "connectors: 5\nextensions: [store]"),
      [
        "connectors: expected a map of connectors by their IDs",
        "extensions: expected a map of extensions by their IDs",
        "service::pipelines: expected a map of pipelines by their IDs",
      ],
    ],
    [
      "faults of components that nobody uses",
      withPipelines(pipeline, "extensions: {store: {sise: 1, size: 0}}"),
      [
        "extensions::store::size: must be at least 1, is 0",
        'extensions::store: unknown key "sise", did you mean "size"?',
      ],
    ],
    [
      "references",
      withPipelines(
        "{traces: {receivers: [otpl], processors: [btch, batch, batch], exporters: [nope, batch]}}",
      ),
      [
        'service::pipelines::traces: references processor "batch" multiple times',
        'service::pipelines::traces: references receiver "otpl" which is not configured, did you mean "otlp"?',
        'service::pipelines::traces: references processor "btch" which is not configured, did you mean "batch"?',
        'service::pipelines::traces: references exporter "nope" which is not configured, did you mean "nop"?',
        'service::pipelines::traces: references exporter "batch" which is not configured',
      ],
    ],
    [
      "empty lists and unknown keys of a pipeline",
      withPipelines("{traces: , logs: {receivers: [otlp], exporter: [nop]}}"),
      [
        "service::pipelines::traces: must have at least one receiver",
        "service::pipelines::traces: must have at least one exporter",
        'service::pipelines::logs: unknown key "exporter", did you mean "exporters"?',
      ],
    ],
    [
      "signals",
      withPipelines(
        "{trace: {receivers: [otlp], exporters: [nop]}, metrics: {receivers: [otlp], processors: [tail], exporters: [otlp_grpc]}, 'logs/a b': {receivers: [otlp], exporters: [nop]}}",
      ),
      [
        'service::pipelines::trace: unknown signal "trace" (valid values: [traces metrics logs profiles]), did you mean "traces"?',
        'service::pipelines::metrics: processor "tail" does not support metrics, it supports traces',
        'service::pipelines::metrics: exporter "otlp_grpc" does not support metrics, it supports traces, logs',
        'service::pipelines: in "logs/a b" id: the name must not contain white space, control characters or symbols',
      ],
    ],
    [
      "extensions",
      withPipelines(
        `${pipeline}\n  extensions: [store, store, stor]`,
        "extensions: {store: , store/b: }\nconnectors: {forward: {extension: gone}}",
      ).replace("{nop: ,", "{nop: {extension: store/b},"),
      [
        'service::extensions: references extension "store" multiple times',
        'service::extensions: references extension "stor" which is not configured, did you mean "store"?',
        'exporters::nop::extension: references extension "store/b" which is not listed in `service::extensions`',
      ],
    ],
    [
      "an extension that is not configured, and a cycle of extensions",
      withPipelines(
        `${pipeline}\n  extensions: [store/a, store/b]`,
        "extensions: {store/a: {extension: store/b}, store/b: {extension: store/a}}",
      )
        .replace("batch: ,", "batch: {extension: x},")
        .replace("[otlp],", "[otlp], processors: [batch],"),
      [
        'processors::batch::extension: references extension "x" which is not configured',
        'extensions: cycle detected: "store/a" -> "store/b" -> "store/a"',
      ],
    ],
    [
      "the telemetry section",
      withPipelines(`${pipeline}\n  telemetry: {level: basik}`),
      [
        'service::telemetry::level: must be one of "none", "basic", is "basik", did you mean "basic"?',
      ],
    ],
  ];
  for (const [title, yaml, expected] of table) {
    test(title, async () => assert.deepEqual(await problemsOf(yaml), expected));
  }
});

suite("connectors", () => {
  test("join pipelines, also of different signals", async () => {
    const checked = await checkedOf(
      withPipelines(
        "{traces: {receivers: [otlp], exporters: [count, forward]}, traces/2: {receivers: [forward], exporters: [nop]}, metrics: {receivers: [count], exporters: [nop]}}",
        "connectors: {count: , forward: }",
      ),
    );
    assert.deepEqual([...checked.connectors.keys()], ["count", "forward"]);
  });

  const table: readonly [string, string, readonly string[]][] = [
    [
      "an ID that is an exporter or receiver too",
      withPipelines(
        "{traces: {receivers: [otlp], exporters: [nop]}}",
        "connectors: {forward: }",
      ).replace("{nop: ,", "{nop: , forward: ,"),
      [
        'exporters: unknown type: "forward" for id: "forward" (valid values: [nop otlp_grpc])',
        'connectors::forward: ambiguous ID: Found both "forward" exporter and "forward" connector. Change one of the components\' IDs to eliminate ambiguity (e.g. rename "forward" connector to "forward/connector")',
      ],
    ],
    [
      "one end missing",
      withPipelines(
        "{traces: {receivers: [otlp], exporters: [forward]}, logs: {receivers: [forward/2], exporters: [nop]}}",
        "connectors: {forward: , forward/2: }",
      ),
      [
        'connectors::forward: connector "forward" used as exporter in [traces] pipeline but not used in any supported receiver pipeline',
        'connectors::forward/2: connector "forward/2" used as receiver in [logs] pipeline but not used in any supported exporter pipeline',
      ],
    ],
    [
      "ends of signals that do not fit",
      withPipelines(
        "{traces: {receivers: [otlp], exporters: [count]}, logs: {receivers: [count], exporters: [nop]}}",
        "connectors: {count: }",
      ),
      [
        'connectors::count: connector "count" used as exporter in [traces] pipeline but not used in any supported receiver pipeline',
        'connectors::count: connector "count" used as receiver in [logs] pipeline but not used in any supported exporter pipeline',
      ],
    ],
    [
      "a pipeline that feeds itself",
      withPipelines(
        "{traces: {receivers: [otlp, forward], exporters: [forward]}}",
        "connectors: {forward: }",
      ),
      ['cycle detected: pipeline "traces" -> connector "forward" -> pipeline "traces"'],
    ],
    [
      "a longer cycle",
      withPipelines(
        "{traces/0: {receivers: [otlp], exporters: [forward]}, traces/1: {receivers: [forward, forward/3], exporters: [forward/2]}, traces/2: {receivers: [forward/2], exporters: [forward/3, nop]}}",
        "connectors: {forward: , forward/2: , forward/3: }",
      ),
      [
        'cycle detected: pipeline "traces/1" -> connector "forward/2" -> pipeline "traces/2" -> connector "forward/3" -> pipeline "traces/1"',
      ],
    ],
  ];
  for (const [title, yaml, expected] of table) {
    test(title, async () => assert.deepEqual(await problemsOf(yaml), expected));
  }
});

test("a configuration is shown without its secrets and without what nobody knows", async () => {
  const configs = [
    "yaml:{receivers: {otlp: {token: t1, size: 2}}, exporters: {otlp: {token: t2}, gone: {key: t3}}, service: {pipelines: {traces: {receivers: [otlp]}}, telemetry: {level: none, pasword: t4}}, typo: t5}",
  ];
  const tree = await loadConfiguration({ configs, sets: [], environment: {} });
  const hidden = "[REDACTED]";
  assert.deepEqual(redactConfiguration(tree, factories, telemetrySchema), {
    receivers: { otlp: { token: hidden, size: 2 } },
    exporters: { otlp: { token: hidden }, gone: { key: hidden } },
    service: {
      pipelines: { traces: { receivers: ["otlp"] } },
      telemetry: { level: "none", pasword: hidden },
    },
    typo: hidden,
  });
});

test("files that used components name are looked for, those of unused ones not", async () => {
  const configs = [
    "yaml:{receivers: {otlp: }, exporters: {nop: {tls: {ca_file: /missing/a}}, nop/2: {tls: {ca_file: /missing/b}}}, service: {pipelines: {traces: {receivers: [otlp], exporters: [nop]}}}}",
  ];
  const tree = await loadConfiguration({ configs, sets: [], environment: {} });
  const result = checkConfiguration(tree, factories, { telemetrySchema });
  assert.ok("checked" in result);
  assert.deepEqual((await checkEnvironment(tree, result.checked)).map(formatProblem), [
    "exporters::nop::tls: `ca_file` /missing/a cannot be read: there is no such file",
  ]);
});
