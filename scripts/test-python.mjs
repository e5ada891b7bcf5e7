import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { rootFolder, run } from "./install.mjs";

const folder = `${rootFolder}.cache/python`;
const requirements = `${rootFolder}test/e2e/applications/requirements.txt`;

/** Makes the Python environment of the sender applications, unless it is the wanted one already. */
export function installPythonPackages() {
  const marker = `${folder}/installed-requirements.txt`;
  const wanted = readFileSync(requirements, "utf8");
  if (existsSync(marker) && readFileSync(marker, "utf8") === wanted) return;
  run("python3", ["-m", "venv", "--clear", folder]);
  const quiet = ["--quiet", "--disable-pip-version-check"];
  run(`${folder}/bin/python3`, ["-m", "pip", "install", ...quiet, "-r", requirements]);
  writeFileSync(marker, wanted);
}
