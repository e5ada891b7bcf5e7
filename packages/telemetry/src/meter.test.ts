import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import type { MetricDefinition } from "@inode-gateway/contract";
import {
  createMeter,
  maxSeriesPerMetric,
  processMetrics,
  registerProcessMetrics,
  startMetricsServer,
} from "./index.js";

const accepted: MetricDefinition = {
  name: "otelcol_receiver_accepted_spans",
  help: "Spans taken.",
  kind: "counter",
  labels: ["receiver", "transport"],
};
const size: MetricDefinition = {
  name: "otelcol_exporter_queue_size",
  help: "Queue size.",
  kind: "gauge",
  labels: ["exporter"],
};

const where = { endpoint: "127.0.0.1:0", endpointKey: "metrics::endpoint" };

test("counters keep their exact name and count together across instances", async () => {
  const meter = createMeter();
  meter.counter(accepted, { receiver: "otlp", transport: "grpc" }).add(3);
  meter.counter(accepted, { receiver: "otlp", transport: "grpc" }).add(4);
  meter.counter(accepted, { receiver: "otlp", transport: "http" }).add(1);
  const { body } = await meter.page();
  assert.match(body, /^# TYPE otelcol_receiver_accepted_spans counter$/m);
  assert.match(body, /^otelcol_receiver_accepted_spans\{receiver="otlp",transport="grpc"\} 7$/m);
  assert.match(body, /^otelcol_receiver_accepted_spans\{receiver="otlp",transport="http"\} 1$/m);
  assert.equal((await meter.page()).body, body, "reading the page changes nothing");
});

test("observers are read with the page and add up until they end", async () => {
  const meter = createMeter();
  let queued = 5;
  const end = meter.observe(size, { exporter: "nop" }, () => queued);
  meter.observe(size, { exporter: "nop" }, () => 10);
  assert.match((await meter.page()).body, /queue_size\{exporter="nop"\} 15$/m);
  queued = 6;
  assert.match((await meter.page()).body, /queue_size\{exporter="nop"\} 16$/m);
  end();
  assert.match((await meter.page()).body, /queue_size\{exporter="nop"\} 10$/m);
});

test("histograms use the definition's buckets", async () => {
  const meter = createMeter();
  const latency = meter.histogram({
    name: "latency_ms",
    help: "Latency.",
    kind: "histogram",
    labels: [],
    buckets: [1, 10],
  });
  latency.record(5);
  const { body } = await meter.page();
  assert.match(body, /latency_ms_bucket\{le="1"\} 0/);
  assert.match(body, /latency_ms_bucket\{le="10"\} 1/);
});

test("labels must be exactly the definition's, and the kind must fit", () => {
  const meter = createMeter();
  assert.throws(() => meter.counter(accepted, { receiver: "otlp" }), {
    message:
      "metric otelcol_receiver_accepted_spans has the labels [receiver, transport], not [receiver]",
  });
  assert.throws(() => meter.gauge(accepted, {}), /is a counter, not a gauge/);
});

test("a metric takes its last label set and refuses one more", () => {
  const meter = createMeter();
  for (let index = 0; index < maxSeriesPerMetric; index++) {
    meter.gauge(size, { exporter: `nop/${index}` });
  }
  assert.throws(() => meter.gauge(size, { exporter: "one too many" }), RangeError);
  assert.doesNotThrow(() => meter.gauge(size, { exporter: "nop/0" }));
});

test("process metrics carry the prefix and real values", async () => {
  const meter = createMeter();
  registerProcessMetrics(meter, { prefix: "otelcol" });
  const { body } = await meter.page();
  for (const { name } of processMetrics({ prefix: "otelcol" })) {
    const value = new RegExp(`^${name} (\\S+)$`, "m").exec(body)?.[1];
    assert.ok(Number(value) > 0, `${name} is ${value}`);
  }
});

test("the page is served at /metrics only, for GET and HEAD only", async (t) => {
  const meter = createMeter();
  meter.counter(accepted, { receiver: "otlp", transport: "grpc" }).add(2);
  const server = await startMetricsServer({ ...where, meter });
  t.after(() => server.close());

  const page = await fetch(`http://${server.address}/metrics`);
  assert.equal(page.status, 200);
  assert.match(page.headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/);
  assert.match(await page.text(), /otelcol_receiver_accepted_spans/);
  assert.equal((await fetch(`http://${server.address}/`)).status, 404);
  const post = await fetch(`http://${server.address}/metrics`, { method: "POST" });
  assert.equal(post.status, 405);
  assert.equal(post.headers.get("allow"), "GET, HEAD");
});

test("a port in use is an error that names the endpoint and what to do", async (t) => {
  const server = await startMetricsServer({ ...where, meter: createMeter() });
  t.after(() => server.close());
  await assert.rejects(
    startMetricsServer({ ...where, endpoint: server.address, meter: createMeter() }),
    (error: Error) => {
      assert.equal((error as NodeJS.ErrnoException).code, "EADDRINUSE");
      assert.equal(
        error.message,
        `metrics page cannot listen on ${server.address}: another process listens there; stop it (\`ss -ltnp\` names it), or set another \`metrics::endpoint\``,
      );
      return true;
    },
  );
});

test("an endpoint that is no host:port is refused by name", async () => {
  for (const endpoint of ["8888", "localhost", "localhost:65536", "localhost:x"]) {
    await assert.rejects(startMetricsServer({ ...where, endpoint, meter: createMeter() }), {
      message: `endpoint "${endpoint}" is not host:port, such as localhost:8888`,
    });
  }
});

test("close ends open connections and may be called twice", async () => {
  const server = await startMetricsServer({ ...where, meter: createMeter() });
  const port = Number(server.address.split(":").at(-1));
  const socket = connect(port, "127.0.0.1");
  const ended = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  await new Promise<void>((resolve) => socket.once("connect", () => resolve()));
  socket.on("error", () => undefined);
  await server.close();
  await ended;
  await server.close();
});

test("a snapshot has every series, and of a histogram what each bucket holds by itself", async () => {
  const meter = createMeter({ counterSuffix: "_total", constantLabels: { zone: "a" } });
  const labels = ["signal"];
  meter.counter({ name: "c", help: "C.", kind: "counter", labels }, { signal: "logs" }).add(3);
  meter.observe({ name: "g", help: "G.", kind: "gauge", labels: [] }, {}, () => 7);
  const sizes = { name: "h", help: "H.", kind: "histogram", labels, buckets: [1, 10] } as const;
  for (const value of [0.5, 1, 2, 100]) meter.histogram(sizes, { signal: "logs" }).record(value);

  assert.deepEqual(await meter.snapshot(), [
    { name: "c", help: "C.", kind: "counter", points: [{ labels: { signal: "logs" }, value: 3 }] },
    { name: "g", help: "G.", kind: "gauge", points: [{ labels: {}, value: 7 }] },
    {
      name: "h",
      help: "H.",
      kind: "histogram",
      points: [
        {
          labels: { signal: "logs" },
          value: 103.5,
          count: 4,
          buckets: [
            { bound: 1, count: 2 },
            { bound: 10, count: 1 },
            { bound: Number.POSITIVE_INFINITY, count: 1 },
          ],
        },
      ],
    },
  ]);
  const { body } = await meter.page();
  assert.match(body, /^c_total\{signal="logs",zone="a"\} 3$/m);
  assert.match(body, /^g\{zone="a"\} 7$/m);
});
