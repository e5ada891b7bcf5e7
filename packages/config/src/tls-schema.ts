import { z } from "zod";
import { withEnvironmentCheck } from "./check-environment.js";
import { secret } from "./secret.js";
import { opensslCipherNames } from "./tls-cipher-suites.js";
import type { ClientTlsConfig, ServerTlsConfig, TlsConfig } from "./tls-config.js";
import { readClientTls, readServerTls } from "./tls-material.js";

const path = () => z.string().min(1, "must not be empty").optional();
const version = () => z.enum(["1.2", "1.3"]).optional();

const shared = {
  ca_file: path().describe("File of PEM certificates to trust instead of the system's."),
  ca_pem: z.string().optional().describe("PEM certificates to trust, in place of `ca_file`."),
  include_system_ca_certs_pool: z
    .boolean()
    .default(false)
    .describe("Whether the system's certificates are trusted beside `ca_file`."),
  cert_file: path().describe("File of the own certificate and its chain, PEM."),
  cert_pem: z.string().optional().describe("The own certificate, in place of `cert_file`."),
  key_file: path().describe("File of the own certificate's private key, PEM without passphrase."),
  key_pem: secret().optional().describe("The private key, in place of `key_file`."),
  min_version: version().describe("Lowest TLS version; 1.2 when left out."),
  max_version: version().describe("Highest TLS version; 1.3 when left out."),
  cipher_suites: z
    .array(z.string().superRefine(refuseUnknownCipher))
    .max(64)
    .optional()
    .describe("Cipher suites below TLS 1.3 by their IANA names; safe defaults when left out."),
};

const client = withEnvironmentCheck(
  z
    .strictObject({
      insecure: z.boolean().default(false).describe("Whether to connect without TLS."),
      insecure_skip_verify: z
        .boolean()
        .default(false)
        .describe("Whether to accept any certificate of the server."),
      server_name_override: z
        .string()
        .optional()
        .describe("Name to ask for and to verify, instead of the endpoint's host."),
      ...shared,
    })
    .superRefine(refuseContradictions),
  readClientTls,
);

const server = withEnvironmentCheck(
  z
    .strictObject({
      client_ca_file: path().describe(
        "File of PEM certificates; clients must present one that these have signed.",
      ),
      ...shared,
    })
    .superRefine(refuseContradictions)
    .superRefine((written, context) => {
      if (written.cert_file !== undefined || written.cert_pem !== undefined) return;
      context.addIssue({
        code: "custom",
        message: "a server needs a certificate and its key: set `cert_file` and `key_file`",
      });
    }),
  readServerTls,
);

/**
 * The Collector's configtls keys for a client. Without any key: TLS with the system's certificates.
 *
 * Of the Collector's keys, `curve_preferences`, `include_insecure_cipher_suites`, `reload_interval` and
 * `tpm` are not supported, nor are versions below 1.2.
 */
export function clientTls(): z.ZodType<ClientTlsConfig> {
  return client;
}

/** The Collector's configtls keys for a server, with the same exceptions as {@link clientTls}. */
export function serverTls(): z.ZodType<ServerTlsConfig> {
  return server;
}

function refuseContradictions(written: TlsConfig, context: z.RefinementCtx): void {
  const refuse = (key: string, message: string) => {
    context.addIssue({ code: "custom", path: [key], message });
  };
  for (const what of ["ca", "cert", "key"] as const) {
    if (written[`${what}_file`] !== undefined && written[`${what}_pem`] !== undefined) {
      refuse(`${what}_pem`, `cannot be set together with \`${what}_file\``);
    }
  }
  const hasCert = written.cert_file !== undefined || written.cert_pem !== undefined;
  const hasKey = written.key_file !== undefined || written.key_pem !== undefined;
  if (hasCert && !hasKey) refuse("key_file", "is required beside a certificate");
  if (hasKey && !hasCert) refuse("cert_file", "is required beside a private key");
  if (written.min_version === "1.3" && written.max_version === "1.2") {
    refuse("max_version", "must not be below `min_version`, which is 1.3");
  }
}

function refuseUnknownCipher(name: string, context: z.RefinementCtx): void {
  if (opensslCipherNames.has(name)) return;
  const known = [...opensslCipherNames.keys()].join(", ");
  context.addIssue({
    code: "custom",
    message: `${JSON.stringify(name)} is not supported, supported are ${known}`,
  });
}
