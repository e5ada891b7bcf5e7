import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

/** A Lua command: its whole text, and the SHA-1 under which Redis knows it once it was loaded. */
export interface RedisScript {
  /** Such as `write-mappings`. */
  readonly name: string;
  readonly keyCount: number;
  readonly text: string;
  readonly sha1: string;
}

// Two levels up from dist/redis as well as from src/redis: the package's folder. The Lua files are
// part of the package (`files` in package.json), tsc does not copy them.
const folder = new URL("../../src/redis/commands/", import.meta.url);

/** The Lua commands; each file's header says what its keys, arguments and result are. */
export const scripts = {
  lookupInodes: load("lookup-inodes", 3),
  readBucket: load("read-bucket", 4),
  refreshNode: load("refresh-node", 4),
  touchIndex: load("touch-index", 1),
  writeMappings: load("write-mappings", 4),
} as const;

function load(name: string, keyCount: number): RedisScript {
  const file = readFileSync(new URL(`${name}-${keyCount}.lua`, folder), "utf8");
  const text = file.replaceAll(/^--- include: ([a-z-]+)$/gm, (_, part: string) =>
    readFileSync(new URL(`parts/${part}.lua`, folder), "utf8"),
  );
  return { name, keyCount, text, sha1: createHash("sha1").update(text).digest("hex") };
}
