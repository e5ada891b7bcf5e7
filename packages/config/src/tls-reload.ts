import { createHash } from "node:crypto";
import type { ServerTlsConfig, TlsConfig } from "./tls-config.js";
import { readTlsFile } from "./tls-file.js";

/** Shortest `reload_interval`: reading four files more often than this is work for nothing. */
export const TLS_RELOAD_MS_MIN = 100;

/** How often files are looked at with `client_ca_file_reload` and no `reload_interval`. */
const CLIENT_CA_RELOAD_MS = 10_000;

/** After how many milliseconds the files of a `tls` section are looked at again; undefined is never. */
export function tlsReloadIntervalMs(
  config: TlsConfig & Pick<ServerTlsConfig, "client_ca_file_reload">,
): number | undefined {
  const { client_ca_file_reload, reload_interval = 0 } = config;
  if (reload_interval > 0) return reload_interval;
  return client_ca_file_reload === true ? CLIENT_CA_RELOAD_MS : undefined;
}

/**
 * A hash over the contents of all files of a `tls` section: another one means that something changed.
 *
 * The content counts, not the time or the inode: so a file written in place, one renamed over it and
 * the swap of a symbolic link above it (as Kubernetes does) are the same. A file that cannot be read
 * is a state like any other.
 */
export async function tlsFingerprint(
  config: TlsConfig & Pick<ServerTlsConfig, "client_ca_file">,
): Promise<string> {
  const hash = createHash("sha256");
  for (const key of ["ca_file", "cert_file", "key_file", "client_ca_file"] as const) {
    const path = config[key];
    if (path === undefined) continue;
    hash.update(`${key}:`);
    try {
      hash.update(
        createHash("sha256")
          .update(await readTlsFile(path))
          .digest(),
      );
    } catch (error) {
      hash.update(error instanceof Error ? error.message : String(error));
    }
  }
  return hash.digest("hex");
}
