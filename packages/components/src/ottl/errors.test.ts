import assert from "node:assert/strict";
import { test } from "node:test";
import { GoRegExp } from "../go-regexp/go-regexp.js";
import { compileCondition } from "./compile-condition.js";
import { ConditionSyntaxError, EvaluationError } from "./condition-error.js";
import { inferContext } from "./infer-context.js";
import { holds } from "./language.rig.js";
import { CONDITION_CHARACTERS_MAX } from "./lexer.js";
import { CONDITION_DEPTH_MAX } from "./parse-condition.js";
import type { ContextName } from "./path-fields.js";

const refused: readonly (readonly [ContextName, string, string])[] = [
  ["span", "", "column 1: found the end, expected a value"],
  ["span", "name ==", "column 8: found the end, expected a value"],
  ["span", 'name = "a"', "column 6: found `=`, expected `==`"],
  ["span", "name == 'a'", 'column 9: unexpected character "\'"; strings stand in double'],
  ["span", 'name == "a', 'column 9: string has no closing `"`'],
  ["span", "true && true", 'column 6: unexpected character "&"; conditions are joined by `and`'],
  ["span", "true || true", 'column 6: unexpected character "|"; conditions are joined by `or`'],
  ["span", "!true", 'column 1: unexpected character "!"; a condition is negated by `not`'],
  ["span", "not not true", "column 5: found `not`, expected a value"],
  ["span", "(true", "column 6: found the end, expected `)`"],
  ["span", "true)", "column 5: found `)`, expected `and`, `or` or the end"],
  ["span", "true true", "column 6: found `true`, expected `and`, `or` or the end"],
  ["span", "1 < 2 < 3", "column 7: found `<`, expected `and`, `or` or the end"],
  ["span", "name", "column 1: a value alone is no condition"],
  ["span", "1 + 2", "column 3: a value alone is no condition"],
  ["span", '"a" and true', "column 1: a value alone is no condition"],
  ["span", "(1 == 1) == true", "column 4: a condition stands where a value is expected"],
  ["span", "nme == 1", "column 1: context `span` has no `nme`, did you mean `name`?"],
  ["span", "zzzzzzzz == 1", "column 1: context `span` has no `zzzzzzzz`; supported are `trace_id`"],
  ["span", "status == 1", "column 1: `status` as a whole is not supported, only `status.code`"],
  ["span", "status.cod == 1", "column 8: `status` has no `cod`, did you mean `code`?"],
  ["span", "name.x == 1", "column 6: `name` has no `x`"],
  ["span", 'name["a"] == 1', "column 6: `name` cannot be indexed"],
  ["span", "attributes[0] == 1", "column 12: attributes have strings as keys, not 0"],
  ["span", "attributes[name] == 1", "column 12: found `name`, expected a string or an integer"],
  ["span", 'attributes["a" == 1', "column 16: found `==`, expected `]`"],
  ["span", "attributes.x == 1", "column 12: `attributes` has no `x`"],
  ["span", 'cache["a"] == 1', "column 1: context `span` has no `cache`; conditions have no cache"],
  ["span", "end_time > 1", "column 1: context `span` has no `end_time`; use `end_time_unix_nano`"],
  ["span", "log.body == 1", "column 1: `log` cannot be seen from context `span`, only `span`"],
  ["resource", 'span.name == ""', "column 1: `span` cannot be seen from context `resource`"],
  [
    "span",
    "kind == SPAN_KIND_SERVR",
    "column 9: unknown name `SPAN_KIND_SERVR` in context `span`, did you mean",
  ],
  ["log", "SPAN_KIND_SERVER == 2", "column 1: unknown name `SPAN_KIND_SERVER` in context `log`"],
  ["span", "Int([1]) == 1", "column 1: list is no number"],
  ["metric", "HasAttrKeyOnDatapoint(name)", "column 23: `HasAttrKeyOnDatapoint` takes strings"],
  ["span", 'IsMatsch(name, "")', "column 1: unknown function `IsMatsch`, did you mean `IsMatch`?"],
  ["span", "Qqqqqqqqq(name)", "column 1: unknown function `Qqqqqqqqq`, supported are IsMatch"],
  ["span", "IsMatch(name)", "column 1: `IsMatch` takes 2 arguments, found 1"],
  ["span", "IsMatch(name, name)", "column 15: the pattern of `IsMatch` must be a string"],
  [
    "span",
    'IsMatch(name, "(")',
    'column 15: regular expression "(" cannot be used: error parsing regexp: missing closing )',
  ],
  ["span", 'IsMatch(name, "\\d")', "column 16: unknown escape `\\d`; a backslash for a regular"],
  ["span", "isMatch(name)", "column 3: found `Match`, expected `and`"],
  ["span", 'set(name, "a")', "column 1: `set` changes telemetry, which a condition cannot"],
  ["span", "IsString == true", "column 10: found `==`, expected `(` after the function `IsString`"],
  ["span", "IsString(target=name)", "column 10: found `target`, expected a value: named arguments"],
  ["span", 'attributes["a"] == {"a": 1}', "column 20: found `{`, expected a value; maps are not"],
  ["span", "[1, == 2", "column 5: found `==`, expected a value"],
  ["span", "[1 2] == 2", "column 4: found `2`, expected `,` or `]`"],
  ["span", "9223372036854775808 == 1", "column 1: integer 9223372036854775808 does not fit"],
  ["span", "0x123 == 1", "column 1: bytes have 3 hexadecimal digits, must be an even number"],
  ["span", "trace_id == TraceID(0x01)", "column 21: a trace ID is 16 bytes"],
  ["span", "span_id == SpanID(name)", "column 19: a span ID is 8 bytes"],
  ["span", '"\\ud800" == ""', "column 2: U+d800 is no character"],
  ["metric", "IsRootSpan()", "column 1: `IsRootSpan` exists in context `span` only"],
  ["span", 'HasAttrKeyOnDatapoint("a")', "column 1: `HasAttrKeyOnDatapoint` exists in context"],
];

test("what is not in the language is named with its column", () => {
  for (const [context, text, start] of refused) {
    assert.throws(
      () => compileCondition(text, context),
      (error) => {
        assert.ok(error instanceof ConditionSyntaxError, text);
        assert.ok(error.message.startsWith(start), `${text}\n${error.message}\n${start}`);
        return true;
      },
    );
  }
});

test("what has no answer for one item says so", () => {
  for (const [text, message] of [
    ["1 / 0 == 1", "division by zero"],
    ["1 / 0.0 == 1", "division by zero"],
    ["name + 1 == 1", "string is no number"],
    ['attributes["missing"] * 2 == 1', "nil is no number"],
    ["-name == 1", "string cannot be negated"],
    ['HasPrefix(attributes["missing"], "a")', "expected string but got nil"],
    ['HasSuffix(attributes["http.status"], "a")', "expected string but got int"],
    ["Len(kind) == 1", "int has no length"],
    ['Len(attributes["missing"]) == 1', "nil has no length"],
    ['Concat(name, "") == ""', "expected list but got string"],
    ['attributes["http.route"]["x"] == 1', "string cannot be indexed by a string"],
    ['attributes["tags"]["x"] == 1', "list cannot be indexed by a string"],
    ['attributes["tags"][2] == 1', "index 2 is out of bounds"],
    ['attributes["map"][0] == 1', "map cannot be indexed by a number"],
    ["Substring(name, 5, 9) == name", "substring of 9 bytes from 5 is not within 10 bytes"],
    ["Bool(name) == true", "text is no bool"],
    ["Double(name) == 1", "string is no number"],
    ["Int(1)", "expected bool but got int"],
    ['IsMatch(Concat([Concat(Split(name, ""), name)], name), "a") and Len(kind) == 1', "int has"],
  ] as const) {
    try {
      holds(text);
      assert.equal(text.startsWith("IsMatch"), true, text);
    } catch (error) {
      assert.ok(error instanceof EvaluationError, `${text}: ${error}`);
      assert.ok(error.message.startsWith(message), `${text}: ${error.message}`);
    }
  }
});

test("a pattern takes the longest text and refuses one character more", () => {
  // The name of the span is ten characters.
  const text = (length: number) =>
    `Concat([Concat(Split("${",".repeat(length - 11)}", ","), "a"), name], "a")`;
  const { textUnitsMax } = new GoRegExp("a{1000}G");
  assert.equal(holds(`IsMatch(${text(textUnitsMax)}, "a{1000}G")`), true);
  assert.throws(() => holds(`IsMatch(${text(textUnitsMax + 1)}, "a{1000}G")`), {
    name: "EvaluationError",
    message: `text has ${textUnitsMax + 1} characters, this pattern takes at most ${textUnitsMax}`,
  });
});

test("accepts the longest and the deepest condition and refuses one more", () => {
  const longest = "true".padEnd(CONDITION_CHARACTERS_MAX);
  assert.equal(holds(longest), true);
  assert.throws(() => holds(`${longest} `), { column: CONDITION_CHARACTERS_MAX + 1 });
  const nested = (depth: number) => `${"(".repeat(depth)}true${")".repeat(depth)}`;
  assert.equal(holds(nested(CONDITION_DEPTH_MAX)), true);
  assert.throws(() => holds(nested(CONDITION_DEPTH_MAX + 1)), {
    message: `column ${CONDITION_DEPTH_MAX + 1}: nested deeper than the limit of 64`,
  });
});

test("the context of a condition follows from its paths", () => {
  const traces: readonly ContextName[] = ["resource", "scope", "span", "spanevent"];
  const metrics: readonly ContextName[] = ["resource", "scope", "metric", "datapoint"];
  for (const [text, contexts, expected] of [
    ['resource.attributes["a"] == 1', traces, "resource"],
    ['instrumentation_scope.name == "a"', traces, "scope"],
    ['span.name == "a" and resource.attributes["a"] == 1', traces, "span"],
    ['spanevent.name == "a" and span.name == "b"', traces, "spanevent"],
    ["IsRootSpan()", traces, "span"],
    ['metric.name == "a"', metrics, "metric"],
    ['metric.name == "a" and datapoint.value_int == 1', metrics, "datapoint"],
    ["true", metrics, "resource"],
  ] as const) {
    assert.equal(inferContext(text, contexts), expected, text);
  }
  assert.throws(() => inferContext('name == "a"', traces), {
    message: "column 1: `name` has no context in front, such as `spanevent.`",
  });
  assert.throws(() => inferContext('log.body == "a"', traces), { name: "ConditionSyntaxError" });
});
