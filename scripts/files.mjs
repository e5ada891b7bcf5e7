import { readdirSync } from "node:fs";
import { rootFolder } from "./install.mjs";

/** Paths, from the root folder, of all compiled files below `folder` whose name ends with `suffix`. */
export function globSync(folder, suffix) {
  return readdirSync(`${rootFolder}${folder}`, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(suffix))
    .map((entry) => `${entry.parentPath ?? entry.path}/${entry.name}`.slice(rootFolder.length))
    .filter((path) => path.includes("/dist/") && !path.includes("node_modules/"));
}
