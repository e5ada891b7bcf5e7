/** The type of the record every TLS connection begins with (RFC 8446, section 5.1). */
const TLS_HANDSHAKE = "\u0016";
/** How HTTP/2 begins without TLS (RFC 9113, section 3.4). */
const HTTP2_PREFACE = "PRI * HTTP/2.0";

/**
 * Whether Node's HTTP parser gave up on the first bytes of another protocol. Other bytes that it
 * cannot read are answered 400, and whoever sent them knows.
 */
export function isOtherProtocol(error: Error): boolean {
  if (!("rawPacket" in error)) return false;
  const firstBytes = String(error.rawPacket);
  return firstBytes.startsWith(TLS_HANDSHAKE) || firstBytes.startsWith(HTTP2_PREFACE);
}

/** What a client did wrong when its connection failed before any request, for the person on call. */
export function connectionFailure(error: Error): string {
  const text = error.message;
  if (text.includes("bad client magic byte string")) {
    return "the client did not begin with HTTP/2: it speaks TLS or HTTP/1.1, and this port neither";
  }
  const firstBytes = "rawPacket" in error ? String(error.rawPacket) : undefined;
  if (firstBytes?.startsWith(TLS_HANDSHAKE) === true) {
    return "the client began with TLS, and this port has none: set `protocols::http::tls`, or `http://` at the client";
  }
  if (firstBytes?.startsWith(HTTP2_PREFACE) === true) {
    return "the client began with HTTP/2, perhaps for gRPC: this port takes OTLP/HTTP, and HTTP/2 over TLS only";
  }
  if (/:(wrong version number|http request):/.test(text)) {
    return "the client did not begin with TLS, which this port asks for";
  }
  if (/alert (unknown ca|bad certificate|certificate unknown)/.test(text)) {
    return "the client does not trust the certificate of this port (`tls::cert_file`)";
  }
  if (text.includes("peer did not return a certificate")) {
    return "the client showed no certificate, which `tls::client_ca_file` asks for";
  }
  return text.replace(/^[0-9A-F]+:error:[0-9A-F]+:SSL routines:[^:]*:([^:]*):.*$/s, "TLS: $1");
}
