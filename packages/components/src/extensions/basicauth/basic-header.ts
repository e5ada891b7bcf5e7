import { AuthenticationError } from "../../capabilities/authenticator.js";

/** Longest name and password together, in bytes. */
export const CREDENTIALS_BYTES_MAX = 4_096;

/** What a sender showed. */
export interface BasicCredentials {
  readonly username: string;
  readonly password: string;
  /** Both as they came, in base64. */
  readonly raw: string;
}

/**
 * Reads the value of an `Authorization` header (RFC 7617).
 *
 * @throws AuthenticationError in the Collector's words, without what was shown
 */
export function parseBasicHeader(value: string): BasicCredentials {
  if (!/^basic /i.test(value)) throw new AuthenticationError("invalid authorization scheme prefix");
  const raw = value.slice("basic ".length).trim();
  const isBase64 = /^[A-Za-z0-9+/]+={0,2}$/.test(raw);
  const decoded = Buffer.from(raw, "base64");
  const colon = decoded.indexOf(":");
  if (!isBase64 || colon < 0 || decoded.byteLength > CREDENTIALS_BYTES_MAX) {
    throw new AuthenticationError("invalid authorization format");
  }
  return {
    username: decoded.subarray(0, colon).toString("utf8"),
    password: decoded.subarray(colon + 1).toString("utf8"),
    raw,
  };
}
