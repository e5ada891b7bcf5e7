import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { GoRegExp } from "./go-regexp.js";
import { INSTRUCTIONS_MAX, LinearMatcher } from "./linear-matcher.js";
import { PATTERN_CHARACTERS_MAX, parsePattern } from "./parse-pattern.js";
import { PatternError } from "./pattern-node.js";

/** What Go 1.26 answered: every pattern on every text, groups as text, null without part in it. */
interface GoResults {
  readonly texts: readonly string[];
  readonly patterns: readonly (
    | { readonly pattern: string; readonly error: true }
    | {
        readonly pattern: string;
        readonly names: readonly string[];
        readonly results: readonly (readonly (string | null)[] | null)[];
      }
  )[];
}

const resultsPath = new URL("../../src/go-regexp/go-results.json", import.meta.url);
const go = JSON.parse(readFileSync(resultsPath, "utf8")) as GoResults;

for (const expected of go.patterns) {
  const { pattern } = expected;
  if ("error" in expected) {
    test(`refuses what Go refuses: ${JSON.stringify(pattern)}`, () => {
      assert.throws(() => new GoRegExp(pattern), PatternError);
    });
    continue;
  }
  test(`matches as Go does: ${JSON.stringify(pattern)}`, () => {
    const expression = new GoRegExp(pattern);
    const { groupNames, root } = parsePattern(pattern);
    const linear = new LinearMatcher(root, groupNames.length);
    assert.deepEqual(expression.groupNames, expected.names);
    for (const [index, text] of go.texts.entries()) {
      const result: readonly (string | null)[] | null = expected.results[index] ?? null;
      assert.deepEqual(plain(expression.exec(text)), result, `on ${JSON.stringify(text)}`);
      assert.deepEqual(plain(linear.exec(text)), result, `linear, on ${JSON.stringify(text)}`);
      assert.equal(expression.test(text), result !== null);
    }
  });
}

test("a long text gets the same answer as a short one", () => {
  const expression = new GoRegExp("^(?P<head>.*)=(?P<tail>.*)$");
  for (const length of [10, 1_000, 1_001, 70_000]) {
    const [, head, tail] = expression.exec(`${"h".repeat(length)}=t`) ?? [];
    assert.equal(head?.length, length);
    assert.equal(tail, "t");
    assert.equal(expression.test("h".repeat(length)), false);
  }
});

test("no text makes a pattern run away", () => {
  const startMs = performance.now();
  for (const [pattern, text] of [
    ["(a+)+$", `${"a".repeat(20_000)}b`],
    ["(a|aa)+$", `${"a".repeat(20_000)}b`],
    [".*.*.*=.*", "a".repeat(3_000)],
    ["(?:.*,){20}x", ",".repeat(2_000)],
  ] as const) {
    assert.equal(new GoRegExp(pattern).test(text), false, pattern);
  }
  assert.ok(performance.now() - startMs < 5_000);
});

test("a text beyond the bound on memory matches nothing", () => {
  const expression = new GoRegExp("(?:a|b){500}(?:a|b){500}$");
  assert.equal(expression.test("a".repeat(1_000)), true);
  assert.equal(expression.test("a".repeat(200_000)), false);
});

test("patterns have a longest length and a largest program", () => {
  const longest = "a".repeat(PATTERN_CHARACTERS_MAX);
  assert.equal(new GoRegExp(longest).test(longest), true);
  assert.throws(() => new GoRegExp(`${longest}a`), {
    name: "PatternError",
    message: `has ${PATTERN_CHARACTERS_MAX + 1} characters, at most ${PATTERN_CHARACTERS_MAX} are taken`,
  });
  new GoRegExp("(?:ab){1000}(?:abcdefg){999}");
  assert.throws(() => new GoRegExp("(?:abcdef){1000}(?:abcdef){1000}"), {
    name: "PatternError",
    message: `needs more than ${INSTRUCTIONS_MAX} instructions, ask for less`,
  });
  assert.throws(() => new GoRegExp(`${"(".repeat(201)}a${")".repeat(201)}`), {
    message: "nests deeper than 200 groups",
  });
});

function plain(groups: readonly (string | undefined)[] | undefined): (string | null)[] | null {
  return groups === undefined ? null : Array.from(groups, (group) => group ?? null);
}
