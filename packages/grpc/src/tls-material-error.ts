const reasons: ReadonlyMap<string, string> = new Map([
  ["ERR_OSSL_PEM_NO_START_LINE", "a certificate or key is no PEM text"],
  ["ERR_OSSL_PEM_BAD_BASE64_DECODE", "a certificate or key has damaged PEM text"],
  ["ERR_OSSL_UNSUPPORTED", "a key is no PEM text, or of a kind OpenSSL does not know"],
  ["ERR_OSSL_X509_KEY_VALUES_MISMATCH", "the key does not belong to the certificate"],
  ["ERR_OSSL_BAD_PASSWORD_READ", "the key is encrypted, which is not supported"],
  ["ERR_SSL_NO_CIPHER_MATCH", "no cipher suite of that name is known"],
]);

/** Puts into words why OpenSSL could not use a certificate, a key or a cipher suite. */
export function tlsMaterialError(cause: unknown): Error {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const reason = reasons.get(code) ?? (cause instanceof Error ? cause.message : String(cause));
  return Object.assign(new Error(reason, { cause }), code !== "" && { code });
}
