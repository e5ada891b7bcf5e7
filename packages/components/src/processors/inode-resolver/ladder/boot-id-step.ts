import type { InodeKey } from "@inode-gateway/registry";
import type { ResourceIdentity } from "../resource-identity.js";
import { type LadderStep, type SkipReason, toStepResult } from "./step.js";

/** Step 1: the inode in the kernel that the sender itself named by its boot ID. */
export const bootIdStep: LadderStep = {
  name: "boot_id",
  resolve: async (identity, sources) => {
    const key = bootIdKey(identity);
    if (typeof key === "string") return { outcome: "skipped", reason: key };
    return toStepResult(await sources.ask(key), key);
  },
};

/** The key of step 1, or why the Resource has none. */
export function bootIdKey(identity: ResourceIdentity): InodeKey | SkipReason {
  const { bootId, device, inode } = identity;
  if (inode === undefined) return identity.inodeProblem ?? "no_inode";
  if (bootId === undefined) return identity.hasInvalidBootId ? "invalid_boot_id" : "no_boot_id";
  return device === undefined ? { bootId, inode } : { bootId, device, inode };
}
