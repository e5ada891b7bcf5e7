import type { ExtensionReference, Logger } from "@inode-gateway/contract";
import { z } from "zod";

/** `auth` of something that sends; the Collector's key. */
export const exporterAuth = () =>
  z
    .strictObject({
      authenticator: z
        .string()
        .min(1)
        .describe("ID of the extension that has the credentials, such as `bearertokenauth`."),
    })
    .optional()
    .describe("Credentials sent with every request; absent sends none.");

/** The extension that `auth` refers to, for a factory's `extensions`. */
export function authReferences({
  auth,
}: {
  readonly auth?: { readonly authenticator: string } | undefined;
}): readonly ExtensionReference[] {
  if (auth === undefined) return [];
  return [{ extensionId: auth.authenticator, path: ["auth", "authenticator"] }];
}

/** Says, once at start, that whoever can read the network can read the credentials. */
export function warnOfPlainCredentials(logger: Logger, endpoint: string): void {
  logger.warn("Credentials are sent without TLS", { endpoint });
}
