import assert from "node:assert/strict";
import { suite, type TestContext, test } from "node:test";
import { createTestBatch, FakeClock, waitUntil } from "@inode-gateway/testkit";
import { startGrpcExporter, startHttpExporter } from "./exporter-fixture.js";
import { type ReceiverOptions, startReceiver } from "./receiver-fixture.js";
import { TlsFiles } from "./tls-files.js";

const names = "DNS:localhost,IP:127.0.0.1";
const RELOADS = "inode_gateway_tls_reloads";

const transports = ["otlp_grpc", "otlp_http"] as const;
type Transport = (typeof transports)[number];

/** An exporter before a receiver of the same transport. */
async function startPair(
  t: TestContext,
  transport: Transport,
  clientTls: object,
  options: ReceiverOptions,
) {
  const clock = new FakeClock();
  const receiver = await startReceiver(t, options);
  const { addresses } = receiver.receiver;
  const [start, endpoint] =
    transport === "otlp_grpc"
      ? [startGrpcExporter, addresses.grpc]
      : [startHttpExporter, `https://${addresses.http}`];
  const config = {
    endpoint,
    tls: clientTls,
    ...(transport === "otlp_grpc" && { wait_for_ready: true }),
  };
  const running = await start(t, config, "traces", { clock });
  return { ...running, clock, receiver };
}

for (const transport of transports) {
  suite(`TLS of ${transport}`, () => {
    // Scenario: the receiver demands client certificates of one authority; the exporter begins with
    // one of another and with a `ca_file` that does not know the receiver.
    test("new connections use the files as they are now", async (t) => {
      const files = await TlsFiles.create(t);
      const [good, bad] = [await files.authority("good"), await files.authority("bad")];
      const ca_file = await files.put("ca.pem", bad.cert);
      const client = await files.putPair("client", await bad.issue("client", "DNS:client"));
      const client_ca_file = await files.put("client-ca.pem", good.cert);
      const server = await files.putPair("server", await good.issue("server", names));
      const tls = { ...server, client_ca_file };
      const keys = { ca_file, ...client, reload_interval: "1s" };
      const { clock, count, exporter, receiver, settings } = await startPair(t, transport, keys, {
        grpc: { tls },
        http: { tls },
      });
      const look = async (outcome: string) => {
        const before = settings.meter.sum(RELOADS, { outcome });
        clock.advance(1_000);
        await waitUntil(() => settings.meter.sum(RELOADS, { outcome }) > before);
      };
      const first = exporter.consume(createTestBatch());
      if (transport === "otlp_http") await assert.rejects(first, { code: "BACKEND_UNAVAILABLE" });

      await files.put("ca.pem", "broken");
      await look("failure");
      await files.put("ca.pem", good.cert);
      await look("success");
      await files.putPair("client", await good.issue("client", "DNS:client"));
      await look("success");

      if (transport === "otlp_grpc") await first;
      await exporter.consume(createTestBatch());
      assert.equal(receiver.consumer.batches.length, transport === "otlp_grpc" ? 2 : 1);
      const refusals = settings.logger.messages("error").filter((text) => text.includes("TLS"));
      assert.deepEqual(refusals, ["Changed TLS files cannot be used, those before them go on"]);
      assert.ok(count("inode_gateway_tls_certificate_expiry_timestamp_seconds") > 1.7e9);
    });

    test("a call under way is not cut by a change", async (t) => {
      const files = await TlsFiles.create(t);
      const authority = await files.authority("ca");
      const ca_file = await files.put("ca.pem", authority.cert);
      const tls = await files.putPair("server", await authority.issue("server", names));
      const held: (() => void)[] = [];
      const output = { consume: () => new Promise<void>((resolve) => held.push(resolve)) };
      const keys = { ca_file, reload_interval: "1s" };
      const { clock, exporter, settings } = await startPair(t, transport, keys, {
        grpc: { tls },
        http: { tls },
        output,
      });
      const underWay = exporter.consume(createTestBatch());
      await waitUntil(() => held.length === 1);
      await files.put("ca.pem", (await files.authority("other")).cert);
      clock.advance(1_000);
      await waitUntil(() => settings.meter.sum(RELOADS, { outcome: "success" }) === 1);
      held[0]?.();
      await underWay;
    });

    for (const [client, server, isTaken] of [
      [{ max_version: "1.2" }, { min_version: "1.3" }, false],
      [{ min_version: "1.3" }, { max_version: "1.2" }, false],
      [{ min_version: "1.3" }, { min_version: "1.3" }, true],
      [{ max_version: "1.2" }, { max_version: "1.2" }, true],
      [
        { max_version: "1.2", cipher_suites: ["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"] },
        { cipher_suites: ["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"] },
        false,
      ],
      [{ curve_preferences: ["P384"] }, { curve_preferences: ["P521"] }, false],
      [{ curve_preferences: ["P384", "P521"] }, { curve_preferences: ["P521"] }, true],
    ] as const) {
      const verb = isTaken ? "meets" : "does not meet";
      test(`${JSON.stringify(client)} ${verb} ${JSON.stringify(server)}`, async (t) => {
        const files = await TlsFiles.create(t);
        const authority = await files.authority("ca");
        const ca_file = await files.put("ca.pem", authority.cert);
        const pair = await files.putPair("server", await authority.issue("server", names));
        const tls = { ...pair, ...server };
        const { exporter, receiver } = await startPair(
          t,
          transport,
          { ca_file, ...client },
          { grpc: { tls }, http: { tls } },
        );
        const sent = exporter.consume(createTestBatch());
        if (isTaken) await sent;
        else if (transport === "otlp_http") {
          await assert.rejects(sent, {
            code: "BACKEND_UNAVAILABLE",
            message: /TLS|alert|handshake/,
          });
        } else {
          await waitUntil(() => receiver.settings.logger.messages("warn").length > 0);
          await exporter.shutdown(0);
          await assert.rejects(sent);
        }
        assert.equal(receiver.consumer.batches.length, isTaken ? 1 : 0);
      });
    }
  });
}
