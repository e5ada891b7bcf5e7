import { formatDuration } from "@inode-gateway/config";
import type { ComponentStatus } from "@inode-gateway/contract";
import type { HealthCheckConfig } from "./config.js";

/** What a probe is told. */
export interface HealthAnswer {
  readonly statusCode: 200 | 503;
  readonly body: string;
}

/** Since when everything runs; undefined while it does not. */
export interface Readiness {
  readonly sinceUnixMs: number;
}

/** Go's zero time, which the Collector shows before it is ready. */
const ZERO_TIME = "0001-01-01T00:00:00Z";

/** The answer to a probe, byte for byte as the Collector's `health_check` gives it. */
export function healthAnswer(
  readiness: Readiness | undefined,
  nowUnixMs: number,
  bodies: HealthCheckConfig["response_body"],
): HealthAnswer {
  const statusCode = readiness === undefined ? 503 : 200;
  const fixed = readiness === undefined ? bodies?.unhealthy : bodies?.healthy;
  const body =
    fixed === undefined || fixed === "" ? JSON.stringify(facts(readiness, nowUnixMs)) : fixed;
  return { statusCode, body };
}

/** The same with the status of every component and its reason: `?verbose`. */
export function verboseHealthAnswer(
  readiness: Readiness | undefined,
  nowUnixMs: number,
  statuses: readonly ComponentStatus[],
): HealthAnswer {
  const components = statuses.map(({ id, kind, pipeline, reason, sinceUnixMs, state }) => ({
    kind,
    id,
    pipeline,
    state,
    reason,
    since: new Date(sinceUnixMs).toISOString(),
  }));
  const body = JSON.stringify({ ...facts(readiness, nowUnixMs), components });
  return { statusCode: readiness === undefined ? 503 : 200, body };
}

function facts(readiness: Readiness | undefined, nowUnixMs: number) {
  if (readiness === undefined) {
    return { status: "Server not available", upSince: ZERO_TIME, uptime: "" };
  }
  const { sinceUnixMs } = readiness;
  return {
    status: "Server available",
    // RFC 3339 without trailing zeros, as Go writes it.
    upSince: new Date(sinceUnixMs).toISOString().replace(/\.?0*Z$/, "Z"),
    uptime: formatDuration(nowUnixMs - sinceUnixMs),
  };
}
