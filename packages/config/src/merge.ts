import { isMap, setOwn } from "./expanded-value.js";

/** Stands between the keys of a path, in messages and in keys that name a whole path. */
export const KEY_DELIMITER = "::";

/**
 * Puts a later configuration over an earlier one: maps deeply, everything else replaced.
 *
 * Null replaces too, so that a null section wipes the earlier one. Neither argument is modified.
 */
export function merge(earlier: unknown, later: unknown): unknown {
  if (!isMap(earlier) || !isMap(later)) return later;
  const merged = { ...earlier };
  for (const [key, value] of Object.entries(later)) {
    setOwn(merged, key, Object.hasOwn(merged, key) ? merge(merged[key], value) : value);
  }
  return merged;
}

/** Writes keys that hold a whole path (`a::b::c: 2s`) as nested maps; lists are left alone. */
export function nestKeys(tree: unknown): unknown {
  if (!isMap(tree)) return tree;
  let nested: unknown = {};
  for (const [key, value] of Object.entries(tree)) {
    const parts = key.split(KEY_DELIMITER);
    const branch = parts.reduceRight<unknown>((below, part) => {
      const map: Record<string, unknown> = {};
      setOwn(map, part, below);
      return map;
    }, nestKeys(value));
    nested = merge(nested, branch);
  }
  return nested;
}
