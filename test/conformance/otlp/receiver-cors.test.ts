import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { createTestBatch } from "@inode-gateway/testkit";
import { send } from "./http-client.js";
import { startReceiver } from "./receiver-fixture.js";

const origin = "https://app.example.com";
const cors = {
  allowed_origins: ["https://*.example.com", "http://localhost:3000"],
  allowed_headers: ["X-Token"],
  exposed_headers: ["X-Seen"],
  max_age: 600,
};
const preflight = {
  origin,
  "access-control-request-method": "POST",
  "access-control-request-headers": "x-token",
};

suite("CORS", () => {
  test("a preflight of an allowed origin is answered, with credentials", async (t) => {
    const { httpUrl } = await startReceiver(t, { http: { cors } });
    const options = { method: "OPTIONS", headers: preflight };
    const { headers, status } = await send(`${httpUrl}/v1/traces`, undefined, options);
    assert.equal(status, 204);
    assert.equal(headers["access-control-allow-origin"], origin);
    assert.equal(headers["access-control-allow-credentials"], "true");
    assert.equal(headers["access-control-allow-methods"], "POST");
    assert.equal(headers["access-control-max-age"], "600");
    assert.match(String(headers["access-control-allow-headers"]), /Content-Type.*X-Token/);
  });

  test("a request of an allowed origin is taken and its answer may be read", async (t) => {
    const { consumer, httpUrl } = await startReceiver(t, { http: { cors } });
    const headers = { origin, "content-type": "application/x-protobuf" };
    const answer = await send(`${httpUrl}/v1/traces`, createTestBatch().bytes, { headers });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers["access-control-allow-origin"], origin);
    assert.equal(answer.headers["access-control-expose-headers"], "X-Seen");
    assert.match(String(answer.headers["vary"]), /Origin/i);
    assert.equal(consumer.itemCount, 1);
    const refused = await send(`${httpUrl}/v1/traces`, "x", { headers: { origin } });
    assert.equal(refused.headers["access-control-allow-origin"], origin, "on errors as well");
  });

  for (const other of ["https://example.com", "https://app.example.com.evil.org", "null"]) {
    test(`${other} gets no permission`, async (t) => {
      const { httpUrl } = await startReceiver(t, { http: { cors } });
      const headers = { ...preflight, origin: other };
      const answer = await send(`${httpUrl}/v1/traces`, undefined, { method: "OPTIONS", headers });
      assert.equal(answer.headers["access-control-allow-origin"], undefined);
    });
  }

  test("`*` allows every origin, `*` as a header every header", async (t) => {
    const any = { allowed_origins: ["*"], allowed_headers: ["*"] };
    const { httpUrl } = await startReceiver(t, { http: { cors: any } });
    const options = { method: "OPTIONS", headers: preflight };
    const { headers } = await send(`${httpUrl}/v1/traces`, undefined, options);
    assert.equal(headers["access-control-allow-origin"], "*");
    assert.equal(headers["access-control-allow-headers"], "x-token");
  });

  test("OPTIONS that is no preflight is 405", async (t) => {
    const { httpUrl } = await startReceiver(t, { http: { cors } });
    const options = { method: "OPTIONS", headers: { origin } };
    assert.equal((await send(`${httpUrl}/v1/traces`, undefined, options)).status, 405);
  });

  test("without allowed_origins it is off, and that is said", async (t) => {
    const receiver = await startReceiver(t, { http: { cors: { allowed_headers: ["X"] } } });
    const options = { method: "OPTIONS", headers: preflight };
    const answer = await send(`${receiver.httpUrl}/v1/traces`, undefined, options);
    assert.equal(answer.status, 405);
    assert.equal(receiver.settings.logger.messages("warn").length, 1);
  });
});
