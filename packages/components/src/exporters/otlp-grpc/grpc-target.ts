/** Where a channel connects to, without the scheme that says whether to encrypt. */
export interface GrpcTarget {
  /** As the grpc package takes it. */
  readonly endpoint: string;
  /** What `http://` and `https://` decide; undefined leaves it to the `tls` settings. */
  readonly isInsecure: boolean | undefined;
}

/** Takes the `endpoint` of an `otlp_grpc` exporter apart; returns a problem as text. */
export function parseGrpcTarget(endpoint: string): GrpcTarget | { readonly problem: string } {
  if (endpoint === "") return { problem: 'requires a non-empty "endpoint"' };
  if (/^unix:/i.test(endpoint)) return { endpoint, isInsecure: undefined };
  const dns = /^dns:\/\/[^/]*\/(.*)$/i.exec(endpoint);
  if (dns !== null) {
    const problem = problemOf(dns[1] ?? "", endpoint);
    return problem === undefined ? { endpoint, isInsecure: undefined } : { problem };
  }
  const http = /^(https?):\/\/([^/]*)\/?$/i.exec(endpoint);
  const hostAndPort = http?.[2] ?? endpoint;
  const problem = problemOf(hostAndPort, endpoint);
  if (problem !== undefined) return { problem };
  const scheme = http?.[1]?.toLowerCase();
  return {
    endpoint: hostAndPort,
    isInsecure: scheme === undefined ? undefined : scheme === "http",
  };
}

function problemOf(hostAndPort: string, endpoint: string): string | undefined {
  const match = /^(\[[0-9a-f:.%]+\]|[^\s:/[\]]+):(\d{1,5})$/i.exec(hostAndPort);
  if (match !== null && Number(match[2]) <= 65_535) return undefined;
  return `is not host:port: "${endpoint}"`;
}
