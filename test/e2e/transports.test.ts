import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite, type TestContext, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { credentials, ServerCredentials } from "@grpc/grpc-js";
import { decodeRequest, waitUntil } from "@inode-gateway/testkit";
import { Agent } from "undici";
import { CertificateAuthority } from "../conformance/grpc/certificates.js";
import { GrpcBackend, HttpBackend } from "../conformance/otlp/backends.js";
import { exportPaths, PlainGrpcClient } from "../conformance/otlp/grpc-client.js";
import { send } from "../conformance/otlp/http-client.js";
import { RunningGateway, temporaryFolder } from "./running-gateway.js";
import { sendSpans, spansOf } from "./spans.js";

const traces = (exporters: readonly string[]) => ({
  traces: { receivers: ["otlp"], exporters },
});

/** A certificate authority with certificates for one server and one client, as files. */
async function certificateFiles(t: TestContext) {
  const folder = temporaryFolder(t);
  const authority = await CertificateAuthority.create(folder, "authority");
  const server = await authority.issue("server", "DNS:localhost,IP:127.0.0.1");
  const client = await authority.issue("client", "DNS:client");
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  return {
    authority: authority.cert,
    server,
    client,
    files: {
      authority: file("authority.pem", authority.cert),
      serverCert: file("server.pem", server.cert),
      serverKey: file("server-key.pem", server.key),
      clientCert: file("client.pem", client.cert),
      clientKey: file("client-key.pem", client.key),
    },
  };
}

function receiverWith(tls: object) {
  const protocol = { endpoint: "127.0.0.1:0", tls };
  return { otlp: { protocols: { grpc: protocol, http: protocol } } };
}

suite("TLS end to end", () => {
  // Scenario: the exporter shows its certificate to a backend that asks for one, too.
  test("a receiver with TLS, and an exporter to a backend that wants client certificates", async (t) => {
    const { authority, server, files } = await certificateFiles(t);
    const pair = { cert_chain: Buffer.from(server.cert), private_key: Buffer.from(server.key) };
    const backend = await GrpcBackend.start(t, {
      credentials: ServerCredentials.createSsl(Buffer.from(authority), [pair], true),
    });
    const gateway = await RunningGateway.start(t, {
      receivers: receiverWith({ cert_file: files.serverCert, key_file: files.serverKey }),
      exporters: {
        otlp_grpc: {
          endpoint: backend.endpoint.replace("127.0.0.1", "localhost"),
          tls: {
            ca_file: files.authority,
            cert_file: files.clientCert,
            key_file: files.clientKey,
          },
        },
      },
      pipelines: traces(["otlp_grpc"]),
    });
    const root = Buffer.from(authority);
    const client = new PlainGrpcClient(t, gateway.grpc, {}, credentials.createSsl(root));
    assert.equal((await client.call(exportPaths.traces, spansOf("tls", {}))).code, 0);
    const dispatcher = new Agent({ connect: { ca: authority } });
    t.after(() => dispatcher.close());
    const url = `https://${gateway.http}/v1/traces`;
    assert.equal((await send(url, spansOf("tls", {}), { dispatcher })).status, 200);
    await assert.rejects(sendSpans(gateway.http, "plain", {}), "plaintext is not served");
    await waitUntil(() => backend.calls.length === 2, { limitMs: 10_000 });
    assert.equal(await gateway.process.stop(), 0, gateway.process.stderr);
  });

  test("`client_ca_file` keeps out who has no certificate, on both protocols", async (t) => {
    const { authority, client: pair, files } = await certificateFiles(t);
    const gateway = await RunningGateway.start(t, {
      receivers: receiverWith({
        cert_file: files.serverCert,
        key_file: files.serverKey,
        client_ca_file: files.authority,
      }),
      exporters: { nop: {} },
      pipelines: traces(["nop"]),
    });
    const root = Buffer.from(authority);
    const key = Buffer.from(pair.key);
    const known = credentials.createSsl(root, key, Buffer.from(pair.cert));
    const friend = new PlainGrpcClient(t, gateway.grpc, {}, known);
    assert.equal((await friend.call(exportPaths.traces, spansOf("friend", {}))).code, 0);
    const stranger = new PlainGrpcClient(t, gateway.grpc, {}, credentials.createSsl(root));
    assert.equal((await stranger.call(exportPaths.traces, spansOf("stranger", {}))).code, 14);

    const url = `https://${gateway.http}/v1/traces`;
    const withPair = new Agent({ connect: { ca: authority, ...pair } });
    const without = new Agent({ connect: { ca: authority } });
    t.after(() => Promise.all([withPair.destroy(), without.destroy()]));
    assert.equal((await send(url, spansOf("f", {}), { dispatcher: withPair })).status, 200);
    await assert.rejects(send(url, spansOf("s", {}), { dispatcher: without }));
    assert.equal(await gateway.metric("otelcol_receiver_accepted_spans"), 2);
  });
});

suite("otlp_http and aliases", () => {
  // Scenario: one exporter under its own name, one under the older one, both to one HTTP backend.
  test("sends protobuf and JSON, gzipped, to the signal's path; an alias is accepted with a warning", async (t) => {
    const backend = await HttpBackend.start(t);
    const gateway = await RunningGateway.start(t, {
      exporters: {
        otlp_http: { endpoint: `${backend.url}/proto`, headers: { "x-tenant": "one" } },
        "otlphttp/json": { endpoint: `${backend.url}/json`, encoding: "json" },
        "otlphttp/plain": { endpoint: `${backend.url}/plain`, compression: "none" },
      },
      pipelines: traces(["otlp_http", "otlphttp/json", "otlphttp/plain"]),
    });
    const sent = spansOf("http", { "service.name": "shop" }, 3);
    const client = new PlainGrpcClient(t, gateway.grpc);
    assert.equal((await client.call(exportPaths.traces, sent)).code, 0);
    await waitUntil(() => backend.requests.length === 3, { limitMs: 10_000 });
    const at = (url: string) => backend.requests.find((request) => request.url === url);

    const proto = at("/proto/v1/traces");
    assert.equal(proto?.headers["content-type"], "application/x-protobuf");
    assert.equal(proto.headers["content-encoding"], "gzip");
    assert.equal(proto.headers["x-tenant"], "one");
    const decoded = decodeRequest("traces", sent);
    assert.deepEqual(decodeRequest("traces", gunzipSync(proto.body)), decoded);

    const plain = at("/plain/v1/traces");
    assert.equal(plain?.headers["content-encoding"], undefined);
    assert.deepEqual(decodeRequest("traces", plain?.body ?? Buffer.of()), decoded);

    const json = at("/json/v1/traces");
    assert.equal(json?.headers["content-type"], "application/json");
    const { resourceSpans } = JSON.parse(gunzipSync(json.body).toString()) as {
      resourceSpans: { resource: { attributes: object[] }; scopeSpans: { spans: object[] }[] }[];
    };
    assert.equal(resourceSpans[0]?.scopeSpans[0]?.spans.length, 3);
    const name = { key: "service.name", value: { stringValue: "shop" } };
    assert.deepEqual(resourceSpans[0]?.resource.attributes[1], name);

    const warnings = gateway.process.log().filter(({ level }) => level === "warn");
    const texts = warnings.map(({ warning }) => String(warning));
    assert.equal(texts.length, 2);
    for (const text of texts) assert.match(text, /`otlphttp` is an older name of `otlp_http`/);
    assert.equal(await gateway.process.stop(), 0, gateway.process.stderr);
  });
});
