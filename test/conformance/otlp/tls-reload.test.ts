import assert from "node:assert/strict";
import { connect as connectHttp2 } from "node:http2";
import { suite, type TestContext, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { credentials } from "@grpc/grpc-js";
import { createTestBatch, FakeClock, waitUntil } from "@inode-gateway/testkit";
import { Agent } from "undici";
import { exportPaths, PlainGrpcClient } from "./grpc-client.js";
import { send } from "./http-client.js";
import { type RunningReceiver, startReceiver } from "./receiver-fixture.js";
import { TlsFiles } from "./tls-files.js";

const request = createTestBatch().bytes;
const names = "DNS:localhost,IP:127.0.0.1";
const RELOADS = "inode_gateway_tls_reloads";
const EXPIRY = "inode_gateway_tls_certificate_expiry_timestamp_seconds";

/** A receiver that looks at its files every second of a clock that the test moves. */
async function startReloading(t: TestContext, keys: object) {
  const clock = new FakeClock();
  const tls = { reload_interval: "1s", ...keys };
  const receiver = await startReceiver(t, { grpc: { tls }, http: { tls }, clock });
  const reloads = (outcome: string) => receiver.count(RELOADS, { outcome });
  /** Moves the clock until both listeners have looked, and come to `outcome`. */
  const look = async (outcome: "success" | "failure") => {
    const before = reloads(outcome);
    clock.advance(1_000);
    await waitUntil(() => reloads(outcome) === before + 2);
  };
  return { clock, look, receiver, reloads };
}

/** The name in the certificate that a new connection is shown. */
function shownName(address: string, options: object = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const [host, port] = address.split(":");
    const target = { host, port: Number(port), rejectUnauthorized: false, ALPNProtocols: ["h2"] };
    const socket = connectTls({ ...target, ...options });
    socket.once("error", reject);
    socket.once("secureConnect", () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    });
  });
}

async function shownNames({ receiver: { addresses } }: RunningReceiver): Promise<string[]> {
  return [await shownName(addresses.grpc ?? ""), await shownName(addresses.http ?? "")];
}

async function postHttp2(session: ReturnType<typeof connectHttp2>): Promise<unknown> {
  const headers = { ":method": "POST", ":path": "/v1/traces" };
  const stream = session.request({ ...headers, "content-type": "application/x-protobuf" });
  stream.end(request);
  return new Promise((resolve, reject) => {
    stream.on("response", (answer) => resolve(answer[":status"]));
    stream.on("error", reject);
    stream.resume();
  });
}

suite("TLS files that change under a running receiver", () => {
  // Scenario: the new certificate is from an authority the clients do not know, so that a request
  // can only succeed on the connection from before.
  test("new handshakes see the new certificate, connections from before go on", async (t) => {
    const files = await TlsFiles.create(t);
    const [first, second] = [await files.authority("ca-1"), await files.authority("ca-2")];
    const pair = await files.putPair("server", await first.issue("old", names));
    const { look, receiver, reloads } = await startReloading(t, pair);
    const grpc = new PlainGrpcClient(
      t,
      receiver.grpcAddress,
      {},
      credentials.createSsl(Buffer.from(first.cert)),
    );
    const session = connectHttp2(receiver.httpUrl, { ca: first.cert });
    t.after(() => session.destroy());
    const http1 = new Agent({ connect: { ca: first.cert }, connections: 1 });
    t.after(() => http1.destroy());
    const url = `${receiver.httpUrl}/v1/traces`;
    const requestAll = async () => {
      assert.equal((await grpc.call(exportPaths.traces, request)).code, 0);
      assert.equal(await postHttp2(session), 200);
      assert.equal((await send(url, request, { dispatcher: http1 })).status, 200);
    };
    await requestAll();
    assert.deepEqual(await shownNames(receiver), ["old", "old"]);

    await files.putPair("server", await second.issue("new", names));
    await look("success");

    assert.deepEqual(await shownNames(receiver), ["new", "new"]);
    await requestAll();
    assert.equal(receiver.consumer.batches.length, 6);
    assert.equal(reloads("failure"), 0);
    const stranger = new Agent({ connect: { ca: first.cert } });
    t.after(() => stranger.destroy());
    await assert.rejects(send(url, request, { dispatcher: stranger }));
  });

  test("a broken file is told once and harms nobody; the next good one is used", async (t) => {
    const files = await TlsFiles.create(t);
    const authority = await files.authority("ca");
    const good = await authority.issue("good", names);
    const { clock, look, receiver, reloads } = await startReloading(
      t,
      await files.putPair("server", good),
    );
    const { logger } = receiver.settings;
    for (const broken of ["", "no certificate", good.cert.replace(/^M/m, "-")]) {
      logger.records.length = 0;
      await files.put("server.pem", broken);
      await look("failure");
      assert.deepEqual(await shownNames(receiver), ["good", "good"]);
      const errors = logger.records.filter(({ level }) => level === "error");
      assert.equal(errors.length, 2, "one for each listener");
      assert.deepEqual(errors.map(({ fields }) => fields["section"]).sort(), [
        "protocols::grpc::tls",
        "protocols::http::tls",
      ]);
      assert.match(String(errors[0]?.fields["reason"]), /^`cert_file` .*server\.pem/);
    }
    const failures = reloads("failure");
    // The same broken file again and again is no news.
    for (let round = 0; round < 3; round++) await clock.advanceAndSettle(1_000);

    await files.putPair("server", await authority.issue("better", names));
    await look("success");

    assert.equal(reloads("failure"), failures);
    assert.deepEqual(await shownNames(receiver), ["better", "better"]);
  });

  test("a certificate without its key is no pair, until the key comes too", async (t) => {
    const files = await TlsFiles.create(t);
    const authority = await files.authority("ca");
    const pair = await files.putPair("server", await authority.issue("old", names));
    const { look, receiver } = await startReloading(t, pair);
    const next = await authority.issue("new", names);
    await files.put("server.pem", next.cert);
    await look("failure");
    assert.deepEqual(await shownNames(receiver), ["old", "old"]);
    await files.put("server-key.pem", next.key);
    await look("success");
    assert.deepEqual(await shownNames(receiver), ["new", "new"]);
  });

  test("clients are let in by the new `client_ca_file` and no longer by the old one", async (t) => {
    const files = await TlsFiles.create(t);
    const authority = await files.authority("ca");
    const [first, second] = [
      await files.authority("clients-1"),
      await files.authority("clients-2"),
    ];
    const client_ca_file = await files.put("clients.pem", first.cert);
    const pair = await files.putPair("server", await authority.issue("server", names));
    const { look, receiver } = await startReloading(t, { ...pair, client_ca_file });
    const isLetIn = async (client: object) => {
      const dispatcher = new Agent({ connect: { ca: authority.cert, ...client } });
      t.after(() => dispatcher.destroy());
      const { status } = await send(`${receiver.httpUrl}/v1/traces`, request, { dispatcher });
      return status === 200;
    };
    const old = await first.issue("one", "DNS:one");
    const young = await second.issue("two", "DNS:two");
    assert.ok(await isLetIn(old));
    await assert.rejects(isLetIn(young));

    await files.put("clients.pem", second.cert);
    await look("success");

    assert.ok(await isLetIn(young));
    await assert.rejects(isLetIn(old));
    const root = Buffer.from(authority.cert);
    const grpcCode = async ({ cert, key }: { readonly cert: string; readonly key: string }) => {
      const creds = credentials.createSsl(root, Buffer.from(key), Buffer.from(cert));
      const client = new PlainGrpcClient(t, receiver.grpcAddress, {}, creds);
      return (await client.call(exportPaths.traces, request)).code;
    };
    assert.equal(await grpcCode(young), 0);
    assert.equal(await grpcCode(old), 14);
  });

  test("`client_ca_file_reload` alone looks every 10 s, no key at all never", async (t) => {
    const files = await TlsFiles.create(t);
    const authority = await files.authority("ca");
    const pair = await files.putPair("server", await authority.issue("server", names));
    const client_ca_file = await files.put("clients.pem", authority.cert);
    const keys = { reload_interval: "0s", ...pair, client_ca_file };
    const never = await startReloading(t, keys);
    const { clock, reloads } = await startReloading(t, { ...keys, client_ca_file_reload: true });
    await files.put("clients.pem", (await files.authority("other")).cert);
    await never.clock.advanceAndSettle(3_600_000);
    await clock.advanceAndSettle(9_999);
    assert.equal(reloads("success"), 0);
    clock.advance(1);
    await waitUntil(() => reloads("success") === 2);
    assert.equal(never.reloads("success"), 0);
  });

  test("the end of the certificate is a metric, and nothing looks after a stop", async (t) => {
    const files = await TlsFiles.create(t);
    const authority = await files.authority("ca");
    const pair = await files.putPair("server", await authority.issue("server", names));
    const { clock, receiver } = await startReloading(t, pair);
    for (const section of ["protocols::grpc::tls", "protocols::http::tls"]) {
      const labels = { component_kind: "receiver", component: "otlp", section };
      const days = (receiver.count(EXPIRY, labels) - Date.now() / 1_000) / 86_400;
      assert.ok(days > 1.9 && days <= 2, `${days} days`);
    }
    await receiver.receiver.shutdown(clock.nowMs());
    assert.equal(clock.pendingTimers, 0);
  });
});

suite("TLS versions and suites of a listener", () => {
  for (const [keys, offered, isTaken] of [
    [{ min_version: "1.3" }, { maxVersion: "TLSv1.2" }, false],
    [{ min_version: "1.3" }, { minVersion: "TLSv1.3" }, true],
    [{ max_version: "1.2" }, { minVersion: "TLSv1.3" }, false],
    [{ max_version: "1.2" }, { maxVersion: "TLSv1.2" }, true],
    [{}, { minVersion: "TLSv1.1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" }, false],
    [
      { cipher_suites: ["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"] },
      { maxVersion: "TLSv1.2", ciphers: "ECDHE-ECDSA-AES128-GCM-SHA256" },
      false,
    ],
    [
      { cipher_suites: ["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"] },
      { maxVersion: "TLSv1.2", ciphers: "ECDHE-ECDSA-AES256-GCM-SHA384" },
      true,
    ],
    [{ curve_preferences: ["P384"] }, { ecdhCurve: "X25519" }, false],
    [{ curve_preferences: ["P384"] }, { ecdhCurve: "P-384" }, true],
  ] as const) {
    const name = `${JSON.stringify(keys)} ${isTaken ? "takes" : "refuses"} ${JSON.stringify(offered)}`;
    test(name, async (t) => {
      const files = await TlsFiles.create(t);
      const authority = await files.authority("ca");
      const pair = await files.putPair("server", await authority.issue("server", names));
      const tls = { ...pair, ...keys };
      const { receiver } = await startReceiver(t, { grpc: { tls }, http: { tls } });
      for (const address of [receiver.addresses.grpc, receiver.addresses.http]) {
        if (isTaken) assert.equal(await shownName(address ?? "", offered), "server");
        else
          await assert.rejects(shownName(address ?? "", offered), {
            code: /^ERR_SSL_|^ECONNRESET$/,
          });
      }
    });
  }
});
