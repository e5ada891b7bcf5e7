import assert from "node:assert/strict";
import { suite, type TestContext, test } from "node:test";
import { credentials } from "@grpc/grpc-js";
import { basicAuth, bearerTokenAuth } from "@inode-gateway/components";
import type { Extension } from "@inode-gateway/contract";
import {
  createTestBatch,
  createTestSettings,
  FakeClock,
  TestHost,
  waitUntil,
} from "@inode-gateway/testkit";
import { Agent } from "undici";
import { startGrpcExporter, startHttpExporter } from "./exporter-fixture.js";
import { exportPaths, PlainGrpcClient } from "./grpc-client.js";
import { readStatus, send } from "./http-client.js";
import { type RunningReceiver, startReceiver } from "./receiver-fixture.js";
import { TlsFiles } from "./tls-files.js";

const { bytes } = createTestBatch();
const protobuf = { "content-type": "application/x-protobuf" };
const rejected = "inode_gateway_receiver_rejected_requests";
const auth = { authenticator: "auth" };
/** How often a file of credentials is looked at. */
const LOOK_MS = 1_000;

type AuthFactory = typeof basicAuth | typeof bearerTokenAuth;

/** A running extension, whose files are looked at when its clock moves. */
async function startAuth(t: TestContext, factory: AuthFactory, config: object) {
  const clock = new FakeClock();
  const settings = createTestSettings({ id: factory.type, kind: "extension", clock });
  const extension = (factory as typeof bearerTokenAuth).create(
    settings,
    factory.config.parse(config) as ReturnType<typeof bearerTokenAuth.config.parse>,
  );
  await extension.start(new TestHost());
  t.after(() => extension.shutdown(clock.nowMs()));
  return {
    extension,
    /** Lets the extension see that its file has changed. */
    look: async () => {
      const reloads = () =>
        settings.meter.sum("inode_gateway_credential_reloads", { outcome: "success" });
      const before = reloads();
      await waitUntil(async () => {
        await clock.advanceAndSettle(LOOK_MS);
        return reloads() > before;
      });
    },
  };
}

const basic = (pair: string) => `Basic ${Buffer.from(pair).toString("base64")}`;

/** How each extension is configured on both sides, and what its senders show. */
const kinds = [
  {
    factory: bearerTokenAuth,
    server: { tokens: ["right-one", "right-two"] },
    client: { token: "right-two" },
    wrongClient: { token: "withdrawn" },
    right: "Bearer right-one",
    wrong: ["Bearer withdrawn", "Bearer", "Basic cmlnaHQtb25l", "right-one"],
    challenge: "Bearer",
    known: [],
  },
  {
    factory: basicAuth,
    server: { htpasswd: { inline: "ann:right\nbob:also" } },
    client: { client_auth: { username: "bob", password: "also" } },
    wrongClient: { client_auth: { username: "bob", password: "withdrawn" } },
    right: basic("ann:right"),
    wrong: [basic("ann:also"), basic("nobody:right"), "Basic !", "Bearer right"],
    challenge: 'Basic realm="inode-gateway", charset="UTF-8"',
    known: [["username", "bob"]],
  },
] as const;

/** An exporter with `client` credentials before `receiver`, as another gateway has one. */
async function startExporter(
  t: TestContext,
  transport: "grpc" | "http",
  receiver: RunningReceiver,
  client: Extension,
  keys: object = { tls: { insecure: true } },
) {
  const surroundings = { extensions: { auth: client } };
  return transport === "grpc"
    ? startGrpcExporter(
        t,
        { endpoint: receiver.grpcAddress, auth, ...keys },
        "traces",
        surroundings,
      )
    : startHttpExporter(t, { endpoint: receiver.httpUrl, auth, ...keys }, "traces", surroundings);
}

for (const kind of kinds) {
  const { factory } = kind;
  suite(`${factory.type} between senders and a gateway`, () => {
    test("right credentials are let in, all others refused with what to show", async (t) => {
      const { extension } = await startAuth(t, factory, kind.server);
      const section = { auth };
      const extensions = { auth: extension };
      const receiver = await startReceiver(t, { grpc: section, http: section, extensions });
      const client = new PlainGrpcClient(t, receiver.grpcAddress);
      const ask = async (authorization: string | undefined) => {
        const shown = authorization === undefined ? {} : { authorization };
        const overGrpc = await client.call(exportPaths.traces, bytes, { metadata: shown });
        const headers = { ...protobuf, ...shown };
        return {
          overGrpc,
          overHttp: await send(`${receiver.httpUrl}/v1/traces`, bytes, { headers }),
        };
      };
      const taken = await ask(kind.right);
      assert.deepEqual([taken.overGrpc.code, taken.overHttp.status], [0, 200]);
      assert.equal(taken.overHttp.headers["www-authenticate"], undefined);
      for (const wrong of [undefined, ...kind.wrong]) {
        const { overGrpc, overHttp } = await ask(wrong);
        assert.equal(overGrpc.code, 16, wrong);
        assert.equal(overHttp.status, 401, wrong);
        assert.equal(readStatus(overHttp).code, 16);
        assert.equal(readStatus(overHttp).message, overGrpc.message);
        assert.equal(overHttp.headers["www-authenticate"], kind.challenge);
        assert.equal(overHttp.headers["retry-after"], undefined, "shown again, it is as wrong");
      }
      assert.equal(receiver.consumer.batches.length, 2);
      const refusals = 1 + kind.wrong.length;
      for (const transport of ["grpc", "http"]) {
        const labels = { transport, reason: "unauthenticated" };
        assert.equal(receiver.count(rejected, labels), refusals);
      }
    });
  });

  for (const transport of ["grpc", "http"] as const) {
    suite(`${factory.type} between two gateways over ${transport}`, () => {
      test("the second lets the first in and knows it; what it refuses is the first one's answer", async (t) => {
        const server = await startAuth(t, factory, kind.server);
        const second = await startReceiver(t, {
          [transport]: { auth },
          extensions: { auth: server.extension },
        });
        for (const isRight of [true, false]) {
          const config = isRight ? kind.client : kind.wrongClient;
          const { extension } = await startAuth(t, factory, config);
          const { exporter } = await startExporter(t, transport, second, extension);
          const first = await startReceiver(t, { output: exporter });
          const client = new PlainGrpcClient(t, first.grpcAddress);
          const overGrpc = await client.call(exportPaths.traces, bytes);
          const overHttp = await send(`${first.httpUrl}/v1/traces`, bytes);
          assert.equal(overGrpc.code, isRight ? 0 : 16);
          assert.equal(overHttp.status, isRight ? 200 : 401);
          assert.doesNotMatch(overGrpc.message, /withdrawn/);
        }
        assert.equal(second.consumer.batches.length, 2);
        for (const [name, value] of kind.known) {
          assert.equal(second.consumer.batches[0]?.origin.auth?.get(name), value);
        }
      });
    });
  }
}

for (const transport of ["grpc", "http"] as const) {
  // Scenario: a token is replaced as operators do it: the server takes both, the client changes, the
  // server forgets the old one. Requests go on all the time.
  test(`a token rotated in files during traffic refuses no request: ${transport}`, async (t) => {
    const files = await TlsFiles.create(t);
    const known = await files.put("known", "old\n");
    const own = await files.put("own", "old\n");
    const server = await startAuth(t, bearerTokenAuth, { filename: known });
    const client = await startAuth(t, bearerTokenAuth, { filename: own });
    const receiver = await startReceiver(t, {
      [transport]: { auth },
      extensions: { auth: server.extension },
    });
    const { exporter } = await startExporter(t, transport, receiver, client.extension);
    let isOver = false;
    let sent = 0;
    const traffic = Promise.all(
      Array.from({ length: 4 }, async () => {
        for (; !isOver; sent++) await exporter.consume(createTestBatch());
      }),
    );
    const goOn = async () => {
      const target = sent + 20;
      await waitUntil(() => sent >= target);
    };
    await goOn();
    await files.put("known", "new\nold\n");
    await server.look();
    await goOn();
    await files.put("own", "new\n");
    await client.look();
    await goOn();
    // Whoever is under way still has shown the old one before this.
    await files.put("known", "new\n");
    await server.look();
    await goOn();
    isOver = true;
    await traffic;
    assert.equal(receiver.count(rejected), 0);
    assert.equal(receiver.consumer.batches.length, sent);

    const late = await startAuth(t, bearerTokenAuth, { token: "old" });
    const { exporter: expired } = await startExporter(t, transport, receiver, late.extension);
    await assert.rejects(expired.consume(createTestBatch()), { code: "BACKEND_REJECTED" });
    assert.equal(receiver.count(rejected, { transport, reason: "unauthenticated" }), 1);
  });
}

test("with `client_ca_file` both are asked for: the certificate, then the token", async (t) => {
  const files = await TlsFiles.create(t);
  const authority = await files.authority("ca");
  const ca_file = await files.put("ca.pem", authority.cert);
  const pair = await authority.issue("server", "DNS:localhost,IP:127.0.0.1");
  const tls = { ...(await files.putPair("server", pair)), client_ca_file: ca_file };
  const own = await files.putPair("client", await authority.issue("client", "DNS:client"));
  const server = await startAuth(t, bearerTokenAuth, { token: "right" });
  const receiver = await startReceiver(t, {
    grpc: { auth, tls },
    http: { auth, tls },
    extensions: { auth: server.extension },
  });
  const right = await startAuth(t, bearerTokenAuth, { token: "right" });
  const wrong = await startAuth(t, bearerTokenAuth, { token: "wrong" });
  for (const transport of ["grpc", "http"] as const) {
    const deliver = async ({ extension }: { extension: Extension }, clientTls: object) => {
      const keys = { tls: clientTls };
      const { exporter } = await startExporter(t, transport, receiver, extension, keys);
      await exporter.consume(createTestBatch());
    };
    await deliver(right, { ca_file, ...own });
    await assert.rejects(deliver(wrong, { ca_file, ...own }), { code: "BACKEND_REJECTED" });
    await assert.rejects(deliver(right, { ca_file }), { code: "BACKEND_UNAVAILABLE" });
  }
  assert.equal(receiver.consumer.batches.length, 2);
  assert.equal(receiver.count(rejected, { reason: "unauthenticated" }), 2);
  // Real clients: a token without a certificate gets as far as the handshake.
  const creds = credentials.createSsl(Buffer.from(authority.cert));
  const client = new PlainGrpcClient(t, receiver.grpcAddress, {}, creds);
  const metadata = { authorization: "Bearer right" };
  assert.equal((await client.call(exportPaths.traces, bytes, { metadata })).code, 14);
  const dispatcher = new Agent({ connect: { ca: authority.cert } });
  t.after(() => dispatcher.destroy());
  const headers = { ...protobuf, ...metadata };
  await assert.rejects(send(`${receiver.httpUrl}/v1/traces`, bytes, { headers, dispatcher }));
});

test("gRPC over a unix socket asks for credentials like any other", async (t) => {
  const files = await TlsFiles.create(t);
  const endpoint = files.path("otlp.sock");
  const server = await startAuth(t, basicAuth, { htpasswd: { inline: "ann:right" } });
  const receiver = await startReceiver(t, {
    grpc: { auth, endpoint, transport: "unix", include_metadata: true },
    extensions: { auth: server.extension },
  });
  const client = new PlainGrpcClient(t, `unix:${endpoint}`);
  const ask = async (authorization: string) =>
    (await client.call(exportPaths.traces, bytes, { metadata: { authorization } })).code;
  assert.equal(await ask(basic("ann:wrong")), 16);
  assert.equal(await ask(basic("ann:right")), 0);
  const own = await startAuth(t, basicAuth, {
    client_auth: { username: "ann", password: "right" },
  });
  const keys = { endpoint: `unix://${endpoint}`, tls: { insecure: true } };
  const { exporter } = await startExporter(t, "grpc", receiver, own.extension, keys);
  await exporter.consume(createTestBatch());
  assert.deepEqual(
    receiver.consumer.batches.map(({ origin }) => [origin.peer, origin.auth?.get("username")]),
    [
      [`unix:${endpoint}`, "ann"],
      [`unix:${endpoint}`, "ann"],
    ],
  );
});
