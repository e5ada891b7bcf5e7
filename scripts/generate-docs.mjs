// Writes what the docs hold of the code: option tables, metric tables, the JSON Schema of the
// configuration. test/docs fails while any of it is not current.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { build, rootFolder, run } from "./install.mjs";

build();
const { generatedFiles } = await import("../test/dist/docs/generated-files.js");
const changed = generatedFiles().filter(
  ({ path, text }) => !existsSync(rootFolder + path) || comparable(path) !== squeezed(path, text),
);
for (const { path, text } of changed) {
  writeFileSync(rootFolder + path, text);
  console.log(`wrote ${path}`);
}
if (changed.length > 0) {
  const biome = `${rootFolder}node_modules/@biomejs/biome/bin/biome`;
  run(process.execPath, [biome, "format", "--write", ...changed.map(({ path }) => path)]);
}

function comparable(path) {
  return squeezed(path, readFileSync(rootFolder + path, "utf8"));
}

// The formatter lays JSON out in its own way.
function squeezed(path, text) {
  return path.endsWith(".json") ? JSON.stringify(JSON.parse(text)) : text;
}
