import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { Batch, type Signal } from "@inode-gateway/contract";
import { jsonToProtobuf } from "@inode-gateway/otlp";
import {
  createTestBatch,
  createTestOrigin,
  createTestSettings,
  TestHost,
} from "@inode-gateway/testkit";
import { debugConfig } from "./config.js";
import { debugExporter } from "./factory.js";

const traces = {
  resourceSpans: [
    {
      schemaUrl: "https://schema/1",
      resource: {
        attributes: [
          { key: "service.name", value: { stringValue: "checkout" } },
          { key: "container.id", value: { stringValue: "4bf92f3577b3" } },
          {
            key: "ports",
            value: { arrayValue: { values: [{ intValue: "80" }, { stringValue: "x" }] } },
          },
        ],
      },
      scopeSpans: [
        {
          scope: { name: "http", version: "1.2" },
          spans: [
            {
              traceId: "0af7651916cd43dd8448eb211c80319c",
              spanId: "b7ad6b7169203331",
              name: "GET /",
              kind: 2,
              startTimeUnixNano: "1767225600123456789",
              attributes: [{ key: "http.status", value: { intValue: "200" } }],
              events: [{ name: "retry", timeUnixNano: "1767225600000000000" }],
              status: { code: 1 },
            },
          ],
        },
      ],
    },
  ],
};

async function output(signal: Signal, request: unknown, config: object): Promise<string[]> {
  const settings = createTestSettings({ id: "debug", kind: "exporter", signal });
  const exporter = debugExporter.create(settings, debugConfig.parse(config));
  await exporter.start(new TestHost());
  const bytes = jsonToProtobuf(signal, Buffer.from(JSON.stringify(request)));
  await exporter.consume(new Batch({ signal, chunks: [bytes], origin: createTestOrigin() }));
  return settings.logger.records.map(({ fields, message }) =>
    Object.keys(fields).length === 0 ? message : `${message} ${JSON.stringify(fields)}`,
  );
}

suite("debug", () => {
  test("basic writes counts", async () => {
    assert.deepEqual(await output("traces", traces, {}), ['Traces {"resource spans":1,"spans":1}']);
  });

  test("normal writes a line for each resource, scope and span, container.id first", async () => {
    const lines = (await output("traces", traces, { verbosity: "normal" }))[1]?.split("\n");
    assert.deepEqual(lines, [
      'ResourceTraces #0 [https://schema/1] container.id=4bf92f3577b3 service.name=checkout ports=[80,"x"]',
      "ScopeTraces #0 http@1.2",
      "GET / 0af7651916cd43dd8448eb211c80319c b7ad6b7169203331 http.status=200",
    ]);
  });

  test("normal writes log bodies and one line for each data point", async () => {
    const logs = {
      resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: { stringValue: "hello" } }] }] }],
    };
    assert.deepEqual((await output("logs", logs, { verbosity: "normal" }))[1]?.split("\n"), [
      "ResourceLog #0",
      "ScopeLog #0",
      "hello",
    ]);
    const point = { attributes: [{ key: "cpu", value: { intValue: "0" } }], asDouble: 0.5 };
    const metrics = [
      { name: "load", gauge: { dataPoints: [point] } },
      { name: "size", histogram: { dataPoints: [{ count: "3", sum: 6 }] } },
    ];
    const request = { resourceMetrics: [{ scopeMetrics: [{ metrics }] }] };
    const lines = (await output("metrics", request, { verbosity: "normal" }))[1]?.split("\n");
    assert.deepEqual(lines?.slice(2), ["load{cpu=0} 0.5", "size{} count=3 sum=6"]);
  });

  test("detailed writes every field with its type", async () => {
    const text = (await output("traces", traces, { verbosity: "detailed" }))[1] ?? "";
    assert.deepEqual(text.split("\n"), [
      "ResourceSpans #0",
      "Resource SchemaURL: https://schema/1",
      "Resource attributes:",
      "     -> service.name: Str(checkout)",
      "     -> container.id: Str(4bf92f3577b3)",
      '     -> ports: Slice([80,"x"])',
      "ScopeSpans #0",
      "ScopeSpans SchemaURL: ",
      "InstrumentationScope http 1.2",
      "Span #0",
      "    Trace ID: 0af7651916cd43dd8448eb211c80319c",
      "    ID: b7ad6b7169203331",
      "    Name: GET /",
      "    Kind: 2",
      "    Start time: 2026-01-01 00:00:00.123456789 +0000 UTC",
      "    Attributes:",
      "         -> http.status: Int(200)",
      "    Events #0",
      "        Name: retry",
      "        Timestamp: 2026-01-01 00:00:00.000000000 +0000 UTC",
      "    Status:",
      "        Code: 1",
    ]);
  });

  for (const signal of ["traces", "metrics", "logs", "profiles"] as const) {
    test(`counts ${signal} as sent, at every verbosity`, async () => {
      for (const verbosity of ["basic", "normal", "detailed"]) {
        const settings = createTestSettings({ id: "debug", kind: "exporter", signal });
        const exporter = debugExporter.create(settings, debugConfig.parse({ verbosity }));
        await exporter.start(new TestHost());
        await exporter.consume(createTestBatch({ signal, itemCount: 3 }));
        const items = {
          traces: "spans",
          metrics: "metric_points",
          logs: "log_records",
          profiles: "profile_samples",
        };
        assert.equal(settings.meter.sum(`otelcol_exporter_sent_${items[signal]}`), 3);
      }
    });
  }

  test("writes the first batches of a second, then every n-th", async () => {
    const settings = createTestSettings({ id: "debug", kind: "exporter", signal: "traces" });
    const config = debugConfig.parse({ sampling_initial: 2, sampling_thereafter: 3 });
    const exporter = debugExporter.create(settings, config);
    await exporter.start(new TestHost());
    const written: number[] = [];
    for (let index = 1; index <= 9; index++) {
      const before = settings.logger.records.length;
      await exporter.consume(createTestBatch());
      if (settings.logger.records.length > before) written.push(index);
    }
    assert.deepEqual(written, [1, 2, 5, 8]);
    settings.clock.advance(1_000);
    const before = settings.logger.records.length;
    await exporter.consume(createTestBatch());
    assert.equal(settings.logger.records.length, before + 1);
  });

  test("cuts what would make a log line longer than 1 MiB", async () => {
    const body = { stringValue: "x".repeat(1_100_000) };
    const logs = { resourceLogs: [{ scopeLogs: [{ logRecords: [{ body }] }] }] };
    const text = (await output("logs", logs, { verbosity: "normal" }))[1] ?? "";
    assert.match(text.slice(-60), /\n\.\.\. \d+ more characters were left out$/);
    assert.ok(text.length < 1_048_700);
  });
});

test("has no queue unless one is written, and then refers to its storage", async () => {
  assert.equal(debugConfig.parse({}).sending_queue, undefined);
  for (const [written, isPersistent] of [
    [{}, false],
    [{ storage: "file_storage" }, true],
  ] as const) {
    const config = debugConfig.parse({ sending_queue: written });
    assert.equal(config.sending_queue?.queue_size, 1000);
    assert.equal(debugExporter.exclusive?.(config), isPersistent);
    assert.equal(debugExporter.extensions?.(config).length, isPersistent ? 1 : 0);
  }
  const settings = createTestSettings({ id: "debug", kind: "exporter", signal: "traces" });
  const config = debugConfig.parse({ sending_queue: { batch: {} } });
  const exporter = debugExporter.create(settings, config);
  await exporter.start(new TestHost());
  await exporter.consume(createTestBatch({ itemCount: 3 }));
  assert.equal(settings.ledger.heldItems, 3);
  await exporter.shutdown(settings.clock.nowMs() + 1_000);
  assert.equal(settings.ledger.heldItems, 0);
  assert.equal(settings.meter.sum("otelcol_exporter_sent_spans"), 3);
});

test("a Collector's `use_internal_logger` loads; writing to files is refused", () => {
  assert.equal(debugConfig.safeParse({ use_internal_logger: true }).success, true);
  const { error } = debugConfig.safeParse({ use_internal_logger: false });
  assert.equal(
    error?.issues[0]?.message,
    "must be true: what arrives is written to the log of the process, not to files",
  );
});
