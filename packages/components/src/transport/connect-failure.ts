/** What an exporter tells a person to change; in the words of its own keys. */
export interface ConnectAdvice {
  /** Whether the connection was meant to be encrypted. */
  readonly isTls: boolean;
  /** How to switch TLS off, such as "set `tls::insecure: true`". */
  readonly withoutTls: string;
  /** How to switch TLS on. */
  readonly withTls: string;
}

/**
 * Why a destination cannot be reached and what to do about it, for the person on call.
 *
 * @param reason text of the system's, TLS's or the gRPC library's error
 */
export function connectFailure(reason: string, advice: ConnectAdvice): string {
  const text = reason
    .replace(/^[0-9A-F]+:error:[0-9A-F]+:SSL routines:[^:]*:([^:]*):.*$/s, "TLS: $1")
    // Node's own advice, from 22 on, is for whoever starts node by hand.
    .replace(/; if the root CA is installed locally, .*$/s, "")
    .trim();
  const what = adviceFor(text, advice);
  return what === undefined ? text : `${text}; ${what}`;
}

function adviceFor(text: string, advice: ConnectAdvice): string | undefined {
  if (/wrong version number|packet length too long|http request/.test(text)) {
    return `the destination does not speak TLS there: ${advice.withoutTls}`;
  }
  if (/self.signed|unable to (get|verify)|unknown ca/i.test(text)) {
    return "no authority trusted here has signed its certificate: set `tls::ca_file`";
  }
  if (/altnames?/i.test(text)) {
    return "its certificate is for another name: correct `endpoint` or set `tls::server_name_override`";
  }
  if (text.includes("certificate has expired")) return "the destination needs a new certificate";
  if (/certificate required|bad certificate/.test(text)) {
    return "the destination asks for a client certificate: set `tls::cert_file` and `tls::key_file`";
  }
  if (text.includes("ECONNREFUSED")) {
    return "nothing listens there: start the destination or correct `endpoint`";
  }
  if (/ENOTFOUND|EAI_AGAIN|does not resolve/.test(text)) return "check `endpoint` and DNS";
  if (/ETIMEDOUT|EHOSTUNREACH|ENETUNREACH/.test(text)) {
    return "nothing answers there: check `endpoint`, routes and firewalls";
  }
  if (/closed|ECONNRESET|hang up/.test(text) && !advice.isTls) {
    return `if the destination expects TLS, ${advice.withTls}`;
  }
  return undefined;
}
