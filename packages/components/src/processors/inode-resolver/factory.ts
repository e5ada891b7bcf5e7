import { defineProcessor } from "@inode-gateway/contract";
import { inodeResolverConfig } from "./config.js";
import { InodeResolver } from "./inode-resolver.js";
import { inodeResolverMetrics } from "./metrics.js";

/** Adds `container.id` and the node's metadata to Resources that carry a cgroup inode. */
export const inodeResolver = defineProcessor({
  type: "inode_resolver",
  signals: ["traces", "metrics", "logs"],
  stability: "development",
  config: inodeResolverConfig,
  metrics: inodeResolverMetrics,
  extensions: ({ registry }) => [{ extensionId: registry, path: ["registry"] }],
  create: (settings, config, next) => new InodeResolver(settings, config, next),
});
