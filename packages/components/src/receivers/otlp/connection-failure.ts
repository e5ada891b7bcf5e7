/** What a client did wrong when its connection failed before any request, for the person on call. */
export function connectionFailure(error: Error): string {
  const text = error.message;
  if (text.includes("bad client magic byte string")) {
    return "the client did not begin with HTTP/2: it speaks TLS or HTTP/1.1, and this port neither";
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
