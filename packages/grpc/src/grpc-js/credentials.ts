import { createSecureContext, type SecureContextOptions } from "node:tls";
import { type ChannelCredentials, credentials } from "@grpc/grpc-js";
import type { ClientTls } from "../tls.js";

/**
 * Makes grpc-js credentials of what a client trusts and presents; none means plaintext.
 *
 * @throws Error when a certificate or key is no PEM text, they do not belong together, or a version or
 *   cipher suite is unknown
 */
export function channelCredentials(tls: ClientTls | undefined): ChannelCredentials {
  if (tls === undefined) return credentials.createInsecure();
  const { ca, cert, key, minVersion = "TLSv1.2", maxVersion, cipherSuites } = tls;
  const options: SecureContextOptions = {
    minVersion,
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(maxVersion !== undefined && { maxVersion }),
    ...(cipherSuites !== undefined && { ciphers: cipherSuites }),
  };
  const context = createSecureContext(options);
  const rejectUnauthorized = tls.insecureSkipVerify !== true;
  return credentials.createFromSecureContext(context, { rejectUnauthorized });
}
