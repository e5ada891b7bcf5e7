// `npm test`: installs what the tests need, builds, and runs every test. Arguments are parts of the
// paths of the test files to run, such as `npm test -- e2e`; without any, all of them run.
import { spawnSync } from "node:child_process";
import { globSync } from "./files.mjs";
import { build, fail, installPackages, requireSupportedNode, rootFolder, run } from "./install.mjs";
import { installPythonPackages } from "./test-python.mjs";
import { requireTestTools } from "./test-tools.mjs";

requireSupportedNode();
installPackages();
requireTestTools();
installPythonPackages();
build();
// Faults of style and types are faults: a green run means that `npm run check` is green too.
run("npm", ["run", "--silent", "check"]);

const wanted = process.argv.slice(2);
const files = [...globSync("packages", ".test.js"), ...globSync("test", ".test.js")]
  .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
  .sort();
if (files.length === 0) fail(`no test file has ${wanted.join(" or ")} in its path`);

console.log(`Node ${process.versions.node}: ${files.length} test files`);
const result = spawnSync(
  process.execPath,
  ["--test", "--test-reporter=./scripts/test-reporter.mjs", "--test-concurrency=2", ...files],
  { cwd: rootFolder, stdio: "inherit" },
);
process.exit(result.status ?? 1);
