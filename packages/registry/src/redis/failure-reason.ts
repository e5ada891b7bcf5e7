/** What is known of a Redis that cannot be used. */
export interface FailedTarget {
  /** The endpoint without user and password. */
  readonly shown: string;
  readonly isTls: boolean;
  readonly username: string | undefined;
  readonly hasPassword: boolean;
  readonly connectTimeoutMs: number;
}

/**
 * Why a Redis cannot be used and what to do about it, for the person on call.
 *
 * Undefined stands for a connection that was closed without an error. The text of an unknown error
 * is passed on; neither Redis nor ioredis puts a password into it.
 */
export function failureReason(error: unknown, target: FailedTarget): string {
  if (error === undefined) return closedReason(target);
  const text = error instanceof Error ? error.message : String(error);
  const code = codeOf(error);
  return (
    networkReason(code, text, target) ??
    tlsReason(code, text, target) ??
    credentialReason(text, target) ??
    stateReason(text, target) ??
    `${target.shown} cannot be used: ${text}`
  );
}

function closedReason({ shown, isTls }: FailedTarget): string {
  const reason = `${shown} closed the connection before it was ready`;
  return isTls ? reason : `${reason}; if it expects TLS, write \`rediss://\` or set \`tls\``;
}

function codeOf(error: unknown): string {
  if (typeof error !== "object" || error === null || !("code" in error)) return "";
  return String(error.code);
}

function networkReason(code: string, text: string, target: FailedTarget): string | undefined {
  const { shown } = target;
  if (code === "ECONNREFUSED") {
    return `nothing listens at ${shown} (connection refused): start Redis, or correct \`endpoint\``;
  }
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") {
    return `the host name of ${shown} cannot be resolved (${code}); check \`endpoint\` and DNS`;
  }
  if (code === "ETIMEDOUT" || text.includes("ETIMEDOUT")) {
    return (
      `no connection to ${shown} within ${target.connectTimeoutMs} ms: check \`endpoint\` and ` +
      `firewalls${target.isTls ? ", and whether that Redis speaks TLS" : ""}`
    );
  }
  if (code === "EHOSTUNREACH" || code === "ENETUNREACH") {
    return `there is no route to ${shown} (${code})`;
  }
  if (code === "ENOENT")
    return `the socket ${shown} does not exist: start Redis, or correct \`endpoint\``;
  if (code === "EACCES") return `no permission to open the socket ${shown}`;
  if (code === "ECONNRESET" || code === "EPIPE") return closedReason(target);
  return undefined;
}

function tlsReason(code: string, text: string, target: FailedTarget): string | undefined {
  const { shown } = target;
  if (untrustedCodes.has(code)) {
    return (
      `the certificate of ${shown} is not signed by an authority trusted here (${code}); ` +
      "set `tls::ca_file` to its authority"
    );
  }
  if (code === "CERT_HAS_EXPIRED") return `the certificate of ${shown} has expired`;
  if (code === "CERT_NOT_YET_VALID") return `the certificate of ${shown} is not valid yet`;
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    return `the certificate of ${shown} is for another name (${text}); set \`tls::server_name_override\``;
  }
  if (code === "ERR_SSL_WRONG_VERSION_NUMBER" || code === "ERR_SSL_PACKET_LENGTH_TOO_LONG") {
    return `${shown} does not speak TLS; write \`redis://\` and leave out \`tls\``;
  }
  if (code.startsWith("ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED")) {
    return `${shown} asks for a client certificate; set \`tls::cert_file\` and \`tls::key_file\``;
  }
  if (code.startsWith("ERR_SSL") || code === "EPROTO") {
    return `the TLS handshake with ${shown} failed: ${text}`;
  }
  return undefined;
}

const untrustedCodes: ReadonlySet<string> = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);

function credentialReason(text: string, target: FailedTarget): string | undefined {
  const user = target.username ?? "default";
  if (text.startsWith("WRONGPASS") || text.includes("invalid password")) {
    return `${target.shown} refused the password of user \`${user}\`; check \`username\` and \`password\``;
  }
  if (text.startsWith("NOAUTH")) {
    return target.hasPassword
      ? `${target.shown} did not accept the login of user \`${user}\``
      : `${target.shown} asks for a password and none is set; set \`password\``;
  }
  if (text.startsWith("NOPERM")) {
    return `user \`${user}\` of ${target.shown} lacks a permission: ${text}`;
  }
  return undefined;
}

function stateReason(text: string, target: FailedTarget): string | undefined {
  const { shown } = target;
  if (text.startsWith("LOADING")) return `${shown} is still loading its data`;
  if (text.startsWith("READONLY")) {
    return `${shown} is a read-only replica; \`endpoint\` must name the primary`;
  }
  if (text.startsWith("OOM")) {
    return `${shown} has no memory left (\`maxmemory\`) and refuses to store: ${text}`;
  }
  if (text.startsWith("MOVED") || text.startsWith("CROSSSLOT")) {
    return `${shown} is a Redis Cluster; name a standalone Redis instead`;
  }
  if (text.includes("DB index is out of range")) {
    return `${shown} has no database of that number; check the end of \`endpoint\``;
  }
  return undefined;
}
