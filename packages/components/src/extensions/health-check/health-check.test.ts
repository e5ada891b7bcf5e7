import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { get } from "node:https";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, type TestContext, test } from "node:test";
import {
  createTestSettings,
  FakeClock,
  runLifecycleSuite,
  TestHost,
  waitUntil,
} from "@inode-gateway/testkit";
import { PAGE_CONNECTIONS_MAX } from "../../transport/page-server.js";
import { healthCheckConfig } from "./config.js";
import { healthCheck } from "./factory.js";
import { HealthCheck } from "./health-check.js";

async function startCheck(context: TestContext, config: Record<string, unknown> = {}) {
  const clock = new FakeClock();
  const settings = createTestSettings({ id: "health_check", kind: "extension", clock });
  const written = { endpoint: "127.0.0.1:0", ...config };
  const check = new HealthCheck(settings, healthCheckConfig.parse(written));
  const host = new TestHost();
  await check.start(host);
  context.after(async () => {
    const stopped = check.shutdown(clock.nowMs() + 1_000);
    clock.advance(1_000);
    await stopped;
  });
  const probe = async (path = "/") => {
    const answer = await fetch(`http://${check.address}${path}`, {
      headers: { connection: "close" },
    });
    const { headers, status } = answer;
    return { status, type: headers.get("content-type"), body: await answer.text() };
  };
  return { check, clock, host, probe, settings };
}

const notAvailable = {
  status: 503,
  type: "application/json",
  body: '{"status":"Server not available","upSince":"0001-01-01T00:00:00Z","uptime":""}',
};

suite("health_check", () => {
  test("answers as the Collector does before, while and after everything runs", async (context) => {
    const { check, clock, probe, settings } = await startCheck(context);
    assert.deepEqual(await probe(), notAvailable);

    clock.advance(500);
    check.ready();
    clock.advance(63_250);
    assert.deepEqual(await probe(), {
      status: 200,
      type: "application/json",
      body: '{"status":"Server available","upSince":"2026-01-01T00:00:00.5Z","uptime":"1m3.25s"}',
    });

    check.notReady();
    assert.deepEqual(await probe(), notAvailable);
    const probes = (status: string) =>
      settings.meter.sum("inode_gateway_health_check_probes", { status });
    assert.deepEqual([probes("200"), probes("503")], [1, 2]);
  });

  test("answers every path below /, and exactly the configured one otherwise", async (context) => {
    const root = await startCheck(context);
    assert.equal((await root.probe("/anything?x=1")).status, 503);
    const one = await startCheck(context, { path: "/healthz" });
    assert.equal((await one.probe("/healthz")).status, 503);
    assert.equal((await one.probe("/healthz?verbose")).status, 503);
    assert.deepEqual(await one.probe("/healthz/more"), {
      status: 404,
      type: "text/plain; charset=utf-8",
      body: "404 page not found\n",
    });
    const folder = await startCheck(context, { path: "/health/" });
    assert.equal((await folder.probe("/health/live")).status, 503);
    assert.equal((await folder.probe("/health")).status, 404);
  });

  test("answers the configured bodies", async (context) => {
    const response_body = { healthy: "I'm OK", unhealthy: "I'm not well" };
    const { check, probe } = await startCheck(context, { response_body });
    assert.deepEqual(await probe(), { ...notAvailable, body: "I'm not well" });
    check.ready();
    assert.equal((await probe()).body, "I'm OK");
  });

  test("verbose names every component, its state and the reason", async (context) => {
    const { check, host, probe } = await startCheck(context);
    check.ready();
    host.statuses = [
      {
        kind: "extension",
        id: "redis_registry",
        state: "recoverable_error",
        reason: "Redis is away",
        sinceUnixMs: Date.UTC(2026, 0, 1),
      },
      { kind: "processor", id: "batch", pipeline: "traces", state: "ok", sinceUnixMs: 0 },
    ];
    const { body, status } = await probe("/?verbose");
    assert.equal(status, 200);
    assert.deepEqual(JSON.parse(body), {
      status: "Server available",
      upSince: "2026-01-01T00:00:00Z",
      uptime: "0s",
      components: [
        {
          kind: "extension",
          id: "redis_registry",
          state: "recoverable_error",
          reason: "Redis is away",
          since: "2026-01-01T00:00:00.000Z",
        },
        {
          kind: "processor",
          id: "batch",
          pipeline: "traces",
          state: "ok",
          since: "1970-01-01T00:00:00.000Z",
        },
      ],
    });
  });

  test("a port in use is an error that names the key and what to do", async (context) => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    context.after(() => server.close());
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    await assert.rejects(startCheck(context, { endpoint: `127.0.0.1:${port}` }), {
      code: "EADDRINUSE",
      message: new RegExp(
        `cannot listen on \`endpoint\` 127\\.0\\.0\\.1:${port}: .*another process`,
      ),
    });
  });

  test("closes connections beyond the limit and answers those within", async (context) => {
    const { check } = await startCheck(context);
    const [host = "", port = ""] = (check.address ?? "").split(":");
    const sockets = Array.from({ length: PAGE_CONNECTIONS_MAX }, () => connect(Number(port), host));
    context.after(() => {
      for (const socket of sockets) socket.destroy();
    });
    await Promise.all(sockets.map((socket) => once(socket, "connect")));
    const extra = connect(Number(port), host);
    extra.on("error", () => undefined);
    extra.resume();
    await once(extra, "close");
    const last = sockets.at(-1);
    last?.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    const [answer] = await once(last ?? extra, "data");
    assert.match(String(answer), /^HTTP\/1\.1 503 /);
  });

  test("answers over TLS with the configured certificate", async (context) => {
    const folder = mkdtempSync(join(tmpdir(), "health-check-"));
    context.after(() => rmSync(folder, { recursive: true, force: true }));
    const key_file = join(folder, "key.pem");
    const cert_file = join(folder, "cert.pem");
    const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"];
    const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    const files = ["-keyout", key_file, "-out", cert_file];
    execFileSync("openssl", ["req", "-x509", ...kind, ...subject, ...files], { stdio: "ignore" });
    const tls = { key_file, cert_file, reload_interval: "1s" };
    const { check, clock, settings } = await startCheck(context, { tls });
    const probeTrusting = async (ca: Buffer) => {
      const request = get(`https://${check.address}/`, { ca, agent: false });
      const [response] = await once(request, "response");
      response.resume();
      assert.equal(response.statusCode, 503);
      await once(response, "end");
    };
    const before = readFileSync(cert_file);
    await probeTrusting(before);
    execFileSync("openssl", ["req", "-x509", ...kind, ...subject, ...files], { stdio: "ignore" });
    clock.advance(1_000);
    await waitUntil(
      () => settings.meter.sum("inode_gateway_tls_reloads", { outcome: "success" }) === 1,
    );
    await probeTrusting(readFileSync(cert_file));
    await assert.rejects(probeTrusting(before));
  });

  test("a Collector's file with all keys of the extension loads", () => {
    const config = {
      endpoint: "0.0.0.0:13133",
      path: "/health/status",
      response_body: { healthy: "yes" },
      check_collector_pipeline: { enabled: true, interval: "5m", exporter_failure_threshold: 5 },
    };
    assert.equal(healthCheckConfig.parse(config).endpoint, "0.0.0.0:13133");
    assert.equal(healthCheckConfig.parse({}).endpoint, "localhost:13133");
    const { error } = healthCheckConfig.safeParse({ endpoint: "localhost", path: "health" });
    assert.deepEqual(
      error?.issues.map(({ message, path }) => `${path.join()} ${message}`),
      [
        'endpoint has no port: "localhost", expected host:port',
        "path must begin with / and be a plain URL path",
      ],
    );
  });
});

runLifecycleSuite(healthCheck, { config: { endpoint: "127.0.0.1:0" } });
