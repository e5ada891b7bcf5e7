import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { suite, type TestContext, test } from "node:test";
import { CommandRun, writeFile } from "../command-line.rig.js";
import { isLoopback } from "./reload-page.js";

const ready = "Everything is ready. Begin running and processing data.";

interface Parts {
  readonly level?: string;
  readonly encoding?: string;
  readonly exporter?: string;
  readonly metrics?: string;
}

function document({ encoding = "json", exporter = "nop", level = "info", metrics }: Parts = {}) {
  return `
receivers: { otlp: { protocols: { http: { endpoint: "127.0.0.1:0" } } } }
exporters: { ${exporter}: {} }
service:
  pipelines: { traces: { receivers: [otlp], exporters: [${exporter}] } }
  telemetry:
    logs: { level: ${level}, encoding: ${encoding} }
    metrics: { address: "${metrics ?? "127.0.0.1:0"}" }
`;
}

/** A gateway that runs from a file, and the ways to change it. */
async function startFromFile(t: TestContext, parts: Parts = {}) {
  const path = writeFile(t, "gateway.yaml", document(parts));
  const gateway = new CommandRun(["--config", path]);
  t.after(async () => {
    gateway.signal("SIGTERM");
    await gateway.ended;
  });
  await gateway.logged(ready);
  const { endpoint } = await gateway.logged("serving metrics");
  const url = `http://${String(endpoint)}`;
  return {
    gateway,
    write: (text: string) => writeFileSync(path, text),
    post: async (init: RequestInit = {}) => {
      const answer = await fetch(`${url}/-/reload`, { method: "POST", ...init });
      return { status: answer.status, text: await answer.text() };
    },
    metric: async (line: string) => {
      const page = await (await fetch(`${url}/metrics`)).text();
      return Number(
        page
          .split("\n")
          .find((each) => each.startsWith(`${line} `))
          ?.split(" ")[1],
      );
    },
  };
}

suite("reload", () => {
  test("a changed file is put into force by POST, an equal one is told to be unchanged", async (t) => {
    const { gateway, metric, post, write } = await startFromFile(t);
    const timestamp = "inode_gateway_configuration_reload_timestamp_seconds";
    const startedAt = await metric(timestamp);
    assert.ok(Math.abs(startedAt - Date.now() / 1_000) < 30, `${startedAt}`);
    assert.deepEqual(await post(), { status: 200, text: "nothing has changed\n" });
    write(document({ exporter: "debug" }));
    assert.deepEqual(await post(), {
      status: 200,
      text: "the new configuration is in force\n",
    });
    const line = await gateway.logged("the new configuration is in force");
    assert.deepEqual(line["started"], ['exporter "debug" for traces']);
    assert.deepEqual(line["stopped"], ['exporter "nop" for traces']);
    assert.equal(await metric('inode_gateway_configuration_reloads{outcome="applied"}'), 1);
    assert.equal(await metric('inode_gateway_configuration_reloads{outcome="unchanged"}'), 1);
    assert.ok((await metric(timestamp)) >= startedAt);
  });

  test("a wrong file changes nothing: 400 with every problem, an error in the log, counted", async (t) => {
    const { gateway, metric, post, write } = await startFromFile(t);
    write(document().replace("otlp: {", "otlp: { protocls: 1,").replace("level: info", "level: x"));
    const { status, text } = await post();
    assert.equal(status, 400);
    assert.match(
      text,
      /^receivers::otlp: unknown key "protocls".*\nservice::telemetry::logs::level/,
    );
    write("{");
    assert.equal((await post()).status, 400);
    write(document({ level: `"$${"{env:UNSET_LEVEL}"}x"` }));
    assert.match((await post()).text, /UNSET_LEVEL/, "the likely reason is told too");
    const line = await gateway.logged("the new configuration is wrong, the old one goes on");
    assert.equal(line["level"], "error");
    assert.equal(await metric('inode_gateway_configuration_reloads{outcome="invalid"}'), 3);
    write(document());
    assert.deepEqual(await post(), { status: 200, text: "nothing has changed\n" });
  });

  test("a component that cannot start is named, and the old configuration goes on", async (t) => {
    const { gateway, post, write } = await startFromFile(t);
    const { endpoint } = await gateway.logged("serving metrics");
    const taken = document().replace("127.0.0.1:0", String(endpoint));
    write(taken);
    const { status, text } = await post();
    assert.equal(status, 500);
    assert.match(text, /cannot start receiver "otlp": .*listens there|in use/);
    const line = await gateway.logged("the new configuration failed, the old one goes on");
    assert.equal(line["component"], 'receiver "otlp"');
    const addresses = gateway.log.filter(({ msg }) => msg === "Receiving OTLP");
    const restored = String(addresses.at(-1)?.["endpoint"]);
    const answer = await fetch(`http://${restored}/v1/traces`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{}",
    });
    assert.equal(answer.status, 200);
  });

  test("SIGHUP does the same; the log level changes at once, the rest is told to need a restart", async (t) => {
    const { gateway, post, write } = await startFromFile(t);
    write(document({ encoding: "console", level: "warn" }));
    gateway.signal("SIGHUP");
    const line = await gateway.logged("part of the configuration takes effect after a restart");
    assert.deepEqual(line["keys"], ["service::telemetry::logs::encoding"]);
    assert.equal((await gateway.logged("the log level changes"))["to"], "warn");
    const before = gateway.log.length;
    const { text } = await post();
    assert.match(text, /^nothing has changed\nservice::telemetry::logs::encoding: takes effect/);
    assert.equal(
      gateway.log.slice(before).some(({ level }) => level === "info"),
      false,
    );
    write(document({ level: "info" }));
    assert.match((await post()).text, /^nothing has changed\nthe log level is info\n$/);
  });

  test("requests that come together are answered by one reload that began after them", async (t) => {
    const { metric, post, write } = await startFromFile(t);
    const first = post();
    write(document({ exporter: "debug" }));
    const answers = await Promise.all([first, post(), post(), post(), post()]);
    assert.ok(answers.every(({ status }) => status === 200));
    const applied = await metric('inode_gateway_configuration_reloads{outcome="applied"}');
    const unchanged = await metric('inode_gateway_configuration_reloads{outcome="unchanged"}');
    assert.equal(applied, 1);
    assert.ok((unchanged || 0) <= 4);
  });

  test("only POST reloads, and not for a web page", async (t) => {
    const { post } = await startFromFile(t);
    assert.equal((await post({ method: "GET" })).status, 405);
    assert.equal((await post({ headers: { origin: "https://example.com" } })).status, 403);
  });

  test("on an address that others reach the page is not there", async (t) => {
    const { gateway } = await startFromFile(t, { metrics: "0.0.0.0:0" });
    const { endpoint } = await gateway.logged("serving metrics");
    const port = String(endpoint).split(":").at(-1);
    const answer = await fetch(`http://127.0.0.1:${port}/-/reload`, { method: "POST" });
    assert.equal(answer.status, 404);
    assert.match(await answer.text(), /send SIGHUP/);
  });
});

test("loopback is 127.0.0.0/8 and ::1, nothing else", () => {
  for (const endpoint of ["127.0.0.1:1", "127.255.255.254:1", "[::1]:8888"]) {
    assert.equal(isLoopback(endpoint), true, endpoint);
  }
  const own = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ family, internal }) => family === "IPv4" && !internal)
    .map(({ address }) => `${address}:1`);
  for (const endpoint of ["0.0.0.0:1", "[::]:1", "128.0.0.1:1", "[fe80::1]:1", ...own]) {
    assert.equal(isLoopback(endpoint), false, endpoint);
  }
});
