import assert from "node:assert/strict";
import { test } from "node:test";
import { type RedisServer, startRedis, waitUntil } from "@inode-gateway/testkit";
import type { RedisRegistryOptions } from "../registry-options.js";
import { createRedisRegistry } from "./redis-registry.js";

/** The reason for which a registry stays away, once it has been told apart from connecting. */
async function reasonFor(options: RedisRegistryOptions): Promise<string> {
  const registry = createRedisRegistry(options);
  await registry.start();
  try {
    const isDecided = () =>
      registry.availability.isAvailable ||
      !/^(connecting|not )/.test(registry.availability.reason ?? "");
    await waitUntil(isDecided, { limitMs: 10_000, description: "a reason" });
    return registry.availability.reason ?? "available";
  } finally {
    await registry.stop();
  }
}

function at(server: RedisServer, scheme = "redis", host = "127.0.0.1"): string {
  return `${scheme}://${host}:${server.port}`;
}

test("says in a sentence what is wrong with the password, and never shows it", async () => {
  await using server = await startRedis({ password: "s3cret" });
  const endpoint = at(server);
  assert.equal(await reasonFor({ endpoint, password: "s3cret" }), "available");
  assert.equal(
    await reasonFor({ endpoint: `redis://default:s3cret@127.0.0.1:${server.port}` }),
    "available",
  );
  assert.equal(
    await reasonFor({ endpoint, password: "wr0ng" }),
    `${endpoint} refused the password of user \`default\`; check \`username\` and \`password\``,
  );
  assert.equal(
    await reasonFor({ endpoint: `redis://nobody:wr0ng@127.0.0.1:${server.port}` }),
    `${endpoint} refused the password of user \`nobody\`; check \`username\` and \`password\``,
  );
  assert.equal(
    await reasonFor({ endpoint }),
    `${endpoint} asks for a password and none is set; set \`password\``,
  );
});

test("says in a sentence what is wrong with TLS", async () => {
  await using server = await startRedis({ tls: true });
  const endpoint = at(server, "rediss", "localhost");
  const ca = server.ca;
  assert.equal(await reasonFor({ endpoint, tls: { ca } }), "available");
  assert.equal(await reasonFor({ endpoint: at(server), tls: { ca } }), "available");
  assert.equal(await reasonFor({ endpoint, tls: { rejectUnauthorized: false } }), "available");
  assert.match(
    await reasonFor({ endpoint }),
    /^the certificate of rediss:\/\/localhost:\d+ is not signed by an authority trusted here \(\w+\); set `tls::ca_file` to its authority$/,
  );
  assert.match(
    await reasonFor({ endpoint, tls: { ca, servername: "redis.example" } }),
    /^the certificate of rediss:\/\/localhost:\d+ is for another name \(.*redis\.example.*\); set `tls::server_name_override`$/,
  );
  assert.equal(
    await reasonFor({ endpoint: at(server) }),
    `${at(server)} closed the connection before it was ready; ` +
      "if it expects TLS, write `rediss://` or set `tls`",
  );
});

test("says that a server may not speak TLS", async () => {
  await using server = await startRedis();
  const endpoint = at(server, "rediss");
  // A Redis without TLS takes the handshake for the beginning of a command and waits for its end.
  assert.equal(
    await reasonFor({ endpoint, connectTimeoutMs: 300 }),
    `no connection to ${endpoint} within 300 ms: ` +
      "check `endpoint` and firewalls, and whether that Redis speaks TLS",
  );
});

test("reaches a unix socket, and says when there is none", async () => {
  await using server = await startRedis();
  assert.equal(await reasonFor({ endpoint: server.unixEndpoint }), "available");
  assert.equal(
    await reasonFor({ endpoint: "unix:///nonexistent/redis.sock" }),
    "the socket unix:///nonexistent/redis.sock does not exist: start Redis, or correct `endpoint`",
  );
});

test("does not write into another database than the one that was named", async () => {
  await using server = await startRedis();
  assert.equal(await reasonFor({ endpoint: `${at(server)}/15` }), "available");
  assert.equal(
    await reasonFor({ endpoint: `${at(server)}/16` }),
    `${at(server)} has no database of that number; check the end of \`endpoint\``,
  );
});

test("an endpoint that cannot be read or resolved is a reason, not a crash", async () => {
  assert.equal(
    await reasonFor({ endpoint: "http://redis" }),
    "endpoint `http://redis` begins with `http:`, it must be `redis://host:6379/0`, " +
      "`rediss://host:6379/0` or `unix:///path/redis.sock`",
  );
  assert.match(
    await reasonFor({ endpoint: "redis://no-such-host.invalid" }),
    /^the host name of redis:\/\/no-such-host\.invalid:6379 cannot be resolved \(\w+\); check `endpoint` and DNS$/,
  );
});
