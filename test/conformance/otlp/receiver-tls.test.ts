import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect as connectHttp2, constants } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, type TestContext, test } from "node:test";
import { credentials } from "@grpc/grpc-js";
import { createTestBatch, waitUntil } from "@inode-gateway/testkit";
import { Agent } from "undici";
import { CertificateAuthority } from "../grpc/certificates.js";
import { exportPaths, PlainGrpcClient } from "./grpc-client.js";
import { send } from "./http-client.js";
import { startReceiver } from "./receiver-fixture.js";

const request = createTestBatch().bytes;

async function certificates(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), "otlp-tls-"));
  t.after(() => rm(folder, { recursive: true }));
  const authority = await CertificateAuthority.create(folder, "ca");
  const server = await authority.issue("server", "DNS:localhost,IP:127.0.0.1");
  const client = await authority.issue("client", "DNS:client");
  const file = async (name: string, text: string) => {
    await writeFile(join(folder, name), text);
    return join(folder, name);
  };
  const tls = {
    cert_file: await file("server.pem", server.cert),
    key_file: await file("server-key.pem", server.key),
  };
  return {
    authority,
    client,
    tls,
    mutual: { ...tls, client_ca_file: await file("ca.pem", authority.cert) },
  };
}

suite("TLS", () => {
  test("both protocols serve clients that trust the certificate, HTTP in both versions", async (t) => {
    const { authority, tls } = await certificates(t);
    const receiver = await startReceiver(t, { grpc: { tls }, http: { tls } });
    const dispatcher = new Agent({ connect: { ca: authority.cert } });
    t.after(() => dispatcher.close());
    const overHttp1 = await send(`${receiver.httpUrl}/v1/traces`, request, { dispatcher });
    assert.equal(overHttp1.status, 200);
    assert.equal(await postHttp2(receiver.httpUrl, authority.cert), 200);
    const creds = credentials.createSsl(Buffer.from(authority.cert));
    const client = new PlainGrpcClient(t, receiver.grpcAddress, {}, creds);
    assert.equal((await client.call(exportPaths.traces, request)).code, 0);
    assert.equal(receiver.consumer.batches.length, 3);
  });

  test("HTTP/2 streams that clients reset harm nobody", async (t) => {
    const { authority, tls } = await certificates(t);
    const receiver = await startReceiver(t, { http: { tls } });
    const session = connectHttp2(receiver.httpUrl, { ca: authority.cert });
    t.after(() => session.destroy());
    for (const path of ["/v1/traces", "/nowhere"]) {
      for (const code of [constants.NGHTTP2_PROTOCOL_ERROR, constants.NGHTTP2_INTERNAL_ERROR]) {
        const stream = session.request({
          ":method": "POST",
          ":path": path,
          "content-type": "application/x-protobuf",
        });
        stream.on("error", () => undefined);
        stream.write(request.subarray(0, 5));
        await waitUntil(() => !stream.pending);
        await new Promise((resolve) => {
          stream.once("close", resolve);
          stream.close(code);
        });
      }
    }
    assert.equal(await postHttp2(receiver.httpUrl, authority.cert), 200);
    await waitUntil(() => receiver.count("inode_gateway_receiver_in_flight_bytes") === 0);
    assert.deepEqual(receiver.settings.logger.messages("error"), []);
  });

  test("a client without a certificate is kept out where `client_ca_file` asks for one", async (t) => {
    const { authority, client, mutual } = await certificates(t);
    const receiver = await startReceiver(t, { grpc: { tls: mutual }, http: { tls: mutual } });
    const url = `${receiver.httpUrl}/v1/traces`;
    const without = new Agent({ connect: { ca: authority.cert } });
    const with_ = new Agent({ connect: { ca: authority.cert, ...client } });
    t.after(() => Promise.all([without.destroy(), with_.close()]));
    await assert.rejects(send(url, request, { dispatcher: without }));
    assert.equal((await send(url, request, { dispatcher: with_ })).status, 200);
    const root = Buffer.from(authority.cert);
    const stranger = new PlainGrpcClient(t, receiver.grpcAddress, {}, credentials.createSsl(root));
    assert.equal((await stranger.call(exportPaths.traces, request)).code, 14);
    const known = credentials.createSsl(root, Buffer.from(client.key), Buffer.from(client.cert));
    const friend = new PlainGrpcClient(t, receiver.grpcAddress, {}, known);
    assert.equal((await friend.call(exportPaths.traces, request)).code, 0);
    assert.equal(receiver.consumer.batches.length, 2);
  });

  test("plaintext to a TLS port is logged with the peer, once in a while", async (t) => {
    const { tls } = await certificates(t);
    const receiver = await startReceiver(t, { grpc: { tls }, http: { tls } });
    const plain = `http://${receiver.receiver.addresses.http}/v1/traces`;
    for (let attempt = 0; attempt < 3; attempt++) await assert.rejects(send(plain, request));
    const { records } = receiver.settings.logger;
    const lines = () => records.filter(({ level }) => level === "warn");
    await waitUntil(() => lines().length === 1);
    assert.match(String(lines()[0]?.fields["peer"]), /^127\.0\.0\.1:\d+$/);
    assert.equal(
      lines()[0]?.fields["reason"],
      "the client did not begin with TLS, which this port asks for",
    );
  });

  test("TLS or HTTP/2 to a plain HTTP port is logged with the peer", async (t) => {
    for (const [begin, reason] of [
      [
        (address: string) => assert.rejects(send(`https://${address}/v1/traces`, request)),
        /^the client began with TLS, and this port has none: set `protocols::http::tls`/,
      ],
      [
        (address: string) => assert.rejects(postHttp2(`http://${address}`, "")),
        /^the client began with HTTP\/2, perhaps for gRPC/,
      ],
    ] as const) {
      const receiver = await startReceiver(t);
      await begin(receiver.receiver.addresses.http ?? "");
      const lines = () => receiver.settings.logger.records.filter(({ level }) => level === "warn");
      await waitUntil(() => lines().length === 1);
      assert.match(String(lines()[0]?.fields["peer"]), /^127\.0\.0\.1:\d+$/);
      assert.match(String(lines()[0]?.fields["reason"]), reason);
    }
  });

  test("a certificate that is not there is an error that names the key and the file", async (t) => {
    const tls = { cert_file: "/nowhere/cert.pem", key_file: "/nowhere/key.pem" };
    await assert.rejects(startReceiver(t, { http: { tls } }), (error: Error) => {
      assert.match(error.message, /^protocols::http::tls: .*cert_file.*\/nowhere\/cert\.pem/);
      return true;
    });
  });
});

async function postHttp2(url: string, ca: string): Promise<number | undefined> {
  const session = connectHttp2(url, { ca });
  try {
    const stream = session.request({
      ":method": "POST",
      ":path": "/v1/traces",
      "content-type": "application/x-protobuf",
    });
    stream.end(request);
    return await new Promise((resolve, reject) => {
      stream.on("response", (headers) => resolve(headers[":status"]));
      stream.on("error", reject);
      session.on("error", reject);
    });
  } finally {
    session.close();
  }
}
