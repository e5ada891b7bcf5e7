import assert from "node:assert/strict";
import { test } from "node:test";
import { parseRedisEndpoint } from "./endpoint.js";

test("reads host, port, database and credentials", () => {
  assert.deepEqual(parseRedisEndpoint("redis://redis"), {
    shown: "redis://redis:6379",
    isTls: false,
    host: "redis",
    port: 6379,
    path: undefined,
    database: 0,
    username: undefined,
    password: undefined,
  });
  const full = parseRedisEndpoint("rediss://app:p%40ss%3Aw@[::1]:7000/3");
  assert.equal(full.shown, "rediss://[::1]:7000");
  assert.equal(full.host, "::1");
  assert.equal(full.isTls, true);
  assert.equal(full.database, 3);
  assert.equal(full.username, "app");
  assert.equal(full.password, "p@ss:w");
});

test("reads a unix socket with and without a database", () => {
  const plain = parseRedisEndpoint("unix:///run/redis/redis.sock");
  assert.equal(plain.path, "/run/redis/redis.sock");
  assert.equal(plain.database, 0);
  assert.equal(parseRedisEndpoint("unix:///run/redis.sock?db=2").database, 2);
});

test("says what is wrong and never shows a password", () => {
  const forms = "`redis://host:6379/0`, `rediss://host:6379/0` or `unix:///path/redis.sock`";
  const faults: [string, string][] = [
    ["redis:6379", `endpoint \`redis:6379\` names no host, it must be ${forms}`],
    ["6379", `endpoint \`6379\` is not a URL such as ${forms}`],
    ["http://redis", `endpoint \`http://redis\` begins with \`http:\`, it must be ${forms}`],
    ["redis://u:s#cret@redis:99999", `endpoint \`…@redis:99999\` is not a URL such as ${forms}`],
    ["redis://redis/x", "database `x` of the endpoint is not a number from 0 to 999999"],
    [
      "redis://redis/1000000",
      "database `1000000` of the endpoint is not a number from 0 to 999999",
    ],
    ["redis://u:%zz@redis", "password in the endpoint is not percent-encoded correctly"],
    ["unix://redis.sock", "endpoint of a unix socket must have an absolute path: `unix:///path`"],
  ];
  for (const [endpoint, message] of faults) {
    assert.throws(() => parseRedisEndpoint(endpoint), { name: "RangeError", message }, endpoint);
  }
  assert.equal(parseRedisEndpoint("redis://redis/999999").database, 999_999);
});
