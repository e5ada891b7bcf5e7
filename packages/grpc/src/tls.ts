/** What a TLS server presents and demands; PEM text. */
export interface ServerTls {
  readonly cert: string;
  readonly key: string;
  /** When set, a client certificate signed by one of these is required. */
  readonly clientCa?: string | undefined;
  readonly minVersion?: TlsVersion | undefined;
  readonly maxVersion?: TlsVersion | undefined;
  readonly cipherSuites?: string | undefined;
  /** As `ecdhCurve` of node:tls. */
  readonly curves?: string | undefined;
}

/** What a TLS client trusts and presents; PEM text. */
export interface ClientTls {
  /** Certificates to trust instead of the system's. */
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** Do not verify the server. Default false. */
  readonly insecureSkipVerify?: boolean | undefined;
  /** Verify against this name, and send it, instead of the endpoint's host. */
  readonly serverNameOverride?: string | undefined;
  readonly minVersion?: TlsVersion | undefined;
  readonly maxVersion?: TlsVersion | undefined;
  readonly cipherSuites?: string | undefined;
  /** As `ecdhCurve` of node:tls. */
  readonly curves?: string | undefined;
}

/** As Node names them. */
export type TlsVersion = "TLSv1.2" | "TLSv1.3";
