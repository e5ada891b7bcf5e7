import { z } from "zod";
import { parseListenEndpoint } from "../../transport/endpoint.js";

/** 64 MiB: what OTLP 1.11.0 recommends on both transports; the Collector has 4 MiB and 20 MiB. */
export const DEFAULT_MAX_REQUEST_MIB = 64;

/**
 * Connections of one listener unless configured: more than a gateway of one core can serve. Idle ones
 * take 24 KB each over gRPC and 8 KB over HTTP/1.1 (measured), 250 MB if all of them come.
 */
const MAX_CONNECTIONS_DEFAULT = 10_000;

const extensionId = () => z.string().min(1, "must not be empty");

const authenticator = () =>
  extensionId().describe("ID of the extension that checks who sends, such as `bearertokenauth`.");

/** The section `auth` of gRPC. */
export const authConfig = () => z.strictObject({ authenticator: authenticator() });

/** The section `auth` of HTTP. */
export const httpAuthConfig = () =>
  z.strictObject({
    authenticator: authenticator(),
    request_params: z
      .array(z.string().min(1))
      .default([])
      .describe(
        "Parameters of the URL's query that the authenticator gets as if they were headers.",
      ),
  });

/** The list `middlewares`. */
export const middlewares = () =>
  z
    .array(
      z.strictObject({
        id: extensionId().describe("ID of the extension, such as `memory_limiter`."),
      }),
    )
    .default([])
    .describe(
      "Extensions that may turn requests away before anything of them is read, asked in this order.",
    );

/** The key `max_connections`. */
export const maxConnections = () =>
  z
    .int()
    .positive()
    .default(MAX_CONNECTIONS_DEFAULT)
    .describe(
      "Connections at the same time; one more is closed at once. The Collector has no limit.",
    );

/** Refuses an endpoint that is not `host:port`, unless it is the path of a unix socket. */
export function refuseUnlistenable(
  { endpoint, transport }: { readonly endpoint: string; readonly transport: string },
  context: z.RefinementCtx,
): void {
  if (transport === "unix") return;
  const parsed = parseListenEndpoint(endpoint);
  if (!("problem" in parsed)) return;
  context.addIssue({ code: "custom", path: ["endpoint"], message: parsed.problem });
}
