import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { otlpGrpcExporter, otlpHttpExporter } from "@inode-gateway/components";
import type { Extension } from "@inode-gateway/contract";
import { createTestBatch } from "@inode-gateway/testkit";
import { GrpcBackend, HttpBackend } from "./backends.js";
import { startGrpcExporter, startHttpExporter } from "./exporter-fixture.js";

/** Credentials that change with every request, as a token file may. */
class CountingAuthenticator implements Extension {
  #count = 0;

  async start(): Promise<void> {}
  async shutdown(): Promise<void> {}
  authorizationHeaders(): ReadonlyMap<string, string> {
    this.#count++;
    return new Map([["authorization", `Bearer ${this.#count}`]]);
  }
}

const auth = { authenticator: "test_auth" };
const headers = { Authorization: "configured", "x-tenant": "one" };

suite("`auth::authenticator` of the exporters", () => {
  test("otlp_grpc asks for credentials at every request", async (t) => {
    const backend = await GrpcBackend.start(t);
    const config = { endpoint: backend.endpoint, tls: { insecure: true }, auth, headers };
    const extensions = { test_auth: new CountingAuthenticator() };
    const running = await startGrpcExporter(t, config, "traces", { extensions });
    for (let sent = 0; sent < 2; sent++) await running.exporter.consume(createTestBatch());
    assert.deepEqual(
      backend.calls.map(({ metadata }) => metadata.get("authorization")),
      [["Bearer 1"], ["Bearer 2"]],
    );
    assert.deepEqual(backend.calls[1]?.metadata.get("x-tenant"), ["one"]);
    assert.deepEqual(running.settings.logger.messages("warn"), [
      "Credentials are sent without TLS",
    ]);
  });

  test("otlp_http asks for credentials at every request", async (t) => {
    const backend = await HttpBackend.start(t);
    const config = { endpoint: backend.url, auth, headers };
    const extensions = { test_auth: new CountingAuthenticator() };
    const running = await startHttpExporter(t, config, "traces", { extensions });
    for (let sent = 0; sent < 2; sent++) await running.exporter.consume(createTestBatch());
    assert.deepEqual(
      backend.requests.map((request) => request.headers.authorization),
      ["Bearer 1", "Bearer 2"],
    );
    assert.equal(backend.requests[1]?.headers["x-tenant"], "one");
    assert.deepEqual(running.settings.logger.messages("warn"), [
      "Credentials are sent without TLS",
    ]);
  });

  test("an extension that does not run, or has no credentials, is an error of the start", async (t) => {
    const config = { endpoint: "http://127.0.0.1:1", auth };
    const none: Extension = { start: async () => undefined, shutdown: async () => undefined };
    await assert.rejects(startHttpExporter(t, config), /"test_auth", which does not run/);
    const surroundings = { extensions: { test_auth: none } };
    await assert.rejects(startGrpcExporter(t, config, "traces", surroundings), {
      message: /"test_auth", which has no credentials to send/,
    });
  });

  test("the reference is named for `validate`", () => {
    for (const factory of [otlpGrpcExporter, otlpHttpExporter]) {
      const config = factory.config.parse({ endpoint: "http://a:1", auth });
      assert.deepEqual(factory.extensions?.(config as never), [
        { extensionId: "test_auth", path: ["auth", "authenticator"] },
      ]);
    }
  });
});
