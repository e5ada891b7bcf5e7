import type { FastifyCorsOptions, FastifyCorsOptionsDelegateCallback } from "@fastify/cors";
import type { CorsConfig } from "./http-config.js";

/** What browsers may send without being named in `allowed_headers`; the Collector's list. */
const safeHeaders = ["Accept", "Content-Type", "X-Requested-With"];

/** CORS as the Collector does it; undefined when no origin is allowed, which turns it off. */
export function corsDelegate(
  config: CorsConfig | undefined,
): FastifyCorsOptionsDelegateCallback | undefined {
  if (config === undefined || config.allowed_origins.length === 0) return undefined;
  const allowed: FastifyCorsOptions = {
    origin: config.allowed_origins.includes("*") ? "*" : config.allowed_origins.map(originPattern),
    methods: ["POST"],
    credentials: true,
    strictPreflight: false,
    ...(config.allowed_headers.includes("*")
      ? {}
      : { allowedHeaders: [...safeHeaders, ...config.allowed_headers] }),
    ...(config.exposed_headers.length > 0 ? { exposedHeaders: config.exposed_headers } : {}),
    ...(config.max_age > 0 ? { maxAge: config.max_age } : {}),
  };
  const off: FastifyCorsOptions = { origin: false };
  return (request, callback) => {
    const { headers, method } = request;
    // Without these headers it is no question of a browser, but a plain request: 405 for OPTIONS.
    const isPreflight = headers["access-control-request-method"] !== undefined;
    const isCors = headers.origin !== undefined && (method !== "OPTIONS" || isPreflight);
    callback(null, isCors ? allowed : off);
  };
}

/** A text in which `*` stands for any characters, as an expression over whole origins. */
function originPattern(origin: string): RegExp {
  const parts = origin.split("*").map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`, "i");
}
