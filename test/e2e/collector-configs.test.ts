import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite, type TestContext, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { credentials, ServerCredentials } from "@grpc/grpc-js";
import { buildRequest, decodeRequest, itemsOfRequest, waitUntil } from "@inode-gateway/testkit";
import { Agent } from "undici";
import { CertificateAuthority } from "../conformance/grpc/certificates.js";
import { GrpcBackend, HttpBackend } from "../conformance/otlp/backends.js";
import { exportPaths, PlainGrpcClient } from "../conformance/otlp/grpc-client.js";
import { send } from "../conformance/otlp/http-client.js";
import { Executable, rootFolder } from "./executable.js";
import { metricSum, temporaryFolder } from "./running-gateway.js";

const folder = join(rootFolder, "test/configs/collector");

/** Ports that are free, and the address that the Collector's files ask the environment for. */
const freePorts = {
  MY_POD_IP: "127.0.0.1",
  OTLP_GRPC_PORT: "0",
  OTLP_HTTP_PORT: "0",
  METRICS_PORT: "0",
};

type Environment = Readonly<Record<string, string>>;

/** The executable with one of the files, as it is, and nothing but an environment. */
async function start(t: TestContext, file: string, environment: Environment) {
  const all = { ...freePorts, ...environment };
  const process = new Executable("inode-gateway", ["--config", join(folder, file)], all);
  t.after(() => process.end());
  await process.logged(({ msg }) => msg.startsWith("Everything is ready"), "readiness");
  const endpoint = (fits: string, field: "msg" | "transport") =>
    String(process.log().find((line) => line[field] === fits)?.["endpoint"]);
  const metricsPage = endpoint("serving metrics", "msg");
  return {
    process,
    endpoint,
    grpc: endpoint("grpc", "transport"),
    http: endpoint("http", "transport"),
    readMetrics: async () => (await fetch(`http://${metricsPage}/metrics`)).text(),
  };
}

const threeSignals = ["traces", "metrics", "logs"] as const;

type SentSignal = (typeof threeSignals)[number];

/** One request of a signal, with two items of one Resource. */
function requestOf(signal: SentSignal, attributes: Environment = {}): Uint8Array {
  return buildRequest(signal, {
    itemsPerScope: 2,
    resourceAttributes: () => ({ "service.name": "checkout", ...attributes }),
  });
}

/** Every item that a gRPC backend was given, as text. */
function itemsAt(backend: GrpcBackend, signal: SentSignal): string[] {
  return backend.calls
    .filter(({ path }) => path === exportPaths[signal])
    .flatMap(({ message }) => itemsOfRequest(signal, message))
    .sort();
}

/** The items of requests that were sent, twice each: over gRPC and over HTTP. */
const sentTwice = (signal: SentSignal, request = requestOf(signal)) =>
  [...itemsOfRequest(signal, request), ...itemsOfRequest(signal, request)].sort();

/** Sends one request over gRPC and over HTTP, both acknowledged. */
async function sendBoth(
  t: TestContext,
  { grpc, http }: { readonly grpc: string; readonly http: string },
  signal: SentSignal,
  headers: Environment = {},
): Promise<void> {
  const client = new PlainGrpcClient(t, grpc);
  const called = await client.call(exportPaths[signal], requestOf(signal), { metadata: headers });
  assert.equal(called.code, 0, called.message);
  const type = { "content-type": "application/x-protobuf" };
  const url = `http://${http}/v1/${signal}`;
  const answer = await send(url, requestOf(signal), { headers: { ...type, ...headers } });
  assert.equal(answer.status, 200);
}

suite("configuration files of the Collector run unchanged", () => {
  test("a plain gateway: batch, two exporters, health_check, pprof, zpages", async (t) => {
    const backend = await GrpcBackend.start(t);
    const gateway = await start(t, "gateway.yaml", {
      BACKEND_ENDPOINT: backend.endpoint,
      ...{ HEALTH_PORT: "0", PPROF_PORT: "0", ZPAGES_PORT: "0" },
    });
    for (const signal of threeSignals) await sendBoth(t, gateway, signal);
    for (const signal of threeSignals) {
      await waitUntil(() => itemsAt(backend, signal).length === 4, { limitMs: 10_000 });
      assert.deepEqual(itemsAt(backend, signal), sentTwice(signal));
    }
    const health = await fetch(`http://${gateway.endpoint("answering health checks", "msg")}/`);
    assert.equal(health.status, 200);
    const pages = gateway.endpoint("serving status pages", "msg");
    const pipelines = await (await fetch(`http://${pages}/debug/pipelinez`)).text();
    for (const signal of threeSignals) assert.ok(pipelines.includes(`<h2>${signal}</h2>`));
    assert.ok(pipelines.includes("<td>4</td><td>4</td><td>0</td><td>0</td>"), pipelines);
    const profiles = gateway.endpoint("serving profiles", "msg");
    const profile = await fetch(`http://${profiles}/debug/pprof/profile?seconds=1`);
    assert.ok("nodes" in ((await profile.json()) as object));
    const page = await gateway.readMetrics();
    assert.equal(metricSum(page, "otelcol_exporter_sent_spans", { exporter: "debug" }), 4);
    assert.equal(await gateway.process.stop(), 0, gateway.process.stderr);
  });

  // Scenario: senders show one token over TLS, the gateway shows the backend another one over TLS.
  test("TLS and bearertokenauth, at the receiver and at the exporter", async (t) => {
    const certificates = temporaryFolder(t);
    const authority = await CertificateAuthority.create(certificates, "authority");
    const server = await authority.issue("server", "DNS:localhost,IP:127.0.0.1");
    writeFileSync(join(certificates, "ca.pem"), authority.cert);
    writeFileSync(join(certificates, "server.pem"), server.cert);
    writeFileSync(join(certificates, "server-key.pem"), server.key);
    writeFileSync(join(certificates, "token"), "backend-token");
    const pair = { cert_chain: Buffer.from(server.cert), private_key: Buffer.from(server.key) };
    const backend = await GrpcBackend.start(t, {
      credentials: ServerCredentials.createSsl(null, [pair]),
    });
    const gateway = await start(t, "tls-bearer.yaml", {
      BACKEND_ENDPOINT: backend.endpoint.replace("127.0.0.1", "localhost"),
      CERT_FOLDER: certificates,
      SENDER_TOKEN: "sender-token",
      TOKEN_FILE: join(certificates, "token"),
    });
    const ca = Buffer.from(authority.cert);
    const client = new PlainGrpcClient(
      t,
      gateway.grpc.replace("127.0.0.1", "localhost"),
      {},
      credentials.createSsl(ca),
    );
    const dispatcher = new Agent({ connect: { ca: authority.cert } });
    t.after(() => dispatcher.close());
    const sendWith = async (authorization: string) => {
      const metadata = { authorization };
      const call = await client.call(exportPaths.logs, requestOf("logs"), { metadata });
      const headers = { "content-type": "application/x-protobuf", authorization };
      const url = `https://${gateway.http}/v1/traces`;
      const { status } = await send(url, requestOf("traces"), { dispatcher, headers });
      return [call.code, status];
    };
    assert.deepEqual(await sendWith("Bearer sender-token"), [0, 200]);
    assert.deepEqual(await sendWith("Bearer backend-token"), [16, 401]);
    await waitUntil(() => backend.calls.length === 2, { limitMs: 10_000 });
    assert.deepEqual(itemsAt(backend, "logs"), itemsOfRequest("logs", requestOf("logs")));
    assert.deepEqual(itemsAt(backend, "traces"), itemsOfRequest("traces", requestOf("traces")));
    for (const { metadata } of backend.calls) {
      assert.deepEqual(metadata.get("authorization"), ["Bearer backend-token"]);
    }
    assert.equal(await gateway.process.stop(), 0, gateway.process.stderr);
    assert.ok(!gateway.process.stderr.includes("-token"), "no token is logged");
  });

  test("memory_limiter, resource and batch", async (t) => {
    const backend = await GrpcBackend.start(t);
    const gateway = await start(t, "limits.yaml", { BACKEND_ENDPOINT: backend.endpoint });
    for (const signal of threeSignals) {
      await sendBoth(t, gateway, signal, { "x-tenant": "tenant-7" });
      await waitUntil(() => itemsAt(backend, signal).length === 4, { limitMs: 10_000 });
    }
    const attributes = backend.calls.flatMap(({ message, path }) => {
      const signal = threeSignals.find((each) => exportPaths[each] === path) ?? "traces";
      return Object.values(decodeRequest(signal, message)).flatMap(resourceAttributes);
    });
    assert.equal(attributes.length, 6, "one Resource for each request");
    // `from_context` reads HTTP headers: only that protocol has `include_metadata` in this file.
    const tenants = attributes.map(({ tenant }) => tenant).sort();
    assert.deepEqual(tenants, [
      "tenant-7",
      "tenant-7",
      "tenant-7",
      undefined,
      undefined,
      undefined,
    ]);
    for (const each of attributes) {
      assert.equal(each["service.name"], "checkout");
      assert.equal(each["k8s.cluster.name"], "cluster-1");
    }
    assert.deepEqual(backend.calls[0]?.metadata.get("x-gateway"), ["gateway-1"]);
    const page = await gateway.readMetrics();
    const accepted = "otelcol_processor_memory_limiter_accepted_spans";
    assert.equal(metricSum(page, accepted, { processor: "memory_limiter" }), 4);
    assert.match(page, /^target_info\{.*service_namespace="gateways".*\} 1$/m);
    assert.ok(gateway.process.log().every(({ cluster }) => cluster === "cluster-1"));
    assert.equal(await gateway.process.stop(), 0, gateway.process.stderr);
  });

  // Scenario: both destinations refuse, the process is killed, starts again, and both take what comes.
  test("queues on disk before two exporters survive a kill", async (t) => {
    const grpcBackend = await GrpcBackend.start(t);
    const httpBackend = await HttpBackend.start(t);
    const takes = { grpc: grpcBackend.answer, http: httpBackend.answer };
    grpcBackend.answer = () => ({ code: 14, message: "not now" });
    httpBackend.answer = () => ({ status: 503 });
    const environment = {
      BACKEND_ENDPOINT: grpcBackend.endpoint,
      BACKEND_URL: httpBackend.url,
      STORAGE_FOLDER: temporaryFolder(t),
    };
    const first = await start(t, "persistent-queue.yaml", environment);
    for (const signal of threeSignals) await sendBoth(t, first, signal);
    await first.process.end();
    grpcBackend.calls.length = 0;
    httpBackend.requests.length = 0;
    grpcBackend.answer = takes.grpc;
    httpBackend.answer = takes.http;
    const second = await start(t, "persistent-queue.yaml", environment);
    const itemsOverHttp = (signal: SentSignal) =>
      httpBackend.requests
        .filter(({ url }) => url === `/v1/${signal}`)
        .flatMap(({ body }) => itemsOfRequest(signal, gunzipSync(body)))
        .sort();
    for (const signal of threeSignals) {
      const wanted = sentTwice(signal);
      await waitUntil(() => itemsAt(grpcBackend, signal).length === wanted.length, {
        limitMs: 10_000,
      });
      await waitUntil(() => itemsOverHttp(signal).length === wanted.length, { limitMs: 10_000 });
      assert.deepEqual(itemsAt(grpcBackend, signal), wanted);
      assert.deepEqual(itemsOverHttp(signal), wanted);
    }
    assert.equal(await second.process.stop(), 0, second.process.stderr);
  });
});

interface WrittenResource {
  readonly resource: {
    readonly attributes: readonly { readonly key: string; readonly value: object }[];
  };
}

/** The attributes of each Resource of a decoded request, as text. */
function resourceAttributes(groups: unknown): Record<string, string | undefined>[] {
  return (groups as readonly WrittenResource[]).map(({ resource }) =>
    Object.fromEntries(
      resource.attributes.map(({ key, value }) => [key, String(Object.values(value)[0])]),
    ),
  );
}
