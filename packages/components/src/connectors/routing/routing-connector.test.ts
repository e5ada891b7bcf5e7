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
import { routingConfig } from "./config.js";
import { RoutingConnector } from "./routing-connector.js";

const ITEMS = 3;

function createRig(signal: Signal, written: unknown, names: readonly string[]) {
  const settings = createTestSettings({ kind: "connector", id: "routing", signal });
  const outputs = new Map(names.map((name) => [name, new CapturingConsumer()]));
  const connector = new RoutingConnector(settings, routingConfig.parse(written), outputs);
  const items = () => names.map((name) => outputs.get(name)?.itemCount ?? 0);
  const output = (name: string) => outputs.get(name) as CapturingConsumer;
  return { connector, settings, items, output };
}

function batchOf(signal: "traces" | "metrics" | "logs", metadata = new Map<string, string[]>()) {
  const bytes = buildRequest(signal, { resources: 3, itemsPerScope: ITEMS });
  return new Batch({ signal, chunks: [bytes], origin: createTestOrigin({ metadata }) });
}

const byResource = {
  table: [
    { condition: 'attributes["service.name"] == "checkout-0"', pipelines: ["traces/zero"] },
    {
      statement: 'route() where attributes["service.name"] == "checkout-1"',
      pipelines: ["traces/one", "traces/both"],
    },
  ],
  default_pipelines: ["traces/rest"],
};
const pipelines = ["traces/zero", "traces/one", "traces/both", "traces/rest"];

test("every Resource goes to the first route that it matches, or to the default", async () => {
  const { connector, items, output, settings } = createRig("traces", byResource, pipelines);
  await connector.start();
  await connector.consume(batchOf("traces"));
  assert.deepEqual(items(), [ITEMS, ITEMS, ITEMS, ITEMS]);
  const { bytes } = output("traces/rest").batches[0] as Batch;
  assert.ok(JSON.stringify(decodeRequest("traces", bytes)).includes("checkout-2"));
  assert.ok(!JSON.stringify(decodeRequest("traces", bytes)).includes("checkout-1"));
  assert.equal(settings.ledger.droppedItems(), 0);
});

test("a batch that goes one way as a whole is not touched", async () => {
  const table = [{ condition: 'attributes["service.name"] != nil', pipelines: ["traces/all"] }];
  const { connector, output } = createRig("traces", { table }, ["traces/all"]);
  const batch = batchOf("traces");
  await connector.consume(batch);
  assert.equal(output("traces/all").batches[0], batch);
});

test("without default pipelines the rest is dropped and counted", async () => {
  const table = [{ condition: "false", pipelines: ["traces/zero"] }];
  const { connector, items, settings } = createRig("traces", { table }, ["traces/zero"]);
  await connector.consume(batchOf("traces"));
  assert.deepEqual(items(), [0]);
  assert.equal(settings.ledger.droppedItems("no_route"), 3 * ITEMS);
});

test("copies leave what matches to the routes below", async () => {
  const [first, second] = byResource.table;
  const table = [{ condition: "true", pipelines: ["traces/both"], action: "copy" }, first, second];
  const written = { ...byResource, table };
  const { connector, items, output } = createRig("traces", written, pipelines);
  await connector.consume(batchOf("traces"));
  assert.deepEqual(items(), [ITEMS, ITEMS, 3 * ITEMS + ITEMS, ITEMS]);
  assert.equal(output("traces/both").batches.length, 1, "two parts for one pipeline are one batch");
});

test("routes by request metadata, whose names have no case", async () => {
  const table = [
    { context: "request", condition: 'request["X-Tenant"] == "acme"', pipelines: ["logs/acme"] },
    { context: "request", condition: 'request["x-tenant"] != "acme"', pipelines: ["logs/other"] },
  ];
  for (const [tenant, expected] of [
    [
      ["acme", "other"],
      [3 * ITEMS, 0],
    ],
    [
      ["other", "acme"],
      [3 * ITEMS, 0],
    ],
    [["other"], [0, 3 * ITEMS]],
    [undefined, [0, 0]],
  ] as const) {
    const { connector, items } = createRig("logs", { table }, ["logs/acme", "logs/other"]);
    const metadata = new Map(tenant === undefined ? [] : [["x-tenant", [...tenant]]]);
    await connector.consume(batchOf("logs", metadata));
    assert.deepEqual(items(), expected);
  }
});

test("routes single items and loses none", async () => {
  for (const [signal, context, condition] of [
    [
      "traces",
      "span",
      "start_time_unix_nano / 1000 / 1000 - 2 * (start_time_unix_nano / 2000000) == 0",
    ],
    ["logs", "log", "severity_number > SEVERITY_NUMBER_INFO"],
    ["metrics", "metric", 'IsMatch(name, "[0-4]$")'],
    ["metrics", "datapoint", "value_double > 0.5 or value_int > 500"],
  ] as const) {
    const names = [`${signal}/a`, `${signal}/b`];
    const { connector, items, output } = createRig(
      signal,
      { table: [{ context, condition, pipelines: [names[0]] }], default_pipelines: [names[1]] },
      names,
    );
    await connector.start();
    await connector.consume(batchOf(signal));
    const [taken = 0, left = 0] = items();
    assert.equal(taken + left, 3 * ITEMS, `${signal} ${context}`);
    for (const name of names) {
      for (const batch of output(name).batches) {
        const counted = new Batch({ signal, chunks: batch.chunks, origin: batch.origin }).itemCount;
        assert.equal(batch.itemCount, counted);
      }
    }
  }
});

test("nothing is delivered when any pipeline refuses beforehand", async () => {
  const { connector, items, output } = createRig("traces", byResource, pipelines);
  const error = new RetryableError("QUEUE_FULL", "full", { retryAfterMs: 5 });
  Object.assign(output("traces/rest"), { refusal: () => error });
  await assert.rejects(connector.consume(batchOf("traces")), error);
  assert.deepEqual(items(), [0, 0, 0, 0]);
  assert.equal(connector.refusal(batchOf("traces")), error, "a fan-out before it hears of it");
  assert.equal(connector.refusal(), undefined, "others would take what they get");
  for (const name of pipelines) Object.assign(output(name), { refusal: () => error });
  assert.equal(connector.refusal(), error);
});

test("a part that fails is the sender's error, retryable when any is", async () => {
  const { connector, output, settings } = createRig("traces", byResource, pipelines);
  output("traces/zero").respond = () => {
    throw new PermanentError("BACKEND_REJECTED", "no");
  };
  output("traces/rest").respond = () => {
    throw new RetryableError("QUEUE_FULL", "full", { retryAfterMs: 5 });
  };
  await assert.rejects(connector.consume(batchOf("traces")), {
    name: "RetryableError",
    message: 'pipeline "traces/zero": no; pipeline "traces/rest": full',
    retryAfterMs: 5,
  });
  assert.equal(settings.ledger.droppedItems(), 0);
});

test("a condition without an answer refuses the batch, or passes it on to the next route", async () => {
  const table = [{ condition: "1 / 0 == 1", pipelines: ["traces/zero"] }, ...byResource.table];
  const strict = createRig("traces", { ...byResource, table }, pipelines);
  await assert.rejects(strict.connector.consume(batchOf("traces")), PermanentError);
  const lax = createRig("traces", { ...byResource, table, error_mode: "ignore" }, pipelines);
  await lax.connector.consume(batchOf("traces"));
  assert.deepEqual(lax.items(), [ITEMS, ITEMS, ITEMS, ITEMS]);
  assert.equal(lax.settings.meter.sum("inode_gateway_routing_condition_errors"), 3);
  assert.equal(lax.settings.logger.records.filter(({ level }) => level === "warn").length, 1);
});

test("is not made with a pipeline that is not behind it, or a context of another signal", () => {
  assert.throws(() => createRig("traces", byResource, pipelines.slice(0, 3)), {
    message:
      "`default_pipelines` names the pipeline `traces/rest`, which does not have `routing` among " +
      "its receivers; behind it are `traces/zero`, `traces/one`, `traces/both`",
  });
  const table = [{ context: "log", condition: "true", pipelines: ["traces/zero"] }];
  assert.throws(() => createRig("traces", { table }, ["traces/zero"]), {
    message:
      "`table[0].context` is `log`, which traces do not have; they have `resource`, `request`, `span`",
  });
});

test("refuses a table that says nothing or cannot be understood", () => {
  const pipelinesKey = { pipelines: ["traces/a"] };
  for (const [written, path, message] of [
    [{ table: [] }, "table", "Too small"],
    [{ table: [pipelinesKey] }, "table.0", "needs exactly one of `condition` and `statement`"],
    [
      { table: [{ ...pipelinesKey, condition: "nme == 1" }] },
      "table.0.condition",
      "column 1: context `resource` has no `nme`",
    ],
    [
      { table: [{ ...pipelinesKey, statement: "delete_key(attributes)" }] },
      "table.0.statement",
      "column 1: found `delete_key`, expected `route()`",
    ],
    [
      { table: [{ ...pipelinesKey, context: "request", condition: "true" }] },
      "table.0.condition",
      'column 1: expected `request["key"] == "value"`',
    ],
    [
      { table: [{ ...pipelinesKey, condition: "true" }], match_once: true },
      "match_once",
      "was removed from the Collector in v0.120.0",
    ],
  ] as const) {
    const issues = routingConfig.safeParse(written).error?.issues ?? [];
    assert.equal(issues[0]?.path.join("."), path);
    assert.ok(issues[0]?.message.startsWith(message), issues[0]?.message);
  }
});
