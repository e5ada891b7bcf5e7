import type { Signal } from "@inode-gateway/contract";
import type { MatchConfig } from "./config.js";

const spanOnly = ["services", "span_names", "span_kinds"] as const;
const logOnly = ["log_bodies", "log_severity_texts", "log_severity_number"] as const;

/** Kinds of spans by number; while `match_type` is strict, `span_kinds` may be all but the first. */
export const spanKinds: readonly string[] = [
  "SPAN_KIND_UNSPECIFIED",
  "SPAN_KIND_INTERNAL",
  "SPAN_KIND_SERVER",
  "SPAN_KIND_CLIENT",
  "SPAN_KIND_PRODUCER",
  "SPAN_KIND_CONSUMER",
];

/** Why conditions do not fit a signal, in the Collector's words; undefined when they do. */
export function matchProblem(match: MatchConfig, signal: Signal): string | undefined {
  switch (signal) {
    case "traces":
      return spanProblem(match);
    case "logs":
      return logProblem(match);
    case "metrics":
      return metricProblem(match);
    case "profiles":
      return undefined;
  }
}

function spanProblem(match: MatchConfig): string | undefined {
  for (const key of [...logOnly, "metric_names"] as const) {
    if (isGiven(match, key)) return `${key} should not be specified for trace spans`;
  }
  const known = [...spanOnly, "attributes", "libraries", "resources"] as const;
  if (!known.some((key) => isGiven(match, key))) {
    return 'at least one of "attributes", "libraries", or "resources" field must be specified';
  }
  const unknown = match.span_kinds.some((kind) => spanKinds.indexOf(kind) < 1);
  if (match.match_type !== "strict" || !unknown) return undefined;
  const sorted = spanKinds.slice(1).sort().join(" ");
  return `span_kinds string must match one of the standard span kinds when match_type=strict: [${sorted}]`;
}

function logProblem(match: MatchConfig): string | undefined {
  if ([...spanOnly, "metric_names" as const].some((key) => isGiven(match, key))) {
    return "services, span_names, span_kinds and metric_names are not valid for log records";
  }
  const known = [...logOnly, "attributes", "libraries", "resources"] as const;
  if (known.some((key) => isGiven(match, key))) return undefined;
  return (
    'at least one of "attributes", "libraries", "span_kinds", "resources", "log_bodies", ' +
    '"log_severity_texts" or "log_severity_number" field must be specified'
  );
}

function metricProblem(match: MatchConfig): string | undefined {
  const invalid = [...spanOnly, ...logOnly, "attributes", "libraries"] as const;
  if (invalid.some((key) => isGiven(match, key))) {
    return (
      '"span_names", "span_kinds", "log_bodies", "log_severity_texts", "log_severity_number", ' +
      '"services", "attributes" and "libraries" are not valid for metrics'
    );
  }
  if (isGiven(match, "metric_names") || isGiven(match, "resources")) return undefined;
  return 'at least one of "metric_names" or "resources" field must be specified';
}

function isGiven(match: MatchConfig, key: keyof MatchConfig): boolean {
  const value = match[key];
  return Array.isArray(value) ? value.length > 0 : value !== undefined;
}
