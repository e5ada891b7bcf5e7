import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  GoRegExp,
  PATTERN_CHARACTERS_MAX,
  PATTERN_INSTRUCTIONS_MAX,
  PatternError,
  TEXT_UNITS_MAX,
} from "./go-regexp.js";

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
    assert.deepEqual(expression.groupNames, expected.names);
    for (const [index, text] of go.texts.entries()) {
      const result: readonly (string | null)[] | null = expected.results[index] ?? null;
      assert.deepEqual(plain(expression.exec(text)), result, `on ${JSON.stringify(text)}`);
      assert.equal(expression.test(text), result !== null);
    }
  });
}

test("a group name that stands twice is refused, which Go takes", () => {
  assert.throws(() => new GoRegExp("(?P<n>x)(?P<n>y)"), PatternError);
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

test("a text has a longest length, beyond which it matches nothing", () => {
  const expression = new GoRegExp("^(?P<head>.*)=(?P<tail>.*)$");
  const longest = `${"h".repeat(TEXT_UNITS_MAX - 2)}=t`;
  assert.equal(expression.test(longest), true);
  assert.equal(expression.exec(longest)?.[2], "t");
  assert.equal(expression.test(`${longest}t`), false);
  assert.equal(expression.exec(`${longest}t`), undefined);
});

// Scenario: a pattern whose instructions are all alive at each character, so that nothing is skipped.
test("a large pattern takes shorter texts, so that no match takes long", () => {
  const expression = new GoRegExp("[ab]*a[ab]{1000}[ab]{1000}[ab]{1000}[cd]$");
  const { textUnitsMax } = expression;
  assert.ok(textUnitsMax < 3_000, `${textUnitsMax}`);
  const startMs = performance.now();
  assert.equal(expression.test("ab".repeat(textUnitsMax / 2)), false);
  assert.ok(performance.now() - startMs < 2_000);
  const repeated = new GoRegExp("a{1000}b");
  assert.equal(repeated.test("b".padStart(repeated.textUnitsMax, "a")), true);
  assert.equal(repeated.test("b".padStart(repeated.textUnitsMax + 1, "a")), false);
});

test("patterns have a longest length and a largest program", () => {
  const longest = "a".repeat(PATTERN_CHARACTERS_MAX);
  assert.equal(new GoRegExp(longest).test(longest.slice(1)), false);
  assert.throws(() => new GoRegExp(`${longest}a`), {
    name: "PatternError",
    message: `has ${PATTERN_CHARACTERS_MAX + 1} characters, at most ${PATTERN_CHARACTERS_MAX} are taken`,
  });
  new GoRegExp("(?:ab){1000}(?:abcdefg){999}");
  assert.throws(() => new GoRegExp("(?:abcdef){1000}(?:abcdef){1000}"), {
    name: "PatternError",
    message: new RegExp(`^needs \\d+ instructions, at most ${PATTERN_INSTRUCTIONS_MAX} are taken$`),
  });
});

function plain(groups: readonly (string | undefined)[] | undefined): (string | null)[] | null {
  return groups === undefined ? null : Array.from(groups, (group) => group ?? null);
}
