import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { suite, test } from "node:test";
import { CommandRun, run } from "../command-line.rig.js";

const yaml = (text: string) => ["--config", `yaml:${text}`];
const base = [
  ...yaml("receivers::otlp::protocols::http::endpoint: 127.0.0.1:0"),
  ...yaml("exporters::nop: {}"),
  ...yaml("service::pipelines::traces: { receivers: [otlp], exporters: [nop] }"),
  ...yaml("service::telemetry::metrics::address: 127.0.0.1:0"),
];
const ready = "Everything is ready. Begin running and processing data.";

async function occupiedPort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { server, endpoint: `127.0.0.1:${address.port}` };
}

const emptySpans = JSON.stringify({
  resourceSpans: [
    {
      scopeSpans: [
        {
          spans: [
            {
              name: "x",
              traceId: "5b8efff798038103d269b633813fc60c",
              spanId: "eee19b7ec3c1b174",
            },
          ],
        },
      ],
    },
  ],
});

suite("run", () => {
  test("starts, serves, and on a signal drains and accounts for every item, exit code 0", async () => {
    const gateway = new CommandRun(base);
    await gateway.logged(ready);
    const { endpoint } = await gateway.logged("Receiving OTLP");
    const answer = await fetch(`http://${String(endpoint)}/v1/traces`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: emptySpans,
    });
    assert.equal(answer.status, 200);
    const metrics = await gateway.logged("serving metrics");
    const page = await (await fetch(`http://${String(metrics["endpoint"])}/metrics`)).text();
    assert.match(page, /^otelcol_receiver_accepted_spans\{.*\} 1$/m);
    assert.match(page, /^target_info\{.*service_name="inode-gateway".*\} 1$/m);

    gateway.signal("SIGTERM");
    const { code } = await gateway.ended;
    assert.equal(code, 0);
    const accounted = await gateway.logged("every accepted item is accounted for");
    assert.equal(accounted["accepted"], 1);
    assert.equal(accounted["delivered"], 1);
    assert.equal(gateway.log.at(-1)?.["msg"], "stopped");
    await assert.rejects(fetch(`http://${String(metrics["endpoint"])}/metrics`));
  });

  test("a second signal ends the process at once with exit code 1", async () => {
    const gateway = new CommandRun(base);
    await gateway.logged(ready);
    gateway.signal("SIGINT");
    gateway.signal("SIGINT");
    assert.deepEqual(gateway.exits, [1]);
    assert.equal((await gateway.ended).code, 0, "the first one goes on meanwhile");
  });

  test("a signal during the start stops what was started, without a word of being ready", async () => {
    const gateway = new CommandRun(base, { earlySignal: "SIGTERM" });
    assert.equal((await gateway.ended).code, 0);
    assert.equal(
      gateway.log.some(({ msg }) => msg === ready),
      false,
    );
    assert.equal(gateway.log.at(-1)?.["msg"], "stopped");
  });

  test("a port in use is named with its key and what to do, exit code 1", async (t) => {
    const { server, endpoint } = await occupiedPort();
    t.after(() => server.close());
    const receiver = await run([
      ...base,
      "--set",
      `receivers.otlp.protocols.http.endpoint=${endpoint}`,
    ]);
    assert.equal(receiver.code, 1);
    assert.match(receiver.stderr, /"msg":"the gateway cannot start"/);
    assert.match(receiver.stderr, new RegExp(`${endpoint}.*(in use|listens there)`));
    const metrics = await run([...base, "--set", `service.telemetry.metrics.address=${endpoint}`]);
    assert.equal(metrics.code, 1);
    assert.match(metrics.stderr, new RegExp(`${endpoint}.*(in use|listens there)`));
  });

  test("a wrong configuration starts nothing, exit code 2", async () => {
    const { code, stderr } = await run([...base, "--set", "receivers.otlp.protocls={}"]);
    assert.equal(code, 2);
    assert.match(stderr, /^error: receivers::otlp.*protocls.*protocols/);
  });

  test("without a metrics page nothing listens for one", async () => {
    const gateway = new CommandRun([...base, "--set", "service.telemetry.metrics.level=none"]);
    await gateway.logged(ready);
    gateway.signal("SIGTERM");
    await gateway.ended;
    assert.equal(
      gateway.log.some(({ msg }) => msg === "serving metrics"),
      false,
    );
  });
});
