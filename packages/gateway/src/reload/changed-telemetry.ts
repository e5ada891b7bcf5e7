import { isDeepStrictEqual } from "node:util";
import type { TelemetryConfig } from "../telemetry-config.js";

/** Keys of `service::telemetry` that a reload puts into force. */
const LIVE_KEYS: ReadonlySet<string> = new Set(["logs::level"]);

/**
 * The keys of `service::telemetry` that differ and take effect only when the process starts anew, such as
 * `logs::encoding`.
 */
export function changedForRestart(
  inForce: TelemetryConfig,
  wanted: TelemetryConfig,
): readonly string[] {
  const before = entriesOf(inForce);
  const after = entriesOf(wanted);
  const keys = new Set([...before.keys(), ...after.keys()]);
  return [...keys].filter(
    (key) => !LIVE_KEYS.has(key) && !isDeepStrictEqual(before.get(key), after.get(key)),
  );
}

/** The values two keys deep. */
function entriesOf(config: TelemetryConfig): ReadonlyMap<string, unknown> {
  const entries = new Map<string, unknown>();
  for (const [section, below] of Object.entries(config)) {
    if (typeof below !== "object" || below === null || Array.isArray(below)) {
      entries.set(section, below);
      continue;
    }
    for (const [key, value] of Object.entries(below)) entries.set(`${section}::${key}`, value);
  }
  return entries;
}
