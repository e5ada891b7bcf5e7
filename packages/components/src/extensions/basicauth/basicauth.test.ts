import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { redact } from "@inode-gateway/config";
import { RetryableError } from "@inode-gateway/contract";
import {
  createTestSettings,
  FakeClock,
  realClock,
  runLifecycleSuite,
  settle,
  TestHost,
  waitUntil,
} from "@inode-gateway/testkit";
import { hashSync } from "bcryptjs";
import type { z } from "zod";
import {
  AuthenticationError,
  clientAuthenticatorOf,
  serverAuthenticatorOf,
} from "../../capabilities/authenticator.js";
import { CREDENTIAL_POLL_MS } from "../../credentials/credential-file.js";
import { parseBasicHeader } from "./basic-header.js";
import { basicAuthConfig } from "./config.js";
import { basicAuth } from "./factory.js";
import { PENDING_PER_USER_MAX } from "./verification-queue.js";

runLifecycleSuite(basicAuth, { config: { htpasswd: { inline: "ann:secret" } } });
runLifecycleSuite(basicAuth, { config: { client_auth: { username: "ann", password: "secret" } } });

type Written = z.input<typeof basicAuthConfig>;

async function startAuth(t: TestContext, written: Written, clock = new FakeClock()) {
  const settings = createTestSettings({ id: "basicauth", kind: "extension", clock });
  const extension = basicAuth.create(settings, basicAuthConfig.parse(written));
  const host = new TestHost({ basicauth: extension });
  await extension.start(host);
  t.after(() => extension.shutdown(0));
  const showRaw = (value: string) =>
    serverAuthenticatorOf(host, "basicauth").authenticate(new Map([["authorization", [value]]]));
  const show = (name: string, password: string) => showRaw(`Basic ${encoded(name, password)}`);
  const own = () => [...clientAuthenticatorOf(host, "basicauth").authorizationHeaders()];
  const look = async (files = 1) => {
    clock.advance(CREDENTIAL_POLL_MS);
    await waitUntil(() => clock.pendingTimers === files);
  };
  return { clock, settings, extension, host, show, showRaw, own, look };
}

function encoded(name: string, password: string): string {
  return Buffer.from(`${name}:${password}`).toString("base64");
}

function makeFile(t: TestContext, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), "basic-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "users");
  writeFileSync(path, text);
  return path;
}

const wrong = { name: "AuthenticationError", message: "invalid credentials" };

test("lets in who shows a right pair, and says who it is", async (t) => {
  const { settings, show, showRaw } = await startAuth(t, {
    htpasswd: { inline: `ann:plain:with colon\nbob:${hashSync("secret", 4)}` },
  });
  assert.deepEqual(
    await show("ann", "plain:with colon"),
    new Map([
      ["username", "ann"],
      ["raw", encoded("ann", "plain:with colon")],
    ]),
  );
  await show("bob", "secret");
  await showRaw(`bAsIc ${encoded("bob", "secret")}`);
  await assert.rejects(show("bob", "secret2"), wrong);
  await assert.rejects(show("bob", "secret2"), wrong, "from memory");
  await assert.rejects(show("cid", "secret"), wrong);
  await assert.rejects(show("", ""), wrong);
  await assert.rejects(showRaw(""), { message: "no basic auth provided" });
  await assert.rejects(showRaw("Bearer x"), { message: "invalid authorization scheme prefix" });
  await assert.rejects(showRaw("Basic !!"), { message: "invalid authorization format" });
  const count = (outcome: string) =>
    settings.meter.sum("inode_gateway_authentications", { outcome });
  assert.deepEqual([count("accepted"), count("wrong"), count("missing")], [3, 6, 1]);
});

test("credentials are taken up to their limit, and must be base64 with a colon", () => {
  const header = (length: number) => `Basic ${encoded("a", "x".repeat(length))}`;
  assert.equal(parseBasicHeader(header(4_094)).password.length, 4_094);
  const invalid = { message: "invalid authorization format" };
  assert.throws(() => parseBasicHeader(header(4_095)), invalid);
  for (const raw of ["", "a b", "YW5u", "YW5uOng=x", "YW5u.Ong"]) {
    assert.throws(() => parseBasicHeader(`Basic ${raw}`), invalid, raw);
  }
});

test("inline lines win over the file, which is followed", async (t) => {
  const file = makeFile(t, "ann:from file\nbob:from file\n");
  const { look, settings, show } = await startAuth(t, {
    htpasswd: { file, inline: "ann:inline" },
  });
  await show("ann", "inline");
  await show("bob", "from file");
  await assert.rejects(show("ann", "from file"), wrong);
  writeFileSync(file, "cid:new\n");
  await look();
  await show("cid", "new");
  await show("ann", "inline");
  await assert.rejects(show("bob", "from file"), wrong);
  writeFileSync(file, "cid:$2y$canary\n");
  await look();
  await show("cid", "new");
  const logged = JSON.stringify(settings.logger.records);
  assert.match(logged, /the password in line 1 begins like a hash and is none/);
  assert.doesNotMatch(logged, /canary|from file|inline"|new"/);
});

test("a changed bcrypt line ends what was remembered of the old one", async (t) => {
  const file = makeFile(t, `ann:${hashSync("old", 4)}\n`);
  const { clock, look, show } = await startAuth(t, { htpasswd: { file } });
  await show("ann", "old");
  clock.advance(0);
  writeFileSync(file, `ann:${hashSync("new", 4)}\n`);
  await look();
  await assert.rejects(show("ann", "old"), wrong);
  await show("ann", "new");
});

test("a name that nobody has takes a check like any other, and a place of its own", async (t) => {
  const { show } = await startAuth(t, { htpasswd: { inline: `ann:${hashSync("right", 4)}` } });
  const told: unknown[] = [];
  const guesses = Array.from({ length: 2 + PENDING_PER_USER_MAX }, (_, guess) =>
    show(`nobody-${guess}`, "right").catch((error: unknown) => told.push(error)),
  );
  await settle();
  assert.equal(told.length, 1, "one is under way, and as many wait as may");
  assert.ok(told[0] instanceof RetryableError);
  await show("ann", "right");
  await Promise.all(guesses);
  assert.ok(told.slice(1).every((error) => error instanceof AuthenticationError));
});

test("a file that is emptied turns nobody away", async (t) => {
  const file = makeFile(t, "ann:secret\n");
  const { look, settings, show } = await startAuth(t, { htpasswd: { file } });
  writeFileSync(file, "");
  await look();
  await show("ann", "secret");
  assert.match(settings.states.at(-1)?.reason ?? "", /it names no user$/);
});

// Scenario: a bcrypt of cost 10 takes some 60 ms; guesses for one user come faster than that.
test("a flood of wrong passwords holds up neither the process nor who is known", async (t) => {
  const settings = createTestSettings({ id: "basicauth", kind: "extension", clock: realClock });
  const inline = `ann:${hashSync("right", 10)}\nbob:${hashSync("right", 10)}`;
  const extension = basicAuth.create(settings, basicAuthConfig.parse({ htpasswd: { inline } }));
  const host = new TestHost({ basicauth: extension });
  await extension.start(host);
  t.after(() => extension.shutdown(0));
  const server = serverAuthenticatorOf(host, "basicauth");
  const show = (name: string, password: string) =>
    server.authenticate(new Map([["authorization", [`Basic ${encoded(name, password)}`]]]));
  await show("ann", "right");

  const before = performance.eventLoopUtilization();
  const guesses = await Promise.allSettled([
    ...Array.from({ length: 50 }, (_, guess) => show("ann", `guess-${guess}`)),
    show("ann", "right"),
    show("bob", "right"),
  ]);
  const { utilization } = performance.eventLoopUtilization(before);
  const [bob, ann] = [guesses.pop(), guesses.pop()];
  assert.equal(ann?.status, "fulfilled");
  assert.equal(bob?.status, "fulfilled", "in turn with the guesses for another user");
  const busy = guesses.filter(
    (guess) => guess.status === "rejected" && guess.reason instanceof RetryableError,
  );
  // One is under way, and as many wait as may.
  assert.equal(busy.length, 50 - 1 - PENDING_PER_USER_MAX);
  assert.ok(utilization < 0.5, `${utilization} of the time nobody else was served`);
});

test("senders with the same credentials wait for one check", async (t) => {
  const inline = `ann:${hashSync("right", 4)}`;
  const { show } = await startAuth(t, { htpasswd: { inline } });
  const all = await Promise.all(Array.from({ length: 200 }, () => show("ann", "right")));
  assert.equal(all.length, 200);
});

test("stopping ends checks that are under way, retryably", async (t) => {
  const inline = `ann:${hashSync("right", 12)}`;
  const { extension, show } = await startAuth(t, { htpasswd: { inline } });
  const checks = ["a", "b"].map((password) =>
    assert.rejects(show("ann", password), RetryableError),
  );
  await extension.shutdown(0);
  await Promise.all(checks);
  await assert.rejects(show("ann", "c"), RetryableError);
});

test("sends what is configured, or what the files hold, followed", async (t) => {
  const plain = await startAuth(t, { client_auth: { username: "ann", password: "p" } });
  assert.deepEqual(plain.own(), [["authorization", `Basic ${encoded("ann", "p")}`]]);
  const [username_file, password_file] = [makeFile(t, "bob\n"), makeFile(t, "secret\n")];
  const { look, own } = await startAuth(t, {
    client_auth: { username: "ann", password: "p", username_file, password_file },
  });
  assert.deepEqual(own(), [["authorization", `Basic ${encoded("bob", "secret")}`]]);
  writeFileSync(password_file, "next");
  writeFileSync(username_file, "with:colon");
  await look(2);
  assert.deepEqual(own(), [["authorization", `Basic ${encoded("bob", "next")}`]]);
});

test("a side that is not configured is not offered", async (t) => {
  const client = await startAuth(t, { client_auth: { username: "ann" } });
  assert.throws(() => serverAuthenticatorOf(client.host, "basicauth"), /checks no senders/);
  const server = await startAuth(t, { htpasswd: { inline: "ann:x" } });
  assert.throws(() => clientAuthenticatorOf(server.host, "basicauth"), /no credentials to send/);
});

function problemsOf(written: unknown): string[] {
  const result = basicAuthConfig.safeParse(written);
  return result.success
    ? []
    : result.error.issues.map(({ message, path }) => `${path.join(".")}: ${message}`);
}

test("needs exactly one side, with a source", () => {
  const none =
    "no credential source provided: set `htpasswd::file`, `htpasswd::inline` or `client_auth`";
  assert.deepEqual(problemsOf({}), [`: ${none}`]);
  assert.deepEqual(problemsOf({ htpasswd: {} }), [`htpasswd: ${none}`]);
  assert.deepEqual(problemsOf({ htpasswd: { inline: "a:b" }, client_auth: { username: "a" } }), [
    ": only one of `htpasswd` or `client_auth` can be specified",
  ]);
  assert.deepEqual(problemsOf({ client_auth: {} }), [
    "client_auth: needs `username` or `username_file`",
  ]);
  assert.deepEqual(problemsOf({ client_auth: { username: "a:b" } }), [
    "client_auth.username: must not contain a colon",
  ]);
  assert.deepEqual(problemsOf({ htpasswd: { inline: "ann:x\nbob:$2x$canary" } }), [
    "htpasswd.inline: the password in line 2 is hashed in a way that is not supported, use bcrypt " +
      "($2y$), SHA-crypt ($5$, $6$), MD5-crypt ($apr1$, $1$), {SHA}, {SSHA} or plain text",
  ]);
});

test("passwords are not shown with a configuration", () => {
  const shown = redact(basicAuthConfig, {
    htpasswd: { inline: "ann:canary-1" },
    client_auth: { username: "ann", password: "canary-2" },
  });
  assert.doesNotMatch(JSON.stringify(shown), /canary/);
});
