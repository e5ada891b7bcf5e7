import type { Signal } from "@inode-gateway/contract";

/** A signal the process sends of itself. */
export type OwnSignal = Exclude<Signal, "profiles">;

/** What was written under `otlp` of own telemetry. */
export interface OwnOtlpKeys {
  readonly protocol: "grpc" | "http/protobuf";
  readonly endpoint?: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly compression: string;
  readonly timeout: number;
  readonly insecure: boolean;
  readonly certificate?: string | undefined;
  readonly client_certificate?: string | undefined;
  readonly client_key?: string | undefined;
}

/**
 * The same as a section of the exporter that sends it, `otlp_grpc` or `otlp_http`, which checks it.
 *
 * @param timeoutMs of one request, all its tries together
 */
export function exporterSection(
  config: OwnOtlpKeys,
  { signal, timeoutMs }: { readonly signal: OwnSignal; readonly timeoutMs: number },
): object {
  return config.protocol === "grpc" ? grpc(config, timeoutMs) : http(signal, config, timeoutMs);
}

/** An exporter's error, with its keys called as they are under `otlp` of own telemetry. */
export function withOwnKeys(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replaceAll(
    /`(ca|cert|key)_file`/g,
    (_, which: keyof typeof OWN_KEYS) => OWN_KEYS[which],
  );
}

const OWN_KEYS = {
  ca: "`certificate`",
  cert: "`client_certificate`",
  key: "`client_key`",
} as const;

function shared(config: OwnOtlpKeys, timeoutMs: number) {
  const { certificate, client_certificate: cert, client_key: key } = config;
  return {
    compression: config.compression,
    headers: config.headers,
    timeout: `${Math.min(config.timeout, timeoutMs)}ms`,
    // The SDK tries again while the time of the request lasts; so does this.
    retry_on_failure: {
      initial_interval: "1s",
      max_interval: "5s",
      max_elapsed_time: `${timeoutMs}ms`,
    },
    sending_queue: { enabled: false },
    tls: {
      ...(certificate !== undefined && { ca_file: certificate }),
      ...(cert !== undefined && { cert_file: cert, key_file: key }),
    },
  };
}

function grpc(config: OwnOtlpKeys, timeoutMs: number) {
  const common = shared(config, timeoutMs);
  // The path of a URL means nothing to gRPC, but people write one.
  const endpoint = (config.endpoint ?? "localhost:4317").replace(/^(https?:\/\/[^/]+)\/.*$/, "$1");
  return { ...common, endpoint, tls: { ...common.tls, insecure: config.insecure } };
}

function http(signal: OwnSignal, config: OwnOtlpKeys, timeoutMs: number) {
  const { endpoint = "localhost:4318", insecure } = config;
  const hasScheme = /^https?:\/\//i.test(endpoint);
  const url = hasScheme ? endpoint : `${insecure ? "http" : "https"}://${endpoint}`;
  const hasPath = /^https?:\/\/[^/]+\/./i.test(url);
  const target = hasPath ? { [`${signal}_endpoint`]: url } : { endpoint: url.replace(/\/$/, "") };
  return { ...shared(config, timeoutMs), ...target };
}
