import { defineExtension } from "@inode-gateway/contract";
import { authentications, credentialReloads } from "../../credentials/metrics.js";
import { BasicAuthClient } from "./basic-auth-client.js";
import { BasicAuthServer } from "./basic-auth-server.js";
import { basicAuthConfig } from "./config.js";

/** Checks names and passwords at receivers, or sends one from exporters. */
export const basicAuth = defineExtension({
  type: "basicauth",
  stability: "development",
  config: basicAuthConfig,
  metrics: [authentications, credentialReloads],
  // Owns no port and no directory: old and new may run side by side.
  exclusive: () => false,
  create: (settings, { client_auth: client, htpasswd = {} }) =>
    client === undefined
      ? new BasicAuthServer(settings, htpasswd)
      : new BasicAuthClient(settings, client),
});
