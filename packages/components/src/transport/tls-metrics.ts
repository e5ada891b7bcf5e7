import type { MetricDefinition } from "@inode-gateway/contract";

const LABELS = ["component_kind", "component", "section"];

/** Changes of TLS files that were noticed, and what came of them. */
export const tlsReloads: MetricDefinition = {
  name: "inode_gateway_tls_reloads",
  help: "Changed TLS files that were read again, by outcome: success, or failure where the material before them goes on",
  kind: "counter",
  labels: [...LABELS, "outcome"],
};

/** When the own certificate in use ends. */
export const tlsCertificateExpiry: MetricDefinition = {
  name: "inode_gateway_tls_certificate_expiry_timestamp_seconds",
  help: "End of the validity of the own certificate in use, as Unix time; not there without a certificate",
  kind: "gauge",
  labels: LABELS,
};

/** What everything with a `tls` section counts. */
export const tlsMetrics: readonly MetricDefinition[] = [tlsReloads, tlsCertificateExpiry];
