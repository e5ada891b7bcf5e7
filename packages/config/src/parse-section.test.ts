// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the references of the configuration language
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { z } from "zod";
import { formatProblem } from "./configuration-error.js";
import { duration } from "./duration.js";
import { headers } from "./headers.js";
import { loadConfiguration } from "./load-configuration.js";
import { parseSection } from "./parse-section.js";
import { redact } from "./redact.js";
import { secret } from "./secret.js";

async function sectionOf(yaml: string, environment: Record<string, string> = {}) {
  return (await loadConfiguration({ configs: [`yaml:${yaml}`], sets: [], environment })).root;
}

async function parse(
  schema: z.ZodType,
  yaml: string,
  environment: Record<string, string> = {},
): Promise<unknown> {
  const result = parseSection(schema, await sectionOf(yaml, environment), ["a"]);
  return "value" in result ? result.value : result.problems.map(formatProblem);
}

// Scenario: the table of the Collector's confmap/internal/e2e/types_test.go, strict typing.
suite("a substituted value is what the schema wants it to be", () => {
  const field = (type: z.ZodType) => z.strictObject({ field: type });
  const numberField = field(z.number());
  const textField = field(z.string());
  const booleanField = field(z.boolean());
  const table: readonly [z.ZodType, string, unknown][] = [
    [numberField, "123", 123],
    [textField, "123", "123"],
    // The Collector reads YAML 1.1 here and gets 83; YAML 1.2 knows octal numbers as 0o123 only.
    [numberField, "0123", 123],
    [textField, "0123", "0123"],
    [numberField, "0xdeadbeef", 0xdeadbeef],
    [textField, "0xdeadbeef", "0xdeadbeef"],
    [textField, '"0123"', '"0123"'],
    [textField, "!!str 0123", "!!str 0123"],
    [textField, "1111:1111:1111:1111:1111::", "1111:1111:1111:1111:1111::"],
    [textField, "2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05Z07:00"],
    [textField, "@not: [yaml", "@not: [yaml"],
    [textField, "true", "true"],
    [textField, "", ""],
    [textField, "{a: [1]}", "{a: [1]}"],
    [booleanField, "true # comment with a ${env:hello.world} reference", true],
    [field(z.union([z.number(), z.string()])), "0123", 123],
    [field(z.enum(["1.2", "1.3"])), "1.2", "1.2"],
    [field(duration()), "0", 0],
    [field(duration()), "1m", 60_000],
    [field(secret()), "0123", "0123"],
    [field(z.record(z.string(), z.string())), "{k: 007}", { k: "007" }],
  ];
  for (const [index, [schema, value, expected]] of table.entries()) {
    test(`${index}: ${JSON.stringify(value)}`, async () => {
      const direct = await parse(schema, "field: ${env:ENV}", { ENV: value });
      // A number below a map has no text of its own: only whole values of substitutions have.
      if (index === table.length - 1) {
        assert.deepEqual(direct, ["a::field::k: expected text, got 7, write it in quotes"]);
        return;
      }
      assert.deepEqual(direct, { field: expected });
      const indirect = { ENV: "${env:ENV2}", ENV2: value };
      assert.deepEqual(await parse(schema, "field: ${env:ENV}", indirect), { field: expected });
    });
  }

  test("without weak typing: wrong types are refused, also when substituted", async () => {
    const refusals: readonly [z.ZodType, string, string][] = [
      [numberField, '"0123"', 'expected a number, got "\\"0123\\""'],
      [booleanField, "t", 'expected true or false, got "t"'],
      [booleanField, "23", "expected true or false, got 23"],
      [textField, "true # comment with a ${env:hello.world} reference", "expected text, got true"],
    ];
    for (const [schema, value, message] of refusals) {
      const problems = await parse(schema, "field: ${env:ENV}", { ENV: value });
      assert.deepEqual(problems, [`a::field: ${message}`]);
    }
    assert.deepEqual(await parse(textField, "field: 0123"), [
      "a::field: expected text, got 123, write it in quotes",
    ]);
  });

  test("within longer text the text is inserted", async () => {
    const yaml = 'field: "inline field with ${env:ENV} expansion"';
    for (const value of ["123", "0123", '"0123"', "!!str 0123", '{"field": 123}']) {
      const expected = { field: `inline field with ${value} expansion` };
      assert.deepEqual(await parse(textField, yaml, { ENV: value }), expected);
      const indirect = { ENV: "${env:ENV2}", ENV2: value };
      assert.deepEqual(await parse(textField, yaml, indirect), expected);
    }
    const wrapped = { ENV: "The ${env:E2} wrapped", E2: "value ${env:E3} is", E3: "1" };
    assert.deepEqual(await parse(textField, "field: ${env:ENV}", wrapped), {
      field: "The value 1 is wrapped",
    });
  });
});

suite("what stands in a section beside the schema's own words", () => {
  const schema = z.strictObject({
    hold: z.strictObject({ timeout: duration().prefault("300ms") }).prefault({}),
    grpc: z.strictObject({ endpoint: z.string().default("localhost:4317") }).optional(),
    list: z.array(z.string()).default([]),
    name: z.string().default("x"),
  });

  test("null and a missing section mean the defaults, and turn on what is off", async () => {
    const defaults = { hold: { timeout: 300 }, list: [], name: "x" };
    assert.deepEqual(parseSection(schema, null, []), { value: defaults });
    assert.deepEqual(parseSection(schema, undefined, []), { value: defaults });
    assert.deepEqual(await parse(schema, "{hold: , grpc: , list: , name: }"), {
      ...defaults,
      grpc: { endpoint: "localhost:4317" },
    });
  });

  test("text for a list is split at commas", async () => {
    const parsed = (await parse(schema, "list: 'a,b'")) as { list: string[] };
    assert.deepEqual(parsed.list, ["a", "b"]);
    const empty = (await parse(schema, "list: ''")) as { list: string[] };
    assert.deepEqual(empty.list, []);
  });
});

suite("problems", () => {
  const schema = z.strictObject({
    protocols: z.strictObject({ grpc: z.unknown().optional(), http: z.unknown().optional() }),
    size: z.int().min(1).max(10).default(1),
    ratio: z.number().gt(0).lt(1).default(0.5),
    mode: z.enum(["proto", "json"]).default("proto"),
    name: z.string().min(2).max(3).default("ab"),
    id: z.string().regex(/^a/).default("a"),
    list: z.array(z.int()).max(1).default([]),
    either: z.union([z.strictObject({ file: z.string() }), z.string()]).default("x"),
    endpoint: z.string(),
  });

  test("all at once, each behind its path, with what was expected and what was there", async () => {
    const yaml = `
      protocols: {htttp: , x: }
      size: 0
      ratio: 1
      mode: jsn
      name: abcd
      id: b
      list: [2.5]
      either: {fle: 1}
      endpont: y`;
    assert.deepEqual((await parse(schema, yaml)) as string[], [
      'a::protocols: unknown key "htttp", did you mean "http"?',
      'a::protocols: unknown key "x", valid keys are grpc, http',
      "a::size: must be at least 1, is 0",
      "a::ratio: must be below 1, is 1",
      'a::mode: must be one of "proto", "json", is "jsn", did you mean "json"?',
      "a::name: must have at most 3 characters, has 4",
      'a::id: "b" does not match /^a/',
      "a::list::0: expected a whole number, got 2.5",
      "a::either::file: is required: text",
      'a::either: unknown key "fle", did you mean "file"?',
      "a::endpoint: is required: text",
      'a: unknown key "endpont", did you mean "endpoint"?',
    ]);
  });

  test("the last accepted and the first refused value of every limit", async () => {
    const base = "protocols: {}, endpoint: e";
    for (const good of [
      "size: 1",
      "size: 10",
      "name: ab",
      "name: abc",
      "list: [1]",
      "ratio: 0.999",
    ]) {
      assert.ok(!Array.isArray(await parse(schema, `{${base}, ${good}}`)), good);
    }
    const refused: readonly [string, string][] = [
      ["size: 0", "a::size: must be at least 1, is 0"],
      ["size: 11", "a::size: must be at most 10, is 11"],
      ["name: a", "a::name: must have at least 2 characters, has 1"],
      ["list: [1, 2]", "a::list: must have at most 1 entries, has 2"],
      ["ratio: 0", "a::ratio: must be above 0, is 0"],
      ["either: 5", "a::either: expected a map or text, got 5"],
      ["mode: [proto]", 'a::mode: must be one of "proto", "json", is a list'],
    ];
    for (const [bad, problem] of refused) {
      assert.deepEqual(await parse(schema, `{${base}, ${bad}}`), [problem]);
    }
  });

  test("a number written where quoted text is meant says so", async () => {
    const versions = z.strictObject({ min_version: z.enum(["1.2", "1.3"]) });
    assert.deepEqual(await parse(versions, "min_version: 1.2"), [
      'a::min_version: must be one of "1.2", "1.3", is the number 1.2, write it in quotes',
    ]);
  });

  test("long values are cut", async () => {
    const [problem = ""] = (await parse(schema, `{mode: ${"x".repeat(500)}}`)) as string[];
    assert.ok(problem.length < 200, problem);
  });
});

suite("secrets", () => {
  const schema = z.strictObject({
    password: secret().describe("described").optional(),
    headers: headers().optional(),
    nested: z.strictObject({ token: secret().default("none") }).prefault({}),
    either: z.union([secret(), z.strictObject({ file: z.string() })]).optional(),
    endpoint: z.string().default(""),
    list: z.array(z.strictObject({ key: secret() })).default([]),
  });

  test("are never repeated in a problem", async () => {
    const yaml =
      "{password: 31337, headers: {a: 31337}, nested: {token: 31337}, list: [{key: 31337}]}";
    const problems = (await parse(schema, yaml)) as string[];
    assert.equal(problems.length, 4);
    assert.doesNotMatch(problems.join(), /31337/);
  });

  test("are replaced when a configuration is shown, as is what nobody knows", async () => {
    const yaml = `
      password: p1
      headers: {Authorization: p2}
      nested: {token: p3}
      either: p4
      endpoint: \${env:PORT}
      list: [{key: p5}]
      pasword: p6
      unknown: {deep: [p7]}`;
    const shown = redact(schema, await sectionOf(yaml, { PORT: "0123" }));
    assert.deepEqual(shown, {
      password: "[REDACTED]",
      headers: { Authorization: "[REDACTED]" },
      nested: { token: "[REDACTED]" },
      either: "[REDACTED]",
      endpoint: "0123",
      list: [{ key: "[REDACTED]" }],
      pasword: "[REDACTED]",
      unknown: { deep: ["[REDACTED]"] },
    });
    assert.deepEqual(redact(undefined, { a: 1, b: null }), { a: "[REDACTED]", b: null });
  });

  test("headers are a map or the Collector's list; names and values are checked", async () => {
    const only = z.strictObject({ headers: headers() });
    const map = await parse(only, "headers: {X-Tenant: a, authorization: '${env:TOKEN}'}", {
      TOKEN: "007",
    });
    assert.deepEqual(map, { headers: { "X-Tenant": "a", authorization: "007" } });
    const list = await parse(only, "headers: [{name: X-Tenant, value: a}, {name: b, value: c}]");
    assert.deepEqual(list, { headers: { "X-Tenant": "a", b: "c" } });
    assert.match(String(await parse(only, "headers: {'a b': x}")), /is no header name/);
    assert.match(
      String(await parse(only, 'headers: {a: "x\\ny"}')),
      /must not contain control characters/,
    );
    const many = (count: number) =>
      `headers: {${Array.from({ length: count }, (_, index) => `h${index}: v`).join(", ")}}`;
    assert.ok(!Array.isArray(await parse(only, many(100))));
    assert.match(String(await parse(only, many(101))), /has more than 100 headers/);
  });
});
