import assert from "node:assert/strict";
import { test } from "node:test";
import { Batch, PermanentError, RetryableError, type Signal } from "@inode-gateway/contract";
import {
  buildRequest,
  CapturingConsumer,
  createTestOrigin,
  createTestSettings,
  decodeRequest,
} from "@inode-gateway/testkit";
import { filterConfig } from "./config.js";
import { FilterProcessor } from "./filter-processor.js";

interface Rig {
  readonly processor: FilterProcessor;
  readonly output: CapturingConsumer;
  readonly settings: ReturnType<typeof createTestSettings>;
}

function createRig(signal: Signal, written: unknown): Rig {
  const settings = createTestSettings({ kind: "processor", id: "filter", signal });
  const output = new CapturingConsumer();
  const processor = new FilterProcessor(settings, filterConfig.parse(written), output);
  return { processor, output, settings };
}

function batchOf(signal: "traces" | "metrics" | "logs", resources: number = 2): Batch {
  const bytes = buildRequest(signal, { resources, itemsPerScope: 3 });
  return new Batch({ signal, chunks: [bytes], origin: createTestOrigin() });
}

test("drops the spans of a Resource, counts them, and passes the rest on", async () => {
  const { processor, output, settings } = createRig("traces", {
    traces: { span: ['resource.attributes["service.name"] == "checkout-0"'] },
  });
  const batch = batchOf("traces");
  await processor.consume(batch);

  assert.equal(output.itemCount, 3);
  assert.equal(output.batches[0]?.itemCount, 3);
  const text = JSON.stringify(
    decodeRequest("traces", output.batches[0]?.bytes ?? new Uint8Array()),
  );
  assert.ok(text.includes("checkout-1") && !text.includes("checkout-0"));
  assert.equal(settings.ledger.droppedItems("filtered"), 3);
  assert.equal(settings.meter.sum("otelcol_processor_filter_spans_filtered"), 3);
});

test("acknowledges a request of which everything is dropped and passes nothing on", async () => {
  for (const [signal, written] of [
    ["traces", { traces: { span: ["true"] } }],
    ["metrics", { metrics: { datapoint: ["true"] } }],
    ["metrics", { metrics: { metric: ["true"] } }],
    ["logs", { logs: { resource: ["true"] } }],
  ] as const) {
    const { processor, output, settings } = createRig(signal, written);
    await processor.consume(batchOf(signal));
    assert.equal(output.batches.length, 0);
    assert.equal(settings.ledger.droppedItems("filtered"), 6);
  }
});

test("passes the same batch on when nothing matches", async () => {
  const { processor, output } = createRig("logs", { logs: { log_record: ["false"] } });
  const batch = batchOf("logs");
  await processor.consume(batch);
  assert.equal(output.batches[0], batch);
});

test("counts nothing as dropped when the next component refuses the rest", async () => {
  const { processor, output, settings } = createRig("traces", {
    traces: { resource: ['attributes["service.name"] == "checkout-0"'] },
  });
  output.respond = () => {
    throw new RetryableError("QUEUE_FULL", "full");
  };
  await assert.rejects(processor.consume(batchOf("traces")), RetryableError);
  assert.equal(settings.ledger.droppedItems(), 0);
  assert.equal(settings.meter.sum("otelcol_processor_filter_spans_filtered"), 0);
});

test("refuses the batch for good in mode propagate, and goes on to the next condition else", async () => {
  const conditions = ["1 / 0 == 1", 'resource.attributes["service.name"] == "checkout-0"'];
  const propagating = createRig("traces", {
    error_mode: "propagate",
    traces: { span: conditions },
  });
  await assert.rejects(propagating.processor.consume(batchOf("traces")), (error) => {
    assert.ok(error instanceof PermanentError);
    assert.equal(error.message, "condition `1 / 0 == 1` failed: division by zero");
    return true;
  });
  assert.equal(propagating.output.batches.length, 0);

  for (const [mode, logs] of [
    [undefined, 1],
    ["ignore", 1],
    ["silent", 0],
  ] as const) {
    const { processor, output, settings } = createRig("traces", {
      ...(mode !== undefined && { error_mode: mode }),
      traces: { span: conditions },
    });
    await processor.consume(batchOf("traces"));
    assert.equal(output.itemCount, 3);
    assert.equal(settings.meter.sum("inode_gateway_filter_condition_errors"), 6);
    assert.equal(settings.logger.records.filter(({ level }) => level === "warn").length, logs);
  }
});

test("infers the context of a condition from its paths", async () => {
  const { processor, output, settings } = createRig("metrics", {
    metric_conditions: [
      'resource.attributes["service.name"] == "checkout-0"',
      { context: "datapoint", conditions: ["time_unix_nano < 0"] },
    ],
  });
  await processor.consume(batchOf("metrics"));
  assert.equal(output.itemCount, 3);
  assert.equal(settings.meter.sum("otelcol_processor_filter_datapoints_filtered"), 3);
});

test("keeps spans whose events are dropped, and counts the events", async () => {
  const { processor, output, settings } = createRig("traces", { traces: { spanevent: ["true"] } });
  const batch = batchOf("traces");
  const events = [...JSON.stringify(decodeRequest("traces", batch.bytes)).matchAll(/"events"/g)];
  await processor.consume(batch);
  assert.equal(output.itemCount, 6);
  assert.equal(settings.ledger.droppedItems(), 0);
  const counted = settings.meter.sum("inode_gateway_filter_span_events_filtered");
  assert.equal(counted > 0, events.length > 0);
});

test("refuses what it cannot do with the key and the column", () => {
  for (const [written, path, message] of [
    [{ traces: { span: ["nme == 1"] } }, "traces.span.0", "column 1: context `span` has no `nme`"],
    [{ metrics: { include: { match_type: "strict" } } }, "metrics.include", "the include and"],
    [{ spans: {} }, "spans", "the include and exclude form is not supported"],
    [{ profiles: {} }, "profiles", "profiles cannot be filtered"],
    [{ trace_conditions: ["name == 1"] }, "trace_conditions.0", "column 1: `name` has no context"],
    [
      { log_conditions: [{ context: "log", conditions: ["true", "body"] }] },
      "log_conditions.0.conditions.1",
      "column 1: a value alone is no condition",
    ],
    [
      { traces: { span: ["true"] }, trace_conditions: ["true"] },
      "trace_conditions",
      "cannot stand beside `traces`",
    ],
  ] as const) {
    const issues = filterConfig.safeParse(written).error?.issues ?? [];
    assert.equal(issues[0]?.path.join("."), path);
    assert.ok(issues[0]?.message.startsWith(message), issues[0]?.message);
  }
});
