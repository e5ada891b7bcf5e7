import type { Socket } from "node:net";
import { isIP } from "node:net";
import {
  checkServerIdentity,
  createSecureContext,
  type SecureContext,
  type SecureContextOptions,
  connect as tlsConnect,
} from "node:tls";
import { CallCredentials, ChannelCredentials, credentials } from "@grpc/grpc-js";
import { HANDSHAKE_TIMEOUT_MS } from "../listener.js";
import type { ClientTls } from "../tls.js";

type SecureConnector = ReturnType<ChannelCredentials["_createSecureConnector"]>;
type SecureConnection = Awaited<ReturnType<SecureConnector["connect"]>>;

/**
 * Makes grpc-js credentials of what a client trusts and presents; none means plaintext.
 *
 * @param host the endpoint's, which the server's certificate has to be for
 * @throws Error when a certificate or key is no PEM text, they do not belong together, or a version or
 *   cipher suite is unknown
 */
export function channelCredentials(tls: ClientTls | undefined, host: string): ChannelCredentials {
  return tls === undefined ? credentials.createInsecure() : new TlsCredentials(tls, host);
}

/**
 * Lets credentials trust and present something else in every handshake from now on.
 *
 * @throws Error as {@link channelCredentials} does, and for plaintext; then nothing changes
 */
export function replaceTls(creds: ChannelCredentials, tls: ClientTls): void {
  if (!(creds instanceof TlsCredentials)) throw new Error("the channel does not use TLS");
  creds.replace(tls);
}

/**
 * TLS with a handshake of our own: grpc-js would send an IP address as the server's name, which TLS
 * forbids (RFC 6066, section 3) and Node warns about, and would wait for a handshake without end.
 */
class TlsCredentials extends ChannelCredentials {
  readonly #name: string;
  readonly #isVerified: boolean;
  #context: SecureContext;

  constructor(tls: ClientTls, host: string) {
    super();
    this.#context = createSecureContext(contextOptions(tls));
    this.#name = tls.serverNameOverride ?? host;
    this.#isVerified = tls.insecureSkipVerify !== true;
  }

  // grpc-js keeps the credentials of a channel for good, and asks them at every connection.
  replace(tls: ClientTls): void {
    this.#context = createSecureContext(contextOptions(tls));
  }

  override _isSecure(): boolean {
    return true;
  }

  override _equals(other: ChannelCredentials): boolean {
    return this === other;
  }

  override _createSecureConnector(
    _target: unknown,
    _options: unknown,
    callCredentials = CallCredentials.createEmpty(),
  ): SecureConnector {
    return {
      connect: (socket) => this.#connect(socket),
      waitForReady: () => Promise.resolve(),
      getCallCredentials: () => callCredentials,
      destroy: () => undefined,
    };
  }

  #connect(socket: Socket): Promise<SecureConnection> {
    return new Promise((resolve, reject) => {
      const secured = tlsConnect({
        socket,
        secureContext: this.#context,
        ALPNProtocols: ["h2"],
        rejectUnauthorized: this.#isVerified,
        checkServerIdentity: (_host, certificate) => checkServerIdentity(this.#name, certificate),
        ...(isIP(this.#name) === 0 && { servername: this.#name }),
      });
      const timer = setTimeout(() => {
        secured.destroy(new Error(`no TLS handshake within ${HANDSHAKE_TIMEOUT_MS} ms`));
      }, HANDSHAKE_TIMEOUT_MS);
      secured.once("close", () => {
        clearTimeout(timer);
        reject(new Error("the connection was closed during the TLS handshake"));
      });
      secured.on("error", reject);
      secured.once("secureConnect", () => {
        clearTimeout(timer);
        resolve({ socket: secured, secure: true });
      });
    });
  }
}

function contextOptions(tls: ClientTls): SecureContextOptions {
  const { ca, cert, key, curves, minVersion = "TLSv1.2", maxVersion, cipherSuites } = tls;
  return {
    minVersion,
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(maxVersion !== undefined && { maxVersion }),
    ...(cipherSuites !== undefined && { ciphers: cipherSuites }),
    ...(curves !== undefined && { ecdhCurve: curves }),
  };
}
