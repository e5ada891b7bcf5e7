// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the references of the configuration language
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, suite, test } from "node:test";
import { ConfigurationError } from "./configuration-error.js";
import { plainCopy } from "./expanded-value.js";
import { type ConfigurationSources, loadConfiguration, SOURCES_MAX } from "./load-configuration.js";
import { EXPANSIONS_MAX } from "./substitution.js";
import { SOURCE_BYTES_MAX } from "./yaml-source.js";

let directory: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), "config-"));
});
after(async () => {
  await rm(directory, { recursive: true });
});

async function file(name: string, text: string): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, text);
  return path;
}

async function load(sources: Partial<ConfigurationSources>) {
  const tree = await loadConfiguration({ configs: [], sets: [], environment: {}, ...sources });
  return { root: plainCopy(tree.root), warnings: tree.warnings };
}

async function rootOf(yaml: string, environment: ConfigurationSources["environment"] = {}) {
  return (await load({ configs: [`yaml:${yaml}`], environment })).root;
}

async function problemsOf(sources: Partial<ConfigurationSources>): Promise<string> {
  try {
    await load(sources);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.message;
    throw error;
  }
  return "";
}

suite("sources", () => {
  test("merge in order: maps deeply, lists replaced, --set last", async () => {
    const first = await file("first.yaml", "a: {b: 1, c: [1, 2]}\nd: 1\n");
    const second = await file("second.yaml", "a: {c: [3], e: 4}\n");
    const configs = [first, `file:${second}`, "env:MORE", "yaml:a::f::g: 2s"];
    const environment = { MORE: "d: {x: 5}" };
    const { root } = await load({ configs, environment, sets: ["a.b=7", "a.h.i=[x, y]"] });
    assert.deepEqual(root, {
      a: { b: 7, c: [3], e: 4, f: { g: "2s" }, h: { i: ["x", "y"] } },
      d: { x: 5 },
    });
  });

  test("a null section wipes the earlier one", async () => {
    const { root } = await load({ configs: ["yaml:a: {b: 1}\nc: 1", "yaml:a:"] });
    assert.deepEqual(root, { a: null, c: 1 });
  });

  test("keys that hold a path are maps in files too, and merge with their siblings", async () => {
    assert.deepEqual(await rootOf("a::b: 1\na: {c: 2}\na::d::e: 3"), {
      a: { b: 1, c: 2, d: { e: 3 } },
    });
  });

  test("an empty source is an empty map, a list or text is refused", async () => {
    const empty = await file("empty.yaml", "# nothing\n");
    assert.deepEqual((await load({ configs: [empty] })).root, {});
    assert.match(
      await problemsOf({ configs: ["yaml:[a]"] }),
      /expected a map at the top, got a list/,
    );
    assert.match(await problemsOf({ configs: ["yaml:just text"] }), /got text/);
  });

  test("a missing file, a directory and an unset variable are named with what gave them", async () => {
    const missing = join(directory, "missing.yaml");
    const message = await problemsOf({
      configs: [missing, "missing.yaml", directory, "env:NOT_SET"],
    });
    assert.equal(
      message,
      [
        `--config ${missing} cannot be read: there is no such file`,
        `--config missing.yaml cannot be read: there is no file ${resolve("missing.yaml")}`,
        `--config ${directory} cannot be read: it is a directory`,
        "--config env:NOT_SET: the environment variable is not set",
      ].join("\n"),
    );
  });

  test("http and unknown schemes are refused clearly, without the address", async () => {
    const message = await problemsOf({ configs: ["https://user:pw@host/c.yaml", "s3://bucket/c"] });
    assert.match(message, /--config https:... is not supported: fetch the document yourself/);
    assert.match(message, /scheme "s3" is not supported, supported are env, file and yaml/);
    assert.doesNotMatch(message, /pw/);
  });

  test("--set without an equal sign is refused, and its value is never repeated", async () => {
    assert.match(await problemsOf({ sets: ["a.b"] }), /--set a.b: missing equal sign/);
    const broken = await problemsOf({ sets: ["a.b=[hunter2"] });
    assert.match(broken, /^--set a\.b:1:/);
    assert.doesNotMatch(broken, /hunter2/);
  });

  test("the largest number of sources is read, one more refused", async () => {
    const sets = Array.from({ length: SOURCES_MAX - 1 }, (_, index) => `k${index}=1`);
    const { root } = await load({ configs: ["yaml:a: 1"], sets });
    assert.equal(Object.keys(root as object).length, SOURCES_MAX);
    const message = await problemsOf({ configs: ["yaml:a: 1"], sets: [...sets, "one=more"] });
    assert.match(message, /101 --config and --set values, at most 100 are allowed/);
  });

  test("the largest file is read, one byte more refused", async () => {
    const text = (bytes: number) => `a: 1\n#${"x".repeat(bytes - 6)}`;
    const largest = await file("largest.yaml", text(SOURCE_BYTES_MAX));
    assert.deepEqual((await load({ configs: [largest] })).root, { a: 1 });
    const larger = await file("larger.yaml", text(SOURCE_BYTES_MAX + 1));
    assert.match(await problemsOf({ configs: [larger] }), /4194305 bytes or more, at most 4194304/);
  });
});

suite("YAML", () => {
  test("faults are named with file, line and column, all of them", async () => {
    const path = await file("broken.yaml", "a: 1\nb:\n  c: 1\n  c: 2\na: 2\n");
    assert.equal(
      await problemsOf({ configs: [path] }),
      `${path}:4:3: key \`c\` is there twice\n${path}:5:1: key \`a\` is there twice`,
    );
  });

  test("a tab, a second document and an unknown tag are refused with their place", async () => {
    assert.match(await problemsOf({ configs: ["yaml:a:\n\tb: 1"] }), /:2:1: .*[Tt]ab/);
    assert.match(
      await problemsOf({ configs: ["yaml:a: 1\n---\nb: 2"] }),
      /:2:1: .*multiple documents/i,
    );
    assert.match(await problemsOf({ configs: ["yaml:a: !secret b"] }), /:1:4: Unresolved tag/);
  });

  test("anchors and merge keys work, a bomb of aliases is refused", async () => {
    const anchors = "base: &base {x: 1, y: 2}\nown: {<<: *base, y: 3}";
    assert.deepEqual(await rootOf(anchors), { base: { x: 1, y: 2 }, own: { x: 1, y: 3 } });
    const levels = Array.from({ length: 12 }, (_, level) =>
      level === 0 ? "a0: &a0 [x]" : `a${level}: &a${level} [${`*a${level - 1}, `.repeat(9)}]`,
    );
    assert.match(
      await problemsOf({ configs: [`yaml:${levels.join("\n")}`] }),
      /[Ee]xcessive alias/,
    );
  });

  test("scalars follow YAML 1.2: only true and false are boolean, a leading 0 is decimal", async () => {
    assert.deepEqual(
      await rootOf("{a: yes, b: on, c: true, d: 0123, e: 0o17, f: 0x1F, g: ~, h: 1e3}"),
      {
        ...{ a: "yes", b: "on", c: true, d: 123, e: 15, f: 31, g: null, h: 1000 },
      },
    );
  });

  test("a `_` between digits is read over, as Go's YAML does; text with one stays text", async () => {
    assert.deepEqual(
      await rootOf("{a: 5_000, b: -1_0.5, c: 0x1_F, d: 1_000s, e: _1, f: a_1, g: '5_000'}"),
      { a: 5000, b: -10.5, c: 31, d: "1_000s", e: "_1", f: "a_1", g: "5_000" },
    );
    assert.deepEqual(await rootOf("a: ${SIZE}", { SIZE: "5_000" }), { a: 5000 });
  });

  test("a document nested too deeply is refused instead of ending the process", async () => {
    const message = await problemsOf({ configs: [`yaml:a: ${"[".repeat(50_000)}`] });
    assert.match(message, /--config yaml:a/);
  });

  test("a key named __proto__ changes nobody's prototype", async () => {
    const root = (await rootOf("{__proto__: {polluted: 1}, a: {__proto__: {b: 1}}}")) as object;
    assert.equal((root as { polluted?: unknown }).polluted, undefined);
    assert.equal(({} as { polluted?: unknown }).polluted, undefined);
    assert.ok(Object.hasOwn(root, "__proto__"));
  });
});

suite("substitution", () => {
  test("variables by scheme and without, defaults, files, YAML, nested, escaped", async () => {
    const path = await file("secret.txt", "s3cret\n");
    const table: readonly [string, unknown][] = [
      ["${env:HOST}", "db"],
      ["${HOST}", "db"],
      ["${env:NOPE:-fallback}", "fallback"],
      ["${env:NOPE:-}", null],
      ["${env:EMPTY:-fallback}", null],
      ["${env:NOPE:-${env:HOST}}", "db"],
      ["${env:${env:NAME}}", "db"],
      [`\${file:${path}}`, "s3cret"],
      ["${yaml:[1, 2]}", [1, 2]],
      ["http://${HOST}:${env:PORT}/x", "http://db:5432/x"],
      ["$$HOST", "$HOST"],
      ["$${HOST}", "${HOST}"],
      ["$$${HOST}", "$db"],
      ["$$$${HOST}", "$${HOST}"],
      ["$HOST", "$HOST"],
      ["cost: 5$", "cost: 5$"],
      ["${HOST", "${HOST"],
      ["a ${b ${HOST}", "a ${b db"],
      ["}${HOST}{", "}db{"],
    ];
    const environment = { HOST: "db", NAME: "HOST", PORT: "5432", EMPTY: "" };
    for (const [text, expected] of table) {
      const root = await rootOf(`v: ${JSON.stringify(text)}`, environment);
      assert.deepEqual(root, { v: expected }, text);
    }
  });

  test("a whole value may become a map or a list, whose text is searched again", async () => {
    const environment = {
      MAP: '{a: "${env:LIST}", b: "x ${env:N}"}',
      LIST: '[1, "${env:N}"]',
      N: "7",
    };
    const root = await rootOf("v: ${env:MAP}", environment);
    assert.deepEqual(root, { v: { a: [1, 7], b: "x 7" } });
  });

  test("keys are left alone, lists are not", async () => {
    assert.deepEqual(await rootOf('{"${X}": ["${X}", {a: "${X}"}]}', { X: "v" }), {
      "${X}": ["v", { a: "v" }],
    });
  });

  test("an unset variable is empty and warned of once; a comment's is not warned of", async () => {
    const { root, warnings } = await load({
      configs: ["yaml:{a: '${env:NOPE}', b: 'x${NOPE}', c: '${env:COMMENTED}'}"],
      environment: { COMMENTED: "true # see ${env:OTHER}" },
    });
    assert.deepEqual(root, { a: null, b: "x", c: true });
    assert.deepEqual(warnings, ["environment variable `NOPE` is not set and is taken as empty"]);
  });

  test("all faults are reported at once, each behind its path", async () => {
    const missing = join(directory, "gone");
    const message = await problemsOf({
      configs: [
        `yaml:{a: {b: "\${env:1}"}, c: ["\${file:${missing}}"], d: "\${X:-y}", e: "\${https://h/p}", f: "\${}", g: "\${vault:x}"}`,
      ],
    });
    assert.equal(
      message,
      [
        'a::b: environment variable "1" has invalid name: must match regex ^[a-zA-Z_][a-zA-Z0-9_]*$',
        `c::0: \${file:${missing}} cannot be read: there is no such file`,
        "d: a default needs the scheme: write ${env:X:-...}",
        "e: ${https:...} is not supported: fetch the document yourself and use ${file:...}",
        'f: environment variable "" has invalid name: must match regex ^[a-zA-Z_][a-zA-Z0-9_]*$',
        'g: scheme "vault" is not supported, supported are env, file and yaml',
      ].join("\n"),
    );
  });

  test("the largest number of substitutions is done, one more and endless ones are refused", async () => {
    const list = (count: number) => `yaml:v: [${'"a${X}", '.repeat(count)}]`;
    const environment = { X: "1", LOOP: "a${env:LOOP}", WHOLE: "${env:WHOLE}" };
    const { root } = await load({ configs: [list(EXPANSIONS_MAX)], environment });
    assert.equal((root as { v: unknown[] }).v.length, EXPANSIONS_MAX);
    const expected = /more than 1000 substitutions: is one of the values its own source\?$/;
    for (const config of [list(EXPANSIONS_MAX + 1), "yaml:v: ${env:LOOP}", "yaml:v: ${WHOLE}"]) {
      const message = await problemsOf({ configs: [config], environment });
      assert.match(message, expected);
      assert.equal(message.split("\n").length, 1, "said once");
    }
  });

  test("environment names of Object's own are not found by accident", async () => {
    const { warnings } = await load({ configs: ["yaml:v: ${env:constructor}"] });
    assert.equal(warnings.length, 1);
  });
});
