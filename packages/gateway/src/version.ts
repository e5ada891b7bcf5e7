import { readFileSync } from "node:fs";
import type { BuildInfo } from "@inode-gateway/contract";

/** Name and version of this program, from its package.json. */
export function readBuildInfo(): BuildInfo {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  const { version } = JSON.parse(text) as { readonly version: string };
  return { command: "inode-gateway", version };
}
