import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { gunzipSync, inflateSync } from "node:zlib";
import { Batch, PermanentError, RetryableError } from "@inode-gateway/contract";
import { encodeResponse, encodeResponseJson, protobufToJson } from "@inode-gateway/otlp";
import { buildRequest, createTestBatch, createTestOrigin } from "@inode-gateway/testkit";
import { CertificateAuthority } from "../grpc/certificates.js";
import { HttpBackend } from "./backends.js";
import { startHttpExporter } from "./exporter-fixture.js";

const paths = {
  traces: "/v1/traces",
  metrics: "/v1/metrics",
  logs: "/v1/logs",
  profiles: "/v1development/profiles",
} as const;

suite("otlp_http sends", () => {
  for (const signal of ["traces", "metrics", "logs", "profiles"] as const) {
    test(`${signal} as protobuf with gzip, as the Collector does`, async (t) => {
      const backend = await HttpBackend.start(t);
      const { count, exporter } = await startHttpExporter(
        t,
        { endpoint: `${backend.url}/` },
        signal,
      );
      const batch = createTestBatch({ signal, itemCount: 5 });
      await exporter.consume(batch);
      const [seen] = backend.requests;
      assert.equal(seen?.method, "POST");
      assert.equal(seen?.url, paths[signal]);
      assert.equal(seen?.headers["content-type"], "application/x-protobuf");
      assert.equal(seen?.headers["content-encoding"], "gzip");
      assert.equal(seen?.headers["user-agent"], "inode-gateway/0.0.0-test");
      assert.deepEqual(gunzipSync(seen?.body ?? Buffer.of()), Buffer.from(batch.bytes));
      const items = {
        traces: "spans",
        metrics: "metric_points",
        logs: "log_records",
        profiles: "profile_samples",
      };
      assert.equal(count(`otelcol_exporter_sent_${items[signal]}`), 5);
    });

    test(`${signal} as JSON without compression`, async (t) => {
      const backend = await HttpBackend.start(t);
      const config = { endpoint: backend.url, encoding: "json", compression: "none" };
      const { exporter } = await startHttpExporter(t, config, signal);
      const batch = createTestBatch({ signal, itemCount: 5 });
      await exporter.consume(batch);
      const [seen] = backend.requests;
      assert.equal(seen?.headers["content-type"], "application/json");
      assert.equal(seen?.headers["content-encoding"], undefined);
      assert.deepEqual(seen?.body, Buffer.from(protobufToJson(signal, batch.bytes)));
    });
  }

  for (const [compression, undo] of [
    ["gzip", gunzipSync],
    ["zlib", inflateSync],
    ["deflate", inflateSync],
    ["none", (body: Buffer) => body],
  ] as const) {
    // Scenario: 220 kB is compressed in a thread and written chunk by chunk when it is not.
    test(`several large chunks as one body with compression ${compression}`, async (t) => {
      const backend = await HttpBackend.start(t);
      const { exporter } = await startHttpExporter(t, { endpoint: backend.url, compression });
      const bytes = buildRequest("traces", { itemsPerScope: 500 });
      const chunks = [bytes.subarray(0, 1), bytes.subarray(1, 100_000), bytes.subarray(100_000)];
      await exporter.consume(new Batch({ signal: "traces", chunks, origin: createTestOrigin() }));
      const [seen] = backend.requests;
      assert.equal(Number(seen?.headers["content-length"]), seen?.body.byteLength);
      assert.equal(seen?.headers["transfer-encoding"], undefined);
      assert.deepEqual(undo(seen?.body ?? Buffer.of()), Buffer.from(bytes));
    });
  }

  test("a signal to its own endpoint, literally", async (t) => {
    const backend = await HttpBackend.start(t);
    const config = {
      endpoint: "http://127.0.0.1:1",
      logs_endpoint: `${backend.url}/in?tenant=blue`,
      headers: { "X-Tenant": "blue" },
    };
    const { exporter } = await startHttpExporter(t, config, "logs");
    await exporter.consume(createTestBatch({ signal: "logs" }));
    assert.equal(backend.requests[0]?.url, "/in?tenant=blue");
    assert.equal(backend.requests[0]?.headers["x-tenant"], "blue");
  });

  test("many requests over one connection, unless told otherwise", async (t) => {
    const backend = await HttpBackend.start(t);
    const ports = () => new Set(backend.requests.map(({ clientPort }) => clientPort)).size;
    const kept = await startHttpExporter(t, { endpoint: backend.url });
    for (let index = 0; index < 5; index++) await kept.exporter.consume(createTestBatch());
    // undici may open a second one where a request comes in the very moment an answer ends.
    assert.ok(ports() <= 2, `${ports()} connections`);
    backend.requests.length = 0;
    const own = await startHttpExporter(t, { endpoint: backend.url, disable_keep_alives: true });
    for (let index = 0; index < 5; index++) await own.exporter.consume(createTestBatch());
    assert.equal(ports(), 5);
  });

  test("over at most max_conns_per_host connections", async (t) => {
    const backend = await HttpBackend.start(t);
    const { exporter } = await startHttpExporter(t, {
      endpoint: backend.url,
      max_conns_per_host: 2,
    });
    await Promise.all(Array.from({ length: 10 }, () => exporter.consume(createTestBatch())));
    assert.equal(backend.requests.length, 10);
    assert.ok(new Set(backend.requests.map(({ clientPort }) => clientPort)).size <= 2);
  });

  test("over TLS with a certificate of its own", async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "otlp-exporter-"));
    t.after(() => rm(folder, { recursive: true }));
    const authority = await CertificateAuthority.create(folder, "ca");
    const pair = await authority.issue("server", "DNS:localhost,IP:127.0.0.1");
    const client = await authority.issue("client", "DNS:client");
    const files = { ca: authority.cert, cert: client.cert, key: client.key };
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    const backend = await HttpBackend.start(t, { ...pair, ca: authority.cert, requestCert: true });
    const tls = {
      ca_file: join(folder, "ca"),
      cert_file: join(folder, "cert"),
      key_file: join(folder, "key"),
    };
    const trusting = await startHttpExporter(t, { endpoint: backend.url, tls });
    await trusting.exporter.consume(createTestBatch());
    assert.equal(backend.requests.length, 1);
    const distrustful = await startHttpExporter(t, { endpoint: backend.url });
    await assert.rejects(distrustful.exporter.consume(createTestBatch()), (error: Error) => {
      assert.ok(error instanceof RetryableError);
      assert.match(error.message, /^cannot send to https:.*certificate/);
      return true;
    });
  });
});

suite("otlp_http fails", () => {
  test("with BACKEND_UNAVAILABLE while the backend is away", async (t) => {
    const backend = await HttpBackend.start(t);
    const { exporter } = await startHttpExporter(t, { endpoint: backend.url });
    backend.stop();
    await assert.rejects(exporter.consume(createTestBatch()), (error: RetryableError) => {
      assert.equal(error.code, "BACKEND_UNAVAILABLE");
      assert.match(error.message, /^cannot send to http:.*ECONNREFUSED/);
      return true;
    });
  });

  test("with DEADLINE_EXCEEDED after its timeout", async (t) => {
    const backend = await HttpBackend.start(t);
    backend.answer = () => new Promise(() => undefined);
    const { exporter } = await startHttpExporter(t, { endpoint: backend.url, timeout: "100ms" });
    await assert.rejects(exporter.consume(createTestBatch()), { code: "DEADLINE_EXCEEDED" });
  });

  for (const [what, contentType, body] of [
    ["protobuf", "application/x-protobuf", "nonsense"],
    ["JSON", "application/json", "{"],
  ] as const) {
    test(`for good when a 2xx carries broken ${what}`, async (t) => {
      const backend = await HttpBackend.start(t);
      backend.answer = () => ({ headers: { "content-type": contentType }, body });
      const { exporter } = await startHttpExporter(t, { endpoint: backend.url });
      await assert.rejects(exporter.consume(createTestBatch()), PermanentError);
    });
  }

  test("never for a 2xx whose body is of another kind", async (t) => {
    const backend = await HttpBackend.start(t);
    backend.answer = () => ({ status: 202, headers: { "content-type": "text/html" }, body: "<p>" });
    const { exporter } = await startHttpExporter(t, { endpoint: backend.url });
    await exporter.consume(createTestBatch());
  });

  test("for good on a redirect, and names its target", async (t) => {
    const backend = await HttpBackend.start(t);
    backend.answer = () => ({ status: 301, headers: { location: "https://new/" } });
    const { exporter } = await startHttpExporter(t, { endpoint: backend.url });
    await assert.rejects(exporter.consume(createTestBatch()), (error: Error) => {
      assert.ok(error instanceof PermanentError);
      assert.match(error.message, /answered 301, redirects to https:\/\/new\/ are not followed$/);
      return true;
    });
  });

  test("reads at most 64 KiB of an answer", async (t) => {
    const backend = await HttpBackend.start(t);
    backend.answer = () => ({ status: 400, body: Buffer.alloc(50_000_000, "x") });
    const { exporter } = await startHttpExporter(t, { endpoint: backend.url });
    const before = process.memoryUsage().rss;
    await assert.rejects(exporter.consume(createTestBatch()), PermanentError);
    assert.ok(process.memoryUsage().rss - before < 150_000_000);
  });

  test("never for a batch that is only too large: it is halved until it fits", async (t) => {
    const backend = await HttpBackend.start(t);
    backend.answer = ({ body }) => ({ status: body.byteLength > 60_000 ? 413 : 200 });
    const config = { endpoint: backend.url, compression: "none" };
    const { count, exporter, settings } = await startHttpExporter(t, config);
    const bytes = buildRequest("traces", { itemsPerScope: 500 });
    await exporter.consume(
      new Batch({ signal: "traces", chunks: [bytes], origin: createTestOrigin() }),
    );
    assert.equal(count("otelcol_exporter_sent_spans"), 500);
    assert.equal(settings.ledger.droppedItems(), 0);
  });
});

suite("otlp_http and partial_success", () => {
  for (const [what, contentType, encode] of [
    ["protobuf", "application/x-protobuf", encodeResponse],
    ["JSON", "application/json; charset=utf-8", encodeResponseJson],
  ] as const) {
    test(`counts what was rejected according to ${what}`, async (t) => {
      const backend = await HttpBackend.start(t);
      backend.answer = () => ({
        headers: { "content-type": contentType },
        body: encode("logs", { rejectedItems: 2, errorMessage: "too old" }),
      });
      const { count, exporter, settings } = await startHttpExporter(
        t,
        { endpoint: backend.url },
        "logs",
      );
      await exporter.consume(createTestBatch({ signal: "logs", itemCount: 5 }));
      assert.equal(count("otelcol_exporter_sent_log_records"), 3);
      assert.deepEqual(settings.ledger.dropReasons, { backend_partial_success: 2 });
    });
  }
});
