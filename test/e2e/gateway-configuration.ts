/** What differs between the ways to run a gateway in these tests. */
export interface GatewayConfiguration {
  /** YAML of the `extensions` section, indented by two. */
  readonly extensions: string;
  readonly extensionNames: readonly string[];
  readonly registryId: string;
  /** `host:port` of the backend. */
  readonly backend: string;
}

/** A gateway's configuration on free ports of loopback, as text. */
export function gatewayConfiguration(options: GatewayConfiguration): string {
  const pipeline = `
      receivers: [otlp]
      processors: [inode_resolver, batch]
      exporters: [otlp_grpc]`;
  return `extensions:
${options.extensions}
receivers:
  otlp:
    protocols:
      grpc: { endpoint: "127.0.0.1:0" }
      http: { endpoint: "127.0.0.1:0" }
processors:
  inode_resolver: { registry: ${options.registryId}, hold: { timeout: 2s } }
  batch: { timeout: 50ms }
exporters:
  otlp_grpc:
    endpoint: "${options.backend}"
    tls: { insecure: true }
service:
  extensions: [${options.extensionNames.join(", ")}]
  telemetry:
    metrics: { readers: [{ pull: { exporter: { prometheus: { host: 127.0.0.1, port: 0 } } } }] }
  pipelines:
    traces:${pipeline}
    metrics:${pipeline}
    logs:${pipeline}
`;
}
