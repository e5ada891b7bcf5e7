import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { type Command, parseCommandLine, UsageError } from "./command-line.js";

const noSources = { configs: [], sets: [] };
const oneSource = { configs: ["a.yaml"], sets: [] };
const registryDefaults = {
  name: "registry",
  sources: oneSource,
  registryId: undefined,
  bootId: undefined,
  file: undefined,
} as const;

const understood: readonly (readonly [line: string, command: Command])[] = [
  ["", { name: "run", sources: noSources }],
  ["--config a.yaml", { name: "run", sources: oneSource }],
  ["run --config a.yaml", { name: "run", sources: oneSource }],
  ["--config=a.yaml", { name: "run", sources: oneSource }],
  [
    "--config a.yaml --set x.y=1 --config b.yaml --set z=",
    { name: "run", sources: { configs: ["a.yaml", "b.yaml"], sets: ["x.y=1", "z="] } },
  ],
  ["validate --config a.yaml", { name: "validate", sources: oneSource }],
  ["--config a.yaml validate", { name: "validate", sources: oneSource }],
  ["components", { name: "components" }],
  ["--version", { name: "version" }],
  ["-v", { name: "version" }],
  ["--help", { name: "help" }],
  ["-h", { name: "help" }],
  ["registry --help", { name: "help" }],
  ["regstry --help --version", { name: "help" }],
  [
    "print-config --config a.yaml",
    {
      name: "print-config",
      sources: oneSource,
      format: "yaml",
      isRedacted: true,
      isValidated: false,
    },
  ],
  [
    "print-config --config a.yaml --format json --mode unredacted --validate",
    {
      name: "print-config",
      sources: oneSource,
      format: "json",
      isRedacted: false,
      isValidated: true,
    },
  ],
  ["registry nodes --config a.yaml", { ...registryDefaults, action: "nodes" }],
  ["registry list --config a.yaml", { ...registryDefaults, action: "list" }],
  [
    "registry export --config a.yaml --registry redis_registry/two --boot-id 9A2F",
    {
      ...registryDefaults,
      action: "export",
      registryId: "redis_registry/two",
      bootId: "9a2f",
    },
  ],
  ["registry import --config a.yaml", { ...registryDefaults, action: "import" }],
  ["registry import --config a.yaml -", { ...registryDefaults, action: "import" }],
  [
    "registry import --config a.yaml lines.jsonl",
    { ...registryDefaults, action: "import", file: "lines.jsonl" },
  ],
];

const refused: readonly (readonly [line: string, message: string | RegExp])[] = [
  ["rnu", 'unknown command "rnu", did you mean "run"?'],
  ["print-confg", 'unknown command "print-confg", did you mean "print-config"?'],
  ["xyzzy", /^unknown command "xyzzy" \(one of: run, validate, components, .*registry\)$/],
  ["--confg a.yaml", 'unknown option --confg, did you mean "--config"?'],
  ["--xyzzy", /^unknown option --xyzzy \(one of: --config, --set, .*\)$/],
  ["-x", /^unknown option -x /],
  ["--config", "option --config needs a value"],
  ["--config --set a=b", "option --config needs a value"],
  ["--set", "option --set needs a value"],
  ["--validate=yes", "option --validate takes no value"],
  ["--help=yes", "option --help takes no value"],
  ["--format json", "option --format does not go with running the gateway"],
  ["run --inode 3", "option --inode does not go with running the gateway"],
  ["validate --mode redacted", 'option --mode does not go with "validate"'],
  ["components --config a.yaml", 'option --config does not go with "components"'],
  ["registry nodes --inode 3", 'option --inode does not go with "registry"'],
  ["explain --format yaml --inode 3", 'option --format does not go with "explain"'],
  ["validate a.yaml", 'unexpected argument "a.yaml" after "validate"'],
  ["run a.yaml", 'unexpected argument "a.yaml" after "run"'],
  ["explain a --inode 3", 'unexpected argument "a" after "explain"'],
  ["registry", '"registry" needs one of: nodes, list, export, import'],
  ["registry imprt", 'unknown action "imprt", did you mean "import"?'],
  ["registry nodes a", 'unexpected argument "a" after "registry nodes"'],
  ["registry import a b", 'unexpected argument "b" after "registry"'],
  [
    "registry import --boot-id x",
    'option --boot-id does not go with "registry import": every line names its own',
  ],
  ["print-config --format toml", '--format is "toml", it must be one of: yaml, json'],
  ["print-config --mode plain", '--mode is "plain", it must be one of: redacted, unredacted'],
  ["explain", '"explain" needs at least one of --boot-id, --inode, --attribute key=value'],
  ["explain --attribute host.name", '--attribute "host.name" is not key=value'],
  ["explain --attribute =x", '--attribute "=x" is not key=value'],
];

const words = (line: string) => line.split(" ").filter((word) => word !== "");

suite("command line", () => {
  for (const [line, command] of understood) {
    test(`understands "${line}"`, () => {
      assert.deepEqual(parseCommandLine(words(line)), command);
    });
  }

  for (const [line, message] of refused) {
    test(`refuses "${line}" with what is wrong`, () => {
      assert.throws(
        () => parseCommandLine(words(line)),
        (error: Error) => {
          assert.ok(error instanceof UsageError, String(error));
          if (typeof message === "string") assert.equal(error.message, message);
          else assert.match(error.message, message);
          return true;
        },
      );
    });
  }

  test("every shortcut of explain is the attribute it stands for, and --attribute wins", () => {
    const line =
      "explain --config a.yaml --boot-id B --inode 5 --device 38 --node-name n " +
      "--attribute k=v=w --attribute empty= --attribute container.cgroup.inode=6";
    const command = parseCommandLine(words(line));
    assert.equal(command.name, "explain");
    assert.deepEqual(command.name === "explain" ? Object.fromEntries(command.attributes) : {}, {
      "host.boot.id": "B",
      "container.cgroup.inode": "6",
      "container.cgroup.device": "38",
      "k8s.node.name": "n",
      k: "v=w",
      empty: "",
    });
  });

  test("arguments with spaces and names like `__proto__` are only text", () => {
    const { sources } = parseCommandLine(["--config", "yaml:a: b c"]) as { sources: object };
    assert.deepEqual(sources, { configs: ["yaml:a: b c"], sets: [] });
    const command = parseCommandLine(["explain", "--attribute", "__proto__=x"]);
    assert.ok(command.name === "explain" && command.attributes.get("__proto__") === "x");
    assert.throws(() => parseCommandLine(["constructor"]), /unknown command "constructor"/);
    assert.throws(() => parseCommandLine(["--toString"]), /unknown option --toString/);
  });
});
