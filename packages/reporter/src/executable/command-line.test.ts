import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCommandLine, UsageError } from "./command-line.js";

test("running is the default, and sources keep their order", () => {
  assert.deepEqual(parseCommandLine([]), { name: "run", configs: [], sets: [] });
  assert.deepEqual(
    parseCommandLine(["--config", "a.yaml", "--set", "x=1", "--config=b.yaml", "--set", "y=2"]),
    { name: "run", configs: ["a.yaml", "b.yaml"], sets: ["x=1", "y=2"] },
  );
  assert.deepEqual(parseCommandLine(["validate", "--config", "a.yaml"]), {
    name: "validate",
    configs: ["a.yaml"],
    sets: [],
  });
});

test("help and version win over everything else", () => {
  assert.deepEqual(parseCommandLine(["--help", "nonsense"]), { name: "help" });
  assert.deepEqual(parseCommandLine(["-v"]), { name: "version" });
});

test("what cannot be understood is named, with what was probably meant", () => {
  const cases = [
    [["run"], 'unknown command "run", the only one is "validate"'],
    [["validate", "file"], 'unexpected argument "file"'],
    [["--confg", "x"], "unknown option --confg, did you mean --config?"],
    [["--zzz"], "unknown option --zzz (one of: --config, --set, --help, --version)"],
  ] as const;
  for (const [args, message] of cases) {
    assert.throws(() => parseCommandLine(args), { name: "UsageError", message });
  }
  assert.throws(() => parseCommandLine(["--config"]), UsageError);
});
