import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { rootCertificates } from "node:tls";
import { fileProblem } from "./small-file.js";
import { cipherString } from "./tls-cipher-suites.js";
import type { ClientTlsConfig, ServerTlsConfig, TlsConfig } from "./tls-config.js";
import { curveString } from "./tls-curves.js";
import { readTlsFile } from "./tls-file.js";

/** What node:tls needs, PEM text. */
export interface TlsMaterial {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly minVersion?: "TLSv1.2" | "TLSv1.3" | undefined;
  readonly maxVersion?: "TLSv1.2" | "TLSv1.3" | undefined;
  /** As `ciphers` of node:tls takes it. */
  readonly cipherSuites?: string | undefined;
  /** As `ecdhCurve` of node:tls takes it. */
  readonly curves?: string | undefined;
  /** When the own certificate ends, milliseconds since the Unix epoch; undefined without one. */
  readonly expiresAtUnixMs?: number | undefined;
}

/** What a client needs. */
export interface ClientTlsMaterial extends TlsMaterial {
  readonly insecureSkipVerify?: boolean;
  readonly serverNameOverride?: string | undefined;
}

/** What a server needs. */
export interface ServerTlsMaterial extends TlsMaterial {
  readonly cert: string;
  readonly key: string;
  /** When set, clients must present a certificate signed by one of these. */
  readonly clientCa?: string | undefined;
}

/** A PEM text with the key of the configuration it came from, for messages. */
interface Pem {
  readonly text: string;
  readonly source: string;
}

/**
 * Reads the files of a client's `tls`; undefined when `insecure`.
 *
 * @throws Error naming the key and the file: missing, unreadable, too large, no PEM, an encrypted key,
 *   or a key that does not belong to the certificate
 */
export async function readClientTls(
  config: ClientTlsConfig,
): Promise<ClientTlsMaterial | undefined> {
  if (config.insecure) return undefined;
  return {
    ...(await readShared(config)),
    insecureSkipVerify: config.insecure_skip_verify,
    serverNameOverride: config.server_name_override,
  };
}

/**
 * Reads the files of a server's `tls`.
 *
 * @throws Error as {@link readClientTls} does, and when the certificate or the key is not configured
 */
export async function readServerTls(config: ServerTlsConfig): Promise<ServerTlsMaterial> {
  const { cert, key, ...material } = await readShared(config);
  if (cert === undefined || key === undefined) {
    throw new Error("a server needs a certificate and its key: set `cert_file` and `key_file`");
  }
  const clientCa = await readPem("client_ca_file", config.client_ca_file, undefined);
  if (clientCa !== undefined) certificatesOf(clientCa);
  return { ...material, cert, key, clientCa: clientCa?.text };
}

async function readShared(config: TlsConfig): Promise<TlsMaterial> {
  // One after the other: of several faults it is always the same one that is told.
  const ca = await readPem("ca_file", config.ca_file, config.ca_pem);
  const cert = await readPem("cert_file", config.cert_file, config.cert_pem);
  const key = await readPem("key_file", config.key_file, config.key_pem);
  if (ca !== undefined) certificatesOf(ca);
  const own = cert && key && matchingCertificate(cert, key);
  return {
    ca: trusted(ca?.text, config.include_system_ca_certs_pool ?? false),
    cert: cert?.text,
    key: key?.text,
    minVersion: config.min_version === undefined ? undefined : `TLSv${config.min_version}`,
    maxVersion: config.max_version === undefined ? undefined : `TLSv${config.max_version}`,
    cipherSuites:
      config.cipher_suites === undefined || config.cipher_suites.length === 0
        ? undefined
        : cipherString(config.cipher_suites),
    curves:
      config.curve_preferences === undefined || config.curve_preferences.length === 0
        ? undefined
        : curveString(config.curve_preferences),
    expiresAtUnixMs: own === undefined ? undefined : Date.parse(own.validTo),
  };
}

// Without a CA of its own a connection trusts the system's anyway.
function trusted(ca: string | undefined, includeSystem: boolean): string | undefined {
  return ca === undefined || !includeSystem ? ca : [ca, ...rootCertificates].join("\n");
}

async function readPem(
  key: string,
  path: string | undefined,
  pem: string | undefined,
): Promise<Pem | undefined> {
  if (pem !== undefined) return { text: pem, source: `\`${key.replace("_file", "_pem")}\`` };
  if (path === undefined) return undefined;
  const source = `\`${key}\` ${path}`;
  try {
    return { text: (await readTlsFile(path)).toString(), source };
  } catch (error) {
    throw new Error(`${source} cannot be read: ${fileProblem(error)}`, { cause: error });
  }
}

function certificatesOf(pem: Pem): X509Certificate[] {
  const blocks = pem.text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  if (blocks === null) throw new Error(`${pem.source} holds no PEM certificate`);
  return blocks.map((block, index) => {
    try {
      return new X509Certificate(block);
    } catch (error) {
      throw new Error(`${pem.source}: certificate ${index + 1} is broken`, { cause: error });
    }
  });
}

function matchingCertificate(cert: Pem, key: Pem): X509Certificate {
  const [own] = certificatesOf(cert);
  if (own?.checkPrivateKey(privateKeyOf(key))) return own;
  throw new Error(
    `${key.source} is not the private key of the certificate in ${cert.source} (${own?.subject.replaceAll("\n", ", ")})`,
  );
}

function privateKeyOf(pem: Pem): KeyObject {
  if (/ENCRYPTED/.test(pem.text)) {
    throw new Error(`${pem.source} is encrypted, keys with a passphrase are not supported`);
  }
  try {
    return createPrivateKey(pem.text);
  } catch (error) {
    // The cause says nothing of the key itself: OpenSSL reports only where decoding stopped.
    throw new Error(`${pem.source} holds no PEM private key`, { cause: error });
  }
}
