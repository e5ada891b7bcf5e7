import { defineExtension } from "@inode-gateway/contract";
import { authentications, credentialReloads } from "../../credentials/metrics.js";
import { BearerTokenAuth } from "./bearer-token-auth.js";
import { bearerTokenAuthConfig } from "./config.js";

/** Checks bearer tokens at receivers, and sends one from exporters. */
export const bearerTokenAuth = defineExtension({
  type: "bearertokenauth",
  stability: "development",
  config: bearerTokenAuthConfig,
  metrics: [authentications, credentialReloads],
  // Owns no port and no directory: old and new may run side by side.
  exclusive: () => false,
  create: (settings, config) => new BearerTokenAuth(settings, config),
});
