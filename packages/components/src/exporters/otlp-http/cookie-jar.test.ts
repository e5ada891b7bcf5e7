import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "@inode-gateway/testkit";
import { COOKIE_BYTES_MAX, COOKIES_MAX, CookieJar } from "./cookie-jar.js";

test("what was set is sent, the newest value of a name, until it expires", () => {
  const clock = new FakeClock();
  const jar = new CookieJar(clock);
  assert.equal(jar.header, undefined);
  jar.store(["a=1; Path=/v1; HttpOnly", "b=2; Max-Age=10; Expires=Thu, 01 Jan 1970 00:00:00 GMT"]);
  jar.store(["a=3", "c=4; expires=Thu, 01 Jan 2026 00:00:05 GMT"]);
  assert.equal(jar.header, "b=2; a=3; c=4");
  clock.advance(5_000);
  assert.equal(jar.header, "b=2; a=3");
  clock.advance(5_000);
  assert.equal(jar.header, "a=3");
  jar.store(["a=; Max-Age=0"]);
  assert.equal(jar.header, undefined);
});

test("what is no cookie, or too long, is passed over", () => {
  const jar = new CookieJar(new FakeClock());
  const longest = `l=${"x".repeat(COOKIE_BYTES_MAX - 2)}`;
  jar.store(["", "=1", "a b=1", "a=1\r\nx", 'q="1"', longest, `m${longest}`]);
  assert.equal(jar.header, `q="1"; ${longest}`);
});

test("the cookie longest unheard of makes room for one too many", () => {
  const jar = new CookieJar(new FakeClock());
  const names = Array.from({ length: COOKIES_MAX }, (_, index) => `n${index}`);
  jar.store(names.map((name) => `${name}=1`));
  assert.equal(jar.header?.split("; ").length, COOKIES_MAX);
  jar.store(["n0=2", "new=1"]);
  const sent = jar.header?.split("; ") ?? [];
  assert.equal(sent.length, COOKIES_MAX);
  assert.ok(sent.includes("n0=2") && sent.includes("new=1") && !sent.includes("n1=1"));
});
