import type { Extension, Host } from "@inode-gateway/contract";

/** Names are lower-case; values in the order they came. */
export type RequestHeaders = ReadonlyMap<string, readonly string[]>;

/** A request was not let in; the message goes to its sender and never holds a secret. */
export class AuthenticationError extends Error {
  override readonly name = "AuthenticationError";
}

/** An extension that decides who may send: what `auth::authenticator` of a receiver must name. */
export interface ServerAuthenticator extends Extension {
  /**
   * What a sender who is not let in is asked for over HTTP: the value of `WWW-Authenticate` (RFC 9110,
   * section 11.6.1). Unset sends no such header.
   */
  readonly challenge?: string | undefined;
  /**
   * Lets a request in and says what is known of its sender, for `from_context: auth.<key>`.
   *
   * Asked before the body is read. Bounded in time by itself.
   *
   * @throws AuthenticationError when the request shows no or wrong credentials
   * @throws RetryableError when too much is being checked to tell now
   */
  authenticate(headers: RequestHeaders): Promise<ReadonlyMap<string, string>>;
}

/** An extension that proves who we are: what `auth::authenticator` of an exporter must name. */
export interface ClientAuthenticator extends Extension {
  /** Headers to send with the next request, lower-case names; cheap, asked for every request. */
  authorizationHeaders(): ReadonlyMap<string, string>;
}

/** The server side of a running extension. @throws Error when it does not run or is none */
export function serverAuthenticatorOf(host: Host, extensionId: string): ServerAuthenticator {
  return authenticatorOf(
    host,
    extensionId,
    "authenticate",
    "checks no senders",
  ) as ServerAuthenticator;
}

/** The client side of a running extension. @throws Error when it does not run or is none */
export function clientAuthenticatorOf(host: Host, extensionId: string): ClientAuthenticator {
  return authenticatorOf(
    host,
    extensionId,
    "authorizationHeaders",
    "has no credentials to send",
  ) as ClientAuthenticator;
}

function authenticatorOf(host: Host, id: string, method: string, lack: string): Extension {
  const extension = host.extension(id);
  if (extension === undefined) {
    throw new Error(
      `\`authenticator\` names the extension "${id}", which does not run: ` +
        "list it under `service::extensions`",
    );
  }
  if (!(method in extension)) {
    throw new Error(
      `\`authenticator\` names the extension "${id}", which ${lack}: ` +
        "use a `bearertokenauth` or a `basicauth` with the keys of that side",
    );
  }
  return extension;
}
