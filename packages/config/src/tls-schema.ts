import { z } from "zod";
import { withEnvironmentCheck } from "./check-environment.js";
import { duration, formatDuration } from "./duration.js";
import { secret } from "./secret.js";
import { insecureCipherNames, opensslCipherNames } from "./tls-cipher-suites.js";
import type { ClientTlsConfig, ServerTlsConfig, TlsConfig } from "./tls-config.js";
import { supportedCurves } from "./tls-curves.js";
import { readClientTls, readServerTls } from "./tls-material.js";
import { TLS_RELOAD_MS_MIN } from "./tls-reload.js";

const path = () => z.string().min(1, "must not be empty").optional();
/** The longest time a timer of Node can wait, 24.8 days. */
const TIMER_MS_MAX = 2_147_483_647;
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
    .array(z.string())
    .max(64)
    .optional()
    .describe("Cipher suites below TLS 1.3 by their IANA names; safe defaults when left out."),
  include_insecure_cipher_suites: z
    .boolean()
    .default(false)
    .describe("Whether `cipher_suites` may name suites that Go's standard library calls insecure."),
  curve_preferences: z
    .array(z.string().superRefine(refuseUnknownCurve))
    .max(16)
    .optional()
    .describe(
      "Curves of the key exchange, the preferred first: X25519, P256, P384, P521, and X25519MLKEM768 where OpenSSL has it; OpenSSL's own when left out.",
    ),
  reload_interval: duration({ maxMs: TIMER_MS_MAX })
    .refine((ms) => ms === 0 || ms >= TLS_RELOAD_MS_MIN, {
      error: `must be 0s for never, or at least ${formatDuration(TLS_RELOAD_MS_MIN)}`,
    })
    .optional()
    .describe(
      "Duration after which all files named here are read again, and used for new connections when they changed; unset or 0s is never.",
    ),
  tpm: z
    .unknown()
    .optional()
    .superRefine((written, context) => {
      if (written === undefined) return;
      const message = "is not supported: a key inside a TPM cannot be used, set `key_file`";
      context.addIssue({ code: "custom", message });
    })
    .describe("Refused: keys inside a TPM are not supported."),
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
      client_ca_file_reload: z
        .boolean()
        .default(false)
        .describe(
          "Whether the files are read again after 10s without `reload_interval`; with it they are anyway.",
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
 * Of the Collector's keys, `tpm` is not supported, nor are versions below 1.2. `reload_interval` is for
 * its reader to keep: `tlsReloadIntervalMs` and `tlsFingerprint` say when to read again.
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
  refuseUnknownCiphers(written, context);
}

function refuseUnknownCiphers(written: TlsConfig, context: z.RefinementCtx): void {
  const mayBeInsecure = written.include_insecure_cipher_suites === true;
  for (const [index, name] of (written.cipher_suites ?? []).entries()) {
    if (opensslCipherNames.has(name)) continue;
    const isInsecure = insecureCipherNames.has(name);
    if (isInsecure && mayBeInsecure) continue;
    const known = [
      ...opensslCipherNames.keys(),
      ...(mayBeInsecure ? insecureCipherNames.keys() : []),
    ];
    const message = isInsecure
      ? `"${name}" is insecure, set \`include_insecure_cipher_suites: true\` to use it all the same`
      : `${JSON.stringify(name)} is not supported, supported are ${known.join(", ")}`;
    context.addIssue({ code: "custom", path: ["cipher_suites", index], message });
  }
}

function refuseUnknownCurve(name: string, context: z.RefinementCtx): void {
  const supported = supportedCurves();
  if (supported.includes(name)) return;
  const message = `${JSON.stringify(name)} is not supported, supported are ${supported.join(", ")}`;
  context.addIssue({ code: "custom", message });
}
