import type { ComponentSettings } from "@inode-gateway/contract";
import type { RefusalListener } from "./memory-guard.js";

/** Shows at a component whether it refuses everything, as the Collector's does. */
export function stateListener(settings: ComponentSettings): RefusalListener {
  return (isRefusing) => {
    if (isRefusing) {
      settings.reportState("recoverable_error", "data refused due to high memory usage");
    } else {
      settings.reportState("ok");
    }
  };
}
