import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { type ClientTls, GrpcCode, type ServerTls } from "@inode-gateway/grpc";
import { waitUntil } from "@inode-gateway/testkit";
import { CertificateAuthority, type KeyPair } from "./certificates.js";
import { ECHO, noise, openChannel, portOf, send, startServer, statusOf } from "./fixture.js";
import type { GrpcImplementation } from "./implementation.js";

interface Material {
  readonly folder: string;
  readonly authority: CertificateAuthority;
  readonly stranger: CertificateAuthority;
  /** For localhost and 127.0.0.1. */
  readonly server: KeyPair;
  /** For other.example. */
  readonly elsewhere: KeyPair;
  readonly client: KeyPair;
  readonly strangeClient: KeyPair;
}

/** TLS and mutual TLS, with certificates made by openssl for this run. */
export function tlsCases(implementation: GrpcImplementation): void {
  describe(`${implementation.name}: TLS`, () => {
    let material: Material;
    before(async () => {
      material = await makeMaterial();
    });
    after(() => rm(material.folder, { recursive: true, force: true }));

    serverCases(implementation, () => material);
    mutualCases(implementation, () => material);
    mismatchCases(implementation, () => material);
  });
}

function serverCases(implementation: GrpcImplementation, material: () => Material): void {
  for (const host of ["localhost", "127.0.0.1"]) {
    test(`calls a server whose certificate is for ${host}`, async (t) => {
      const { authority, server } = material();
      const { address, calls } = await startServer(t, implementation, { tls: server });
      const tls = { ca: authority.cert };
      const channel = openChannel(t, implementation, `${host}:${portOf(address)}`, { tls });
      const message = noise(300_000);
      for (const compression of ["none", "gzip"] as const) {
        const response = await send(channel, ECHO, message, { compression });
        assert.ok(Buffer.from(response).equals(message));
      }
      assert.match(calls[0]?.peer ?? "", /^127\.0\.0\.1:\d+$/);
    });
  }

  // Guarantees: UNAVAILABLE, and a reason that names what is wrong, for each way not to be trusted.
  test("does not call a server it cannot verify, and says why", async (t) => {
    const { authority, stranger, server, elsewhere } = material();
    const wrong: readonly [ServerTls, ClientTls, RegExp][] = [
      [server, { ca: stranger.cert }, /certificate|signature/],
      [server, {}, /certificate|issuer/],
      [elsewhere, { ca: authority.cert }, /altnames|does not match/],
      [server, { ca: authority.cert, serverNameOverride: "other.example" }, /altnames|match/],
    ];
    for (const [serverTls, tls, reason] of wrong) {
      const { address, calls } = await startServer(t, implementation, { tls: serverTls });
      const endpoint = `localhost:${portOf(address)}`;
      const channel = openChannel(t, implementation, endpoint, { tls });
      const status = await statusOf(send(channel, ECHO));
      assert.equal(status.code, GrpcCode.UNAVAILABLE);
      assert.match(status.message, reason);
      assert.equal(calls.length, 0);
    }
  });

  test("verifies against serverNameOverride, or not at all when told so", async (t) => {
    const { authority, elsewhere } = material();
    const { address } = await startServer(t, implementation, { tls: elsewhere });
    const endpoint = `localhost:${portOf(address)}`;
    const trusting: readonly ClientTls[] = [
      { ca: authority.cert, serverNameOverride: "other.example" },
      { insecureSkipVerify: true },
    ];
    for (const tls of trusting) {
      await send(openChannel(t, implementation, endpoint, { tls }), ECHO);
    }
  });

  test("offers HTTP/2 by ALPN and nothing else", async (t) => {
    const { authority, server } = material();
    const { address } = await startServer(t, implementation, { tls: server });
    const negotiated = (ALPNProtocols: string[]): Promise<string | false | null> =>
      new Promise((resolve, reject) => {
        const options = { ca: authority.cert, servername: "localhost", ALPNProtocols };
        const socket = connectTls(portOf(address), "127.0.0.1", options, () => {
          resolve(socket.alpnProtocol);
          socket.destroy();
        });
        socket.on("error", reject);
      });
    assert.equal(await negotiated(["http/1.1", "h2"]), "h2");
    await assert.rejects(negotiated(["http/1.1"]));
  });
}

function mutualCases(implementation: GrpcImplementation, material: () => Material): void {
  test("demands a client certificate of its authority, and reports who has none", async (t) => {
    const { authority, server, client, strangeClient } = material();
    const tls = { ...server, clientCa: authority.cert };
    const { address, calls, connectionErrors } = await startServer(t, implementation, { tls });
    const endpoint = `localhost:${portOf(address)}`;
    const known = { ca: authority.cert, ...client };
    await send(openChannel(t, implementation, endpoint, { tls: known }), ECHO);
    assert.equal(calls.length, 1);
    for (const wrong of [{ ca: authority.cert }, { ca: authority.cert, ...strangeClient }]) {
      const reported = connectionErrors.length;
      const status = await statusOf(
        send(openChannel(t, implementation, endpoint, { tls: wrong }), ECHO),
      );
      assert.equal(status.code, GrpcCode.UNAVAILABLE);
      await waitUntil(() => connectionErrors.length > reported);
    }
    assert.equal(calls.length, 1);
  });
}

function mismatchCases(implementation: GrpcImplementation, material: () => Material): void {
  test("ends a call UNAVAILABLE when one side speaks TLS and the other does not", async (t) => {
    const { authority, server } = material();
    const secure = await startServer(t, implementation, { tls: server });
    const plain = await startServer(t, implementation);
    const toSecure = openChannel(t, implementation, secure.address);
    assert.equal((await statusOf(send(toSecure, ECHO))).code, GrpcCode.UNAVAILABLE);
    const tls = { ca: authority.cert };
    const toPlain = openChannel(t, implementation, plain.address, { tls });
    assert.equal((await statusOf(send(toPlain, ECHO))).code, GrpcCode.UNAVAILABLE);
    await waitUntil(() => secure.connectionErrors.length > 0 && plain.connectionErrors.length > 0);
  });

  test("keeps to the versions of TLS it was given", async (t) => {
    const { authority, server } = material();
    const versions = [
      ["TLSv1.2", "TLSv1.2", true],
      ["TLSv1.3", "TLSv1.3", true],
      ["TLSv1.2", "TLSv1.3", false],
      ["TLSv1.3", "TLSv1.2", false],
    ] as const;
    for (const [serverVersion, clientVersion, isCommon] of versions) {
      const { address } = await startServer(t, implementation, {
        tls: { ...server, minVersion: serverVersion, maxVersion: serverVersion },
      });
      const ca = authority.cert;
      const tls: ClientTls = { ca, minVersion: clientVersion, maxVersion: clientVersion };
      const channel = openChannel(t, implementation, `localhost:${portOf(address)}`, { tls });
      if (isCommon) await send(channel, ECHO);
      else assert.equal((await statusOf(send(channel, ECHO))).code, GrpcCode.UNAVAILABLE);
    }
  });

  test("refuses certificates and keys it cannot use before it connects or listens", async (t) => {
    const { server, client } = material();
    const key = client.key;
    const wrong: readonly [ServerTls, RegExp][] = [
      [{ cert: "no PEM", key: server.key }, /no PEM text/],
      [{ ...server, key }, /key does not belong to the certificate/],
      [{ ...server, cipherSuites: "ROT13" }, /cipher suite/],
    ];
    for (const [tls, reason] of wrong) {
      await assert.rejects(startServer(t, implementation, { tls }), (error: Error) => {
        assert.match(error.message, /`127\.0\.0\.1:0`/);
        assert.match(error.message, reason);
        return true;
      });
      const make = () => openChannel(t, implementation, "localhost:4317", { tls });
      assert.throws(make, /`localhost:4317`/);
      assert.throws(make, reason);
    }
  });
}

async function makeMaterial(): Promise<Material> {
  const folder = await mkdtemp(join(tmpdir(), "grpc-tls-"));
  const authority = await CertificateAuthority.create(folder, "authority");
  const stranger = await CertificateAuthority.create(folder, "stranger");
  const server = await authority.issue("server", "DNS:localhost,IP:127.0.0.1");
  const elsewhere = await authority.issue("elsewhere", "DNS:other.example");
  const client = await authority.issue("client", "DNS:client.example");
  const strangeClient = await stranger.issue("strange-client", "DNS:client.example");
  return { folder, authority, stranger, server, elsewhere, client, strangeClient };
}
