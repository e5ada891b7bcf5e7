import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { hashSync } from "bcryptjs";
import { parseHtpasswd, USERS_MAX } from "./htpasswd.js";
import { isSlow, matches, type StoredPassword, storedPassword } from "./stored-password.js";

function stored(text: string): StoredPassword {
  const result = storedPassword(text);
  assert.ok("form" in result, JSON.stringify(result));
  return result;
}

function openssl(option: string, salt: string, password: string): string {
  return execFileSync("openssl", ["passwd", option, "-salt", salt, "-stdin"], {
    input: `${password}\n`,
    encoding: "utf8",
  }).trim();
}

const passwords = [
  "x",
  "secret",
  "pass word:with colon",
  "exactly-sixteen!",
  "longer than sixteen bytes, shorter than 64",
  "p\u00e4ssw\u00f6rd-\u20ac-\u{1f511}",
  "a password that is longer than the sixty-four bytes of a SHA-512 digest, by some",
];

test("crypt forms are checked as OpenSSL makes them, and no other password fits", () => {
  for (const password of passwords) {
    for (const [option, salt] of [
      ["-1", "saltsalt"],
      ["-apr1", "s"],
      ["-5", "sixteencharacter"],
      ["-6", "short"],
      ["-6", "sixteencharacter"],
      ["-5", "a"],
    ] as const) {
      const hash = stored(openssl(option, salt, password));
      assert.ok(isSlow(hash));
      assert.ok(matches(password, hash), `${option} ${salt} ${password}`);
      assert.ok(!matches(`${password}x`, hash));
    }
  }
});

test("rounds of SHA-crypt are read where they are written", () => {
  for (const [option, salt] of [
    ["-5", "rounds=1000$abc"],
    ["-6", "rounds=12345$sixteencharacter"],
  ] as const) {
    const text = openssl(option, salt, "Hello world!");
    assert.match(text, /\$rounds=\d+\$/);
    assert.ok(matches("Hello world!", stored(text)), text);
    assert.ok(!matches("Hello world!", stored(text.replace(/rounds=\d+/, "rounds=1001"))));
  }
});

test("bcrypt, {SHA}, {SSHA} and plain text", () => {
  for (const password of passwords) {
    const sha = createHash("sha1").update(password).digest("base64");
    const salted = createHash("sha1").update(password).update("salt").digest();
    const ssha = Buffer.concat([salted, Buffer.from("salt")]).toString("base64");
    const bcrypt = hashSync(password, 4);
    for (const text of [
      `{SHA}${sha}`,
      `{SSHA}${ssha}`,
      password,
      bcrypt,
      bcrypt.replace(/^\$2[ab]/, "$2y"),
    ]) {
      assert.ok(matches(password, stored(text)), text);
      assert.ok(!matches(`x${password}`, stored(text)), text);
      assert.ok(!matches("", stored(text)), text);
    }
  }
});

const bcryptOfCost = (cost: string) => `$2y$${cost}$${"a".repeat(53)}`;

test("the last accepted cost and the first refused one", () => {
  assert.equal(stored(bcryptOfCost("14")).form, "bcrypt");
  assert.deepEqual(storedPassword(bcryptOfCost("15")), {
    problem: "has a bcrypt cost of 15, 4 to 14 are allowed",
  });
  assert.equal(stored(bcryptOfCost("04")).form, "bcrypt");
  assert.ok("problem" in storedPassword(bcryptOfCost("03")));
  const shaCryptOf = (rounds: number) => `$5$rounds=${rounds}$salt$${"a".repeat(43)}`;
  assert.equal(stored(shaCryptOf(500_000)).form, "sha_crypt");
  assert.deepEqual(storedPassword(shaCryptOf(500_001)), {
    problem: "has 500001 rounds, 1000 to 500000 are allowed",
  });
  assert.ok("problem" in storedPassword(shaCryptOf(999)));
});

test("what looks like a hash and is none that is known is refused, and never repeated", () => {
  for (const text of [
    "$2x$10$canarycanary",
    "$2y$10$canary",
    "$apr1$canary",
    "$6$canary",
    "$argon2id$v=19$m=65536$canary",
    "$7$canary",
    "{SHA}canary",
    "{SSHA}canary",
    "{CRYPT}canary",
    "{SHA512}canary",
    "",
  ]) {
    const result = storedPassword(text);
    assert.ok("problem" in result, text);
    assert.doesNotMatch(result.problem, /canary|argon/);
  }
});

test("htpasswd lines: comments and empty ones are left out, the later of two counts", () => {
  const users = parseHtpasswd("# users\n\nann:one\r\n  bob:two:with colon \nann:three\n");
  assert.deepEqual(
    [...users].map(([name, { text }]) => [name, text]),
    [
      ["ann", "three"],
      ["bob", "two:with colon"],
    ],
  );
});

test("an htpasswd line that cannot be used is named by its number only", () => {
  assert.throws(() => parseHtpasswd("ann:x\ncanary"), { message: "line 2 is not `name:password`" });
  assert.throws(() => parseHtpasswd(":canary"), { message: "line 1 is not `name:password`" });
  assert.throws(() => parseHtpasswd("ann:$2y$99$canary"), {
    message: "the password in line 1 begins like a hash and is none: is a part missing?",
  });
  const users = Array.from({ length: USERS_MAX }, (_, index) => `u${index}:p`).join("\n");
  assert.equal(parseHtpasswd(users).size, USERS_MAX);
  assert.throws(() => parseHtpasswd(`${users}\nmore:p`), {
    message: "it has more than 10000 users, the limit",
  });
});
