import type { MetricDefinition } from "@inode-gateway/contract";

/** Files of credentials that had changed. */
export const credentialReloads: MetricDefinition = {
  name: "inode_gateway_credential_reloads",
  help: "Changed files of credentials, by the key that names the file and by outcome: success or failure.",
  kind: "counter",
  labels: ["extension", "key", "outcome"],
};

/** Requests that were asked for credentials. */
export const authentications: MetricDefinition = {
  name: "inode_gateway_authentications",
  help: "Requests that were checked, by outcome: accepted, missing, wrong, or busy (too many checks at once).",
  kind: "counter",
  labels: ["extension", "outcome"],
};
