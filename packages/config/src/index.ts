import type { z } from "zod";
/** One thing that is wrong with a configuration. */
export interface ConfigurationProblem {
  /** Keys from the top, such as `receivers::otlp::protocols`; empty for the whole. */
  readonly path: string;
  readonly message: string;
}
export declare class ConfigurationError extends Error {
  readonly problems: readonly ConfigurationProblem[];
}
/** Go duration text (`200ms`, `1m30s`) to milliseconds. */
export declare function duration(): z.ZodType<number, string>;
/** A string that print-config shows as [REDACTED]. */
export declare function secret(): z.ZodType<string, string>;
/** Header names to secret values. */
export declare function headers(): z.ZodType<Record<string, string>, Record<string, string>>;
/** The Collector's configtls keys for a client (insecure, insecure_skip_verify, ca_file, cert_file, ...). */
export declare function clientTls(): z.ZodType<ClientTlsConfig>;
/** The Collector's configtls keys for a server. */
export declare function serverTls(): z.ZodType<ServerTlsConfig>;
export interface TlsConfig {
  readonly ca_file?: string | undefined;
  readonly ca_pem?: string | undefined;
  readonly cert_file?: string | undefined;
  readonly cert_pem?: string | undefined;
  readonly key_file?: string | undefined;
  readonly key_pem?: string | undefined;
  readonly min_version?: "1.2" | "1.3" | undefined;
  readonly max_version?: "1.2" | "1.3" | undefined;
  readonly cipher_suites?: readonly string[] | undefined;
}
export interface ClientTlsConfig extends TlsConfig {
  readonly insecure: boolean;
  readonly insecure_skip_verify: boolean;
  readonly server_name_override?: string | undefined;
}
export interface ServerTlsConfig extends TlsConfig {
  readonly client_ca_file?: string | undefined;
}
export interface TlsMaterial {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly minVersion?: "TLSv1.2" | "TLSv1.3" | undefined;
  readonly maxVersion?: "TLSv1.2" | "TLSv1.3" | undefined;
  readonly cipherSuites?: string | undefined;
}
/** Reads the files; rejects with an Error that names the key and the file. undefined when `insecure`. */
export declare function readClientTls(config: ClientTlsConfig): Promise<
  | (TlsMaterial & {
      readonly insecureSkipVerify?: boolean;
      readonly serverNameOverride?: string | undefined;
    })
  | undefined
>;
export declare function readServerTls(config: ServerTlsConfig): Promise<
  TlsMaterial & {
    readonly cert: string;
    readonly key: string;
    readonly clientCa?: string | undefined;
  }
>;
/** Where a configuration comes from. */
export interface ConfigurationSources {
  /** `--config` values in order: paths, `file:`, `env:`, `yaml:`. */
  readonly configs: readonly string[];
  /** `--set` values in order. */
  readonly sets: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
}
/** A merged, substituted configuration, not yet checked by any schema. Opaque: read it with `parseSection`. */
export interface ConfigurationTree {
  readonly root: unknown;
  /** Such as an unset environment variable. */
  readonly warnings: readonly string[];
}
export declare function loadConfiguration(
  sources: ConfigurationSources,
): Promise<ConfigurationTree>;
/** Parses one section by its schema; problems carry full paths below `path`. */
export declare function parseSection<Schema extends z.ZodType>(
  schema: Schema,
  section: unknown,
  path: readonly string[],
): { readonly value: z.output<Schema> } | { readonly problems: readonly ConfigurationProblem[] };
/** `otlp/2` to type and name; problems as text. */
export declare function parseComponentId(
  id: string,
): { readonly type: string; readonly name: string } | { readonly problem: string };
/** The candidate closest to what was written, when close enough to be meant. */
export declare function nearest(written: string, candidates: Iterable<string>): string | undefined;
