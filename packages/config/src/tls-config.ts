/** The Collector's configtls keys that clients and servers share. */
export interface TlsConfig {
  readonly ca_file?: string | undefined;
  readonly ca_pem?: string | undefined;
  readonly include_system_ca_certs_pool?: boolean | undefined;
  readonly cert_file?: string | undefined;
  readonly cert_pem?: string | undefined;
  readonly key_file?: string | undefined;
  readonly key_pem?: string | undefined;
  readonly min_version?: "1.2" | "1.3" | undefined;
  readonly max_version?: "1.2" | "1.3" | undefined;
  readonly cipher_suites?: readonly string[] | undefined;
  readonly include_insecure_cipher_suites?: boolean | undefined;
  readonly curve_preferences?: readonly string[] | undefined;
  /** Milliseconds; absent and 0 mean never. */
  readonly reload_interval?: number | undefined;
}

/** `tls` of something that connects. */
export interface ClientTlsConfig extends TlsConfig {
  /** Plaintext: no TLS at all. */
  readonly insecure: boolean;
  /** TLS, but the server may be anybody. */
  readonly insecure_skip_verify: boolean;
  readonly server_name_override?: string | undefined;
}

/** `tls` of something that listens. */
export interface ServerTlsConfig extends TlsConfig {
  readonly client_ca_file?: string | undefined;
  readonly client_ca_file_reload?: boolean | undefined;
}
