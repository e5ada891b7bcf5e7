import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parsePattern } from "./parse-pattern.js";
import { PatternError } from "./pattern-node.js";
import { PatternProgram } from "./pattern-program.js";
import {
  MATCH_STEPS_MAX,
  MATCH_SUBJECT_UNITS_MAX,
  RegularExpression,
} from "./regular-expression.js";

const matches: readonly (readonly [boolean, string, string])[] = [
  [true, "", ""],
  [true, "", "a"],
  [true, "b", "abc"],
  [false, "^b", "abc"],
  [true, "^a.c$", "abc"],
  [false, "^a.c$", "a\nc"],
  [true, "(?s)^a.c$", "a\nc"],
  [true, "(?m)^b$", "a\nb\nc"],
  [false, "^b$", "a\nb\nc"],
  [false, "a$", "a\n"],
  [true, "(?i)HELLO", "hello"],
  [true, "(?i)É", "é"],
  [false, "HELLO", "hello"],
  [true, "(?ims)^A.B$", "x\na\nb"],
  [true, "a|b|c", "xxcxx"],
  [true, "^(?:a|b)+$", "abab"],
  [true, "^(?P<name>a)(?<other>b)$", "ab"],
  [true, "^a{2,3}$", "aaa"],
  [false, "^a{2,3}$", "aaaa"],
  [true, "^a{2,}$", "aaaaa"],
  [false, "^a{2}$", "a"],
  [true, "^a{,2}$", "a{,2}"],
  [true, "a*?b", "aab"],
  [true, "\\d\\w\\s", "1a "],
  [false, "\\s", "\u00a0"],
  [false, "\\d", "\u0663"],
  [true, "\\D\\W\\S", "a-b"],
  [true, "[[:alpha:]][[:^digit:]]", "ab"],
  [true, "^[]a]+$", "]a"],
  [true, "^[^]a]$", "b"],
  [true, "^[a-c\\d-]+$", "b2-"],
  [true, "^[\\x41-\\x{43}]+$", "ABC"],
  [true, "\\pL\\p{Greek}\\PL", "aα1"],
  [true, "\\p{^L}", "1"],
  [true, "\\bfoo\\b", "a foo b"],
  [false, "\\bfoo\\b", "afoob"],
  [true, "\\Boo", "foo"],
  [true, "\\Aab\\z", "ab"],
  [false, "\\Ab", "ab"],
  [true, "^\\Qa.b*\\E+$", "a.b***"],
  [true, "\\.\\-\\/\\@", ".-/@"],
  [true, "^.$", "😀"],
  [true, "}", "}"],
  [true, "]", "]"],
];

// Guarantees: the engine's search and the machine give the same answer, and it is RE2's.
test("matches as RE2 does", () => {
  for (const [expected, pattern, text] of matches) {
    const label = `${pattern} on ${JSON.stringify(text)}`;
    assert.equal(new RegularExpression(pattern).matches(text), expected, label);
    const { isCaseIgnored, node } = parsePattern(pattern);
    assert.equal(
      new PatternProgram(node, isCaseIgnored).matches(text),
      expected,
      `${label}, machine`,
    );
  }
});

test("refuses what RE2 does not have and what is not supported", () => {
  for (const [pattern, message] of [
    ["(", "a group is not closed"],
    [")", "unexpected `)`"],
    ["[a", "a class is not closed"],
    ["*a", "nothing stands before `*`"],
    ["a**", "a repetition of a repetition"],
    ["a{1001}", "repetition `{1001}` is not within"],
    ["a{3,2}", "repetition `{3,2}` is not within"],
    ["(?=a)", "only `(...)`"],
    ["(?<!a)", "only `(...)`"],
    ["a(?i)b", "only `(...)`"],
    ["(?U)a", "flag `U` is not supported"],
    ["\\1", "unknown escape `\\1`"],
    ["\\C", "unknown escape `\\C`"],
    ["\\", "a backslash stands at the end"],
    ["[b-a]", "a range of a class is not ascending"],
    ["[[:nope:]]", "unknown class `[:nope:]`"],
    ["\\p{Nope}", "unknown Unicode class"],
    ["(?:a{100}){200}", "the pattern needs more than 10000 steps"],
    ["(".repeat(101) + ")".repeat(101), "groups are nested deeper than 100"],
  ] as const) {
    assert.throws(
      () => new RegularExpression(pattern),
      (error) => {
        assert.ok(error instanceof PatternError, `${pattern}: ${error}`);
        assert.ok(error.message.startsWith(message), `${pattern}: ${error.message}`);
        return true;
      },
    );
  }
});

// Scenario: patterns over a and b that a backtracking search answers too, for texts so short that it ends.
test("agrees with a backtracking search on random patterns", () => {
  const { pattern } = fc.letrec<{ pattern: string }>((tie) => ({
    pattern: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom("a", "b", ".", "[ab]", "[^a]", "^", "$", "\\b", ""),
      fc.tuple(tie("pattern"), tie("pattern")).map(([one, other]) => one + other),
      fc.tuple(tie("pattern"), tie("pattern")).map(([one, other]) => `(${one}|${other})`),
      fc
        .tuple(tie("pattern"), fc.constantFrom("*", "+", "?", "{2}", "{1,2}"))
        .map(([part, times]) => `(?:${part})${times}`),
    ),
  }));
  const text = fc.string({ unit: fc.constantFrom("a", "b", " ", "\n"), maxLength: 8 });
  fc.assert(
    fc.property(pattern, text, (source, subject) => {
      const expected = new RegExp(source.replaceAll(".", "[^\\n]"), "u").test(subject);
      const { isCaseIgnored, node } = parsePattern(source);
      assert.equal(new PatternProgram(node, isCaseIgnored).matches(subject), expected);
      assert.equal(new RegularExpression(source).matches(subject), expected);
    }),
    { numRuns: 500 },
  );
});

// Scenario: patterns that take a backtracking search longer than the age of the universe.
test("takes time that grows with the text, not with the ways through it", () => {
  const text = "a".repeat(2_000);
  const startMs = performance.now();
  for (const pattern of ["(a*)*b", "(a|a)*b", "(a+)+$b", "a*a*a*a*a*a*b", "(a?){30}a{30}b"]) {
    assert.equal(new RegularExpression(pattern).matches(text), false);
    assert.equal(new RegularExpression(pattern).matches("a".repeat(40)), false);
  }
  assert.ok(performance.now() - startMs < 5_000);
});

test("accepts the longest text and refuses one more character", () => {
  const expression = new RegularExpression("b$");
  assert.equal(expression.matches("b".padStart(MATCH_SUBJECT_UNITS_MAX, "a")), true);
  assert.throws(
    () => expression.matches("b".padStart(MATCH_SUBJECT_UNITS_MAX + 1, "a")),
    RangeError,
  );

  const large = new RegularExpression("a{1000}b");
  const unitsMax = Math.floor(MATCH_STEPS_MAX / 1_002);
  assert.equal(large.unitsMax, unitsMax);
  assert.equal(large.matches("b".padStart(unitsMax, "a")), true);
  assert.throws(() => large.matches("b".padStart(unitsMax + 1, "a")), RangeError);
});
