import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The repository's root folder, with a slash at its end. */
export const rootFolder = fileURLToPath(new URL("../../../", import.meta.url));

/** Folders that hold nothing of ours. */
const foreign: ReadonlySet<string> = new Set([".cache", ".git", "dist", "node_modules"]);

/** The text of a file, by its path from the root folder. */
export function readText(path: string): string {
  return readFileSync(rootFolder + path, "utf8");
}

/** Paths of all files of ours whose name ends with `suffix`, from the root folder, sorted. */
export function repositoryFiles(suffix: string, folder = ""): string[] {
  return readdirSync(rootFolder + folder, { withFileTypes: true })
    .flatMap((entry) => {
      const path = folder + entry.name;
      if (entry.isFile()) return path.endsWith(suffix) ? [path] : [];
      return entry.isDirectory() && !foreign.has(entry.name)
        ? repositoryFiles(suffix, `${path}/`)
        : [];
    })
    .sort();
}
