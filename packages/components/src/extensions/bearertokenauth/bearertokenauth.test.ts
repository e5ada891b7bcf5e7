import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { redact } from "@inode-gateway/config";
import {
  createTestSettings,
  FakeClock,
  runLifecycleSuite,
  TestHost,
  waitUntil,
} from "@inode-gateway/testkit";
import type { z } from "zod";
import {
  AuthenticationError,
  clientAuthenticatorOf,
  serverAuthenticatorOf,
} from "../../capabilities/authenticator.js";
import { CREDENTIAL_POLL_MS } from "../../credentials/credential-file.js";
import { BearerTokenAuth } from "./bearer-token-auth.js";
import { bearerTokenAuthConfig } from "./config.js";
import { bearerTokenAuth } from "./factory.js";
import { parseTokens } from "./tokens.js";

runLifecycleSuite(bearerTokenAuth, { config: { token: "secret" } });

type Written = z.input<typeof bearerTokenAuthConfig>;

async function startAuth(t: TestContext, written: Written) {
  const clock = new FakeClock();
  const settings = createTestSettings({ id: "bearertokenauth", kind: "extension", clock });
  const extension = new BearerTokenAuth(settings, bearerTokenAuthConfig.parse(written));
  await extension.start();
  t.after(() => extension.shutdown());
  const host = new TestHost({ bearertokenauth: extension });
  const show = (value: string, header = "authorization") =>
    serverAuthenticatorOf(host, "bearertokenauth").authenticate(new Map([[header, [value]]]));
  const own = () => [...clientAuthenticatorOf(host, "bearertokenauth").authorizationHeaders()];
  return { clock, settings, extension, show, own };
}

const mismatch = { name: "AuthenticationError", message: "scheme or token does not match" };

test("lets in who shows a token, and nobody else", async (t) => {
  const { extension, settings, show } = await startAuth(t, { tokens: ["first", "second"] });
  assert.deepEqual(await show("Bearer first"), new Map());
  await show("bearer second");
  for (const wrong of [
    "Bearer firs",
    "Bearer first2",
    "Bearer ",
    "Bearer",
    "first",
    "Basic first",
  ]) {
    await assert.rejects(show(wrong), mismatch, wrong);
  }
  const missing = { message: "missing or empty authorization header: Authorization" };
  await assert.rejects(extension.authenticate(new Map()), missing);
  await assert.rejects(show(""), missing);
  await assert.rejects(show(""), AuthenticationError);
  const count = (outcome: string) =>
    settings.meter.sum("inode_gateway_authentications", { outcome });
  assert.deepEqual([count("accepted"), count("wrong"), count("missing")], [2, 6, 3]);
});

test("sends the first token", async (t) => {
  const { own } = await startAuth(t, { tokens: ["first", "second"] });
  assert.deepEqual(own(), [["authorization", "Bearer first"]]);
});

test("another header and scheme, or none", async (t) => {
  const { own, show } = await startAuth(t, { token: "abc", scheme: "", header: "X-Api-Key" });
  await show("abc", "x-api-key");
  await assert.rejects(show("Bearer abc", "x-api-key"), mismatch);
  assert.deepEqual(own(), [["x-api-key", "abc"]]);
});

test("the challenge is the scheme of `Authorization`; there is none for what HTTP knows no name of", async (t) => {
  const challenge = async (written: Written) => (await startAuth(t, written)).extension.challenge;
  assert.equal(await challenge({ token: "abc" }), "Bearer");
  assert.equal(await challenge({ token: "abc", scheme: "ApiKey" }), "ApiKey");
  assert.equal(await challenge({ token: "abc", scheme: "" }), undefined);
  assert.equal(await challenge({ token: "abc", header: "X-Api-Key" }), undefined);
});

test("a file wins, is followed, and its empty lines are no tokens", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "bearer-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const filename = join(folder, "tokens");
  writeFileSync(filename, "\n  one  \r\ntwo\n\n");
  const { clock, own, settings, show } = await startAuth(t, { token: "ignored", filename });
  await show("Bearer one");
  await show("Bearer two");
  for (const wrong of ["Bearer ", "Bearer ignored"]) await assert.rejects(show(wrong), mismatch);
  assert.deepEqual(own(), [["authorization", "Bearer one"]]);
  assert.deepEqual(settings.logger.messages("warn"), [
    "a filename is specified. Configured token(s) is ignored!",
  ]);

  const look = async () => {
    clock.advance(CREDENTIAL_POLL_MS);
    await waitUntil(() => clock.pendingTimers === 1);
  };
  writeFileSync(filename, "three\n");
  await look();
  await assert.rejects(show("Bearer one"), mismatch);
  await show("Bearer three");
  assert.deepEqual(own(), [["authorization", "Bearer three"]]);
  writeFileSync(filename, "\n");
  await look();
  await show("Bearer three");
  assert.match(JSON.stringify(settings.logger.records), /it holds no token/);
  assert.doesNotMatch(JSON.stringify(settings.logger.records), /three|ignored"|one/);
});

test("a line that cannot be a token is named by its number only", () => {
  assert.deepEqual(parseTokens("a\nb"), ["a", "b"]);
  assert.throws(() => parseTokens("good\nsecr\u00e9t"), {
    message: "the token in line 2 must be printable ASCII (is there a line break at the end?)",
  });
  assert.equal(parseTokens("x".repeat(8_192)).length, 1);
  assert.throws(() => parseTokens("x".repeat(8_193)), {
    message: "the token in line 1 has 8193 characters, the limit is 8192",
  });
  assert.equal(parseTokens("x\n".repeat(100)).length, 100);
  assert.throws(() => parseTokens("x\n".repeat(101)), {
    message: "it has more than 100 tokens, the limit",
  });
});

function problemsOf(written: unknown): string[] {
  const result = bearerTokenAuthConfig.safeParse(written);
  return result.success
    ? []
    : result.error.issues.map(({ message, path }) => `${path.join(".")}: ${message}`);
}

test("needs a source, and one only of token and tokens", () => {
  const none = ": no bearer token provided: set `token`, `tokens` or `filename`";
  assert.deepEqual(problemsOf({}), [none]);
  assert.deepEqual(problemsOf({ token: "" }), [none]);
  assert.deepEqual(problemsOf({ tokens: [] }), [none]);
  assert.deepEqual(problemsOf({ tokens: ["a", ""] }), ["tokens.1: is empty"]);
  assert.deepEqual(problemsOf({ token: "a", tokens: ["b"] }), [
    "tokens: either `tokens` or `token` should be provided, not both",
  ]);
  assert.deepEqual(problemsOf({ token: "line\n" }), [
    "token: must be printable ASCII (is there a line break at the end?)",
  ]);
  assert.equal(problemsOf({ token: "a", header: "no header" }).length, 1);
  for (const accepted of [{ token: "a" }, { tokens: ["a"] }, { filename: "/x", token: "a" }]) {
    assert.deepEqual(problemsOf(accepted), []);
  }
});

test("tokens are not shown with a configuration", () => {
  const shown = redact(bearerTokenAuthConfig, { token: "canary-1", tokens: ["canary-2"] });
  assert.doesNotMatch(JSON.stringify(shown), /canary/);
});
