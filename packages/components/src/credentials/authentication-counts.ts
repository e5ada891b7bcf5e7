import type { ComponentSettings } from "@inode-gateway/contract";
import { authentications } from "./metrics.js";

/** How a check of credentials ended. */
export type AuthenticationOutcome = "accepted" | "missing" | "wrong" | "busy";

/** Counts checks of one extension. */
export function authenticationCounts(
  settings: ComponentSettings,
): (outcome: AuthenticationOutcome) => void {
  const { id: extension, meter } = settings;
  const counterOf = (outcome: AuthenticationOutcome) =>
    meter.counter(authentications, { extension, outcome });
  const counters = {
    accepted: counterOf("accepted"),
    missing: counterOf("missing"),
    wrong: counterOf("wrong"),
    busy: counterOf("busy"),
  };
  return (outcome) => counters[outcome].add(1);
}
