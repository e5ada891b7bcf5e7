import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, type TestContext, test } from "node:test";
import { createTestBatch, waitUntil } from "@inode-gateway/testkit";
import { Agent } from "undici";
import { CertificateAuthority } from "../grpc/certificates.js";
import { exportPaths, PlainGrpcClient } from "../otlp/grpc-client.js";
import { send } from "../otlp/http-client.js";
import { type RunningReceiver, startReceiver } from "../otlp/receiver-fixture.js";
import { type FloodCase, floodCases } from "./flood-cases.js";
import { FrameConnection } from "./frames.js";

const closed = "inode_gateway_receiver_closed_connections";
const request = createTestBatch().bytes;
/**
 * What a flood may make this process grow by. Most of it is the attacker's own: a million buffers, which
 * Node 24 collects late (190 MB there, 60 MB for the same bytes written in pieces made beforehand).
 */
const GROWTH_BYTES_MAX = 268_435_456;
/** GOAWAY with ENHANCE_YOUR_CALM, or with the INTERNAL_ERROR that nghttp2 and Node choose. */
const GOAWAY_CODES: readonly (number | undefined)[] = [11, 2, undefined];

/** Who is flooded, and how an honest client beside the flood sends; true is success. */
interface Target {
  readonly receiver: RunningReceiver;
  readonly transport: "grpc" | "http";
  readonly connect: () => Promise<FrameConnection>;
  readonly sendHonestly: () => Promise<boolean>;
}

async function grpcTarget(t: TestContext): Promise<Target> {
  const receiver = await startReceiver(t);
  const client = new PlainGrpcClient(t, receiver.grpcAddress);
  return {
    receiver,
    transport: "grpc",
    connect: () => FrameConnection.open(receiver.grpcAddress),
    sendHonestly: async () => (await client.call(exportPaths.traces, request)).code === 0,
  };
}

async function httpsTarget(t: TestContext): Promise<Target> {
  const folder = await mkdtemp(join(tmpdir(), "floods-"));
  t.after(() => rm(folder, { recursive: true }));
  const authority = await CertificateAuthority.create(folder, "ca");
  const { cert, key } = await authority.issue("server", "DNS:localhost,IP:127.0.0.1");
  const tls = { cert_file: join(folder, "s.pem"), key_file: join(folder, "k.pem") };
  await writeFile(tls.cert_file, cert);
  await writeFile(tls.key_file, key);
  const receiver = await startReceiver(t, { http: { tls } });
  const dispatcher = new Agent({ connect: { ca: authority.cert } });
  t.after(() => dispatcher.close());
  const url = `${receiver.httpUrl}/v1/traces`;
  const ca = Buffer.from(authority.cert);
  return {
    receiver,
    transport: "http",
    connect: () => FrameConnection.open(new URL(url).host, { ca }),
    sendHonestly: async () => (await send(url, request, { dispatcher })).status === 200,
  };
}

for (const [name, start, path, contentType] of [
  ["gRPC", grpcTarget, exportPaths.traces, "application/grpc"],
  ["HTTP/2 over TLS", httpsTarget, "/v1/traces", "application/x-protobuf"],
] as const) {
  suite(`${name}: a flood ends its own connection`, () => {
    for (const flood of floodCases(path, contentType)) {
      // Scenario: one connection floods, another sends ordinary requests all the time.
      test(flood.name, async (t) => {
        const target = await start(t);
        assert.ok(await target.sendHonestly(), "served before");
        await survives(t, target, flood);
      });
    }
  });
}

async function survives(t: TestContext, target: Target, flood: FloodCase): Promise<void> {
  const { receiver, transport } = target;
  const attacker = await target.connect();
  t.after(() => attacker.socket.destroy());
  const before = process.memoryUsage.rss();
  let isOver = false;
  let served = 0;
  const honest = (async () => {
    do {
      assert.ok(await target.sendHonestly(), "served beside the flood");
      served++;
    } while (!isOver);
  })();
  await attacker.flood(flood.times, flood.make);
  await attacker.closed();
  isOver = true;
  await honest;
  assert.ok(served > 0);
  const grown = process.memoryUsage.rss() - before;
  assert.ok(grown < GROWTH_BYTES_MAX, `grew by ${grown} bytes`);
  assert.ok(GOAWAY_CODES.includes(attacker.goawayCode), `GOAWAY ${attacker.goawayCode}`);
  await waitUntil(() => receiver.count(closed, { transport }) === 1, {
    description: "exactly one connection is counted as closed",
  });
  const counted = flood.reasons.reduce(
    (sum, reason) => sum + receiver.count(closed, { transport, reason }),
    0,
  );
  assert.equal(counted, 1, `closed for another reason than ${flood.reasons.join(", ")}`);
}
