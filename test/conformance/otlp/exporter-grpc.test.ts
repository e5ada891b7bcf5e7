import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { ServerCredentials } from "@grpc/grpc-js";
import { Batch, PermanentError, RetryableError } from "@inode-gateway/contract";
import { encodeResponse } from "@inode-gateway/otlp";
import { buildRequest, createTestBatch, createTestOrigin, waitUntil } from "@inode-gateway/testkit";
import { CertificateAuthority } from "../grpc/certificates.js";
import { GrpcBackend } from "./backends.js";
import { startGrpcExporter } from "./exporter-fixture.js";
import { exportPaths } from "./grpc-client.js";

const plain = { insecure: true };
const userAgent = /^inode-gateway\/0\.0\.0-test/;

suite("otlp_grpc sends", () => {
  for (const signal of ["traces", "metrics", "logs", "profiles"] as const) {
    test(`${signal} byte by byte to their own method`, async (t) => {
      const backend = await GrpcBackend.start(t);
      const { count, exporter } = await startGrpcExporter(
        t,
        { endpoint: backend.endpoint, tls: plain },
        signal,
      );
      const batch = createTestBatch({ signal, itemCount: 5 });
      await exporter.consume(batch);
      assert.equal(backend.calls[0]?.path, exportPaths[signal]);
      assert.deepEqual(backend.calls[0]?.message, Buffer.from(batch.bytes));
      const items = {
        traces: "spans",
        metrics: "metric_points",
        logs: "log_records",
        profiles: "profile_samples",
      };
      assert.equal(count(`otelcol_exporter_sent_${items[signal]}`), 5);
      assert.match(String(backend.calls[0]?.metadata.get("user-agent")[0]), userAgent);
    });
  }

  test("several chunks as one message, with gzip and without", async (t) => {
    const backend = await GrpcBackend.start(t);
    const bytes = buildRequest("traces", { itemsPerScope: 500 });
    const chunks = [bytes.subarray(0, 1), bytes.subarray(1, 100_000), bytes.subarray(100_000)];
    const batch = new Batch({ signal: "traces", chunks, origin: createTestOrigin() });
    for (const compression of ["gzip", "none"]) {
      const { exporter } = await startGrpcExporter(t, {
        endpoint: backend.endpoint,
        tls: plain,
        compression,
      });
      await exporter.consume(batch);
    }
    for (const { message } of backend.calls) assert.deepEqual(message, Buffer.from(bytes));
    assert.equal(backend.calls.length, 2);
  });

  test("its headers and user agent", async (t) => {
    const backend = await GrpcBackend.start(t);
    const { exporter } = await startGrpcExporter(t, {
      endpoint: `http://${backend.endpoint}`,
      headers: { "X-Tenant": "blue" },
      user_agent: "mine/1",
    });
    await exporter.consume(createTestBatch());
    assert.deepEqual(backend.calls[0]?.metadata.get("x-tenant"), ["blue"]);
    assert.match(String(backend.calls[0]?.metadata.get("user-agent")[0]), /^mine\/1/);
  });

  test("over TLS, which `http://` turns off and `https://` on", async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "otlp-exporter-"));
    t.after(() => rm(folder, { recursive: true }));
    const authority = await CertificateAuthority.create(folder, "ca");
    const { cert, key } = await authority.issue("server", "DNS:localhost,IP:127.0.0.1");
    await writeFile(join(folder, "ca.pem"), authority.cert);
    const pair = { cert_chain: Buffer.from(cert), private_key: Buffer.from(key) };
    const backend = await GrpcBackend.start(t, {
      credentials: ServerCredentials.createSsl(null, [pair]),
    });
    const tls = { ca_file: join(folder, "ca.pem") };
    for (const config of [
      { endpoint: backend.endpoint, tls },
      { endpoint: `https://${backend.endpoint}`, tls: { ...tls, insecure: true } },
      { endpoint: backend.endpoint, tls: { insecure_skip_verify: true } },
    ]) {
      await (await startGrpcExporter(t, config)).exporter.consume(createTestBatch());
    }
    assert.equal(backend.calls.length, 3);
    const distrustful = await startGrpcExporter(t, { endpoint: backend.endpoint });
    await assert.rejects(distrustful.exporter.consume(createTestBatch()), RetryableError);
    assert.equal(backend.calls.length, 3);
  });
});

suite("otlp_grpc fails", () => {
  test("with BACKEND_UNAVAILABLE while the backend is away, and recovers by itself", async (t) => {
    const first = await GrpcBackend.start(t);
    const config = { endpoint: first.endpoint, tls: plain, timeout: "2s" };
    const { exporter, settings } = await startGrpcExporter(t, config);
    await exporter.consume(createTestBatch());
    first.stop();
    await assert.rejects(exporter.consume(createTestBatch()), (error: RetryableError) => {
      assert.ok(error instanceof RetryableError);
      assert.equal(error.code, "BACKEND_UNAVAILABLE");
      // No backend said anything: connecting failed, or what was connected went away.
      assert.ok([undefined, 14].includes(error.backendStatus?.grpcCode), error.message);
      return true;
    });
    assert.deepEqual(
      settings.states.map(({ state }) => state),
      ["recoverable_error"],
    );
  });

  test("with DEADLINE_EXCEEDED after its timeout or the sender's deadline, whichever is first", async (t) => {
    const backend = await GrpcBackend.start(t);
    backend.answer = () => new Promise(() => undefined);
    const config = { endpoint: backend.endpoint, tls: plain };
    const own = await startGrpcExporter(t, { ...config, timeout: "100ms" });
    const sendersOwn = await startGrpcExporter(t, { ...config, timeout: "10s" });
    const startMs = performance.now();
    await assert.rejects(own.exporter.consume(createTestBatch()), { code: "DEADLINE_EXCEEDED" });
    const hurried = createTestBatch({ origin: { deadlineMs: performance.now() + 100 } });
    await assert.rejects(sendersOwn.exporter.consume(hurried), { code: "DEADLINE_EXCEEDED" });
    assert.ok(performance.now() - startMs < 3_000);
    const late = createTestBatch({ origin: { deadlineMs: performance.now() - 1 } });
    await assert.rejects(sendersOwn.exporter.consume(late), { code: "DEADLINE_EXCEEDED" });
    assert.equal(backend.calls.length, 2, "what is late already is not sent");
  });

  test("for good when the answer is no OTLP response", async (t) => {
    const backend = await GrpcBackend.start(t);
    backend.answer = () => ({ response: Buffer.from([0x0a, 0x05, 0x01]) });
    const { exporter } = await startGrpcExporter(t, { endpoint: backend.endpoint, tls: plain });
    await assert.rejects(exporter.consume(createTestBatch()), (error: PermanentError) => {
      assert.ok(error instanceof PermanentError);
      assert.match(error.message, /3 bytes that are no OTLP response$/);
      return true;
    });
  });

  test("never for a batch that is only too large: it is halved until it fits", async (t) => {
    const backend = await GrpcBackend.start(t, { maxBytes: 60_000 });
    const { count, exporter, settings } = await startGrpcExporter(t, {
      endpoint: backend.endpoint,
      tls: plain,
    });
    const bytes = buildRequest("traces", { itemsPerScope: 500 });
    const batch = new Batch({ signal: "traces", chunks: [bytes], origin: createTestOrigin() });
    await exporter.consume(batch);
    assert.equal(backend.calls.length, 4);
    assert.equal(count("otelcol_exporter_sent_spans"), 500);
    assert.equal(count("otelcol_exporter_send_failed_spans"), 0);
    assert.equal(settings.ledger.droppedItems(), 0);
  });
});

suite("otlp_grpc and partial_success", () => {
  test("counts what was rejected, says why, and does not send it again", async (t) => {
    const backend = await GrpcBackend.start(t);
    backend.answer = () => ({
      response: encodeResponse("traces", { rejectedItems: 2, errorMessage: "too old" }),
    });
    const { count, exporter, settings } = await startGrpcExporter(t, {
      endpoint: backend.endpoint,
      tls: plain,
    });
    await exporter.consume(createTestBatch({ itemCount: 5 }));
    assert.equal(backend.calls.length, 1);
    assert.equal(count("otelcol_exporter_sent_spans"), 3);
    assert.equal(count("otelcol_exporter_send_failed_spans"), 2);
    assert.equal(count("inode_gateway_exporter_partial_success_rejected_items"), 2);
    assert.deepEqual(settings.ledger.dropReasons, { backend_partial_success: 2 });
    const warning = settings.logger.records.find(({ level }) => level === "warn");
    assert.equal(warning?.message, "Partial success response");
    assert.equal(warning?.fields["message"], "too old");
  });

  test("takes a message without rejected items for a warning", async (t) => {
    const backend = await GrpcBackend.start(t);
    backend.answer = () => ({
      response: encodeResponse("traces", { rejectedItems: 0, errorMessage: "use v2" }),
    });
    const { count, exporter, settings } = await startGrpcExporter(t, {
      endpoint: backend.endpoint,
      tls: plain,
    });
    await exporter.consume(createTestBatch({ itemCount: 5 }));
    assert.equal(count("otelcol_exporter_sent_spans"), 5);
    assert.equal(settings.ledger.droppedItems(), 0);
    assert.deepEqual(settings.logger.messages("warn"), ["Partial success response"]);
  });
});

suite("otlp_grpc connects", () => {
  test("before the first batch", async (t) => {
    const backend = await GrpcBackend.start(t);
    const { settings } = await startGrpcExporter(t, { endpoint: backend.endpoint, tls: plain });
    assert.equal(settings.states.length, 0);
    await waitUntil(async () => (await connectionsTo(backend.endpoint)) > 0);
  });
});

async function connectionsTo(endpoint: string): Promise<number> {
  const { readFile } = await import("node:fs/promises");
  const port = Number(endpoint.split(":")[1]).toString(16).toUpperCase().padStart(4, "0");
  const table = await readFile("/proc/net/tcp", "utf8");
  // Column 2 is the remote address, column 3 the state; 01 is ESTABLISHED.
  return table.split("\n").filter((line) => new RegExp(`0100007F:${port} 01`).test(line)).length;
}
