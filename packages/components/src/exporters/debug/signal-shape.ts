import type { Signal } from "@inode-gateway/contract";

/** Where the parts of one signal stand in OTLP/JSON, and what the Collector's debug exporter calls them. */
export interface SignalShape {
  /** Such as `Traces`: the sentence a batch is logged under. */
  readonly title: string;
  /** Label of the number of resources, such as `resource spans`. */
  readonly resourceCount: string;
  /** Label of the number of items, such as `spans`. */
  readonly itemCount: string;
  readonly resourcesKey: string;
  readonly scopesKey: string;
  readonly itemsKey: string;
  /** Begins a resource's line in normal verbosity, such as `ResourceTraces`. */
  readonly resourceLine: string;
  /** Begins a scope's line in normal verbosity. */
  readonly scopeLine: string;
  /** Begin the blocks of detailed verbosity. */
  readonly resourceBlock: string;
  readonly scopeBlock: string;
  readonly itemBlock: string;
}

/** The shapes of all signals. */
export const signalShapes: Readonly<Record<Signal, SignalShape>> = {
  traces: {
    title: "Traces",
    resourceCount: "resource spans",
    itemCount: "spans",
    resourcesKey: "resourceSpans",
    scopesKey: "scopeSpans",
    itemsKey: "spans",
    resourceLine: "ResourceTraces",
    scopeLine: "ScopeTraces",
    resourceBlock: "ResourceSpans",
    scopeBlock: "ScopeSpans",
    itemBlock: "Span",
  },
  metrics: {
    title: "Metrics",
    resourceCount: "resource metrics",
    itemCount: "data points",
    resourcesKey: "resourceMetrics",
    scopesKey: "scopeMetrics",
    itemsKey: "metrics",
    resourceLine: "ResourceMetrics",
    scopeLine: "ScopeMetrics",
    resourceBlock: "ResourceMetrics",
    scopeBlock: "ScopeMetrics",
    itemBlock: "Metric",
  },
  logs: {
    title: "Logs",
    resourceCount: "resource logs",
    itemCount: "log records",
    resourcesKey: "resourceLogs",
    scopesKey: "scopeLogs",
    itemsKey: "logRecords",
    resourceLine: "ResourceLog",
    scopeLine: "ScopeLog",
    resourceBlock: "ResourceLog",
    scopeBlock: "ScopeLogs",
    itemBlock: "LogRecord",
  },
  profiles: {
    title: "Profiles",
    resourceCount: "resource profiles",
    itemCount: "samples",
    resourcesKey: "resourceProfiles",
    scopesKey: "scopeProfiles",
    itemsKey: "profiles",
    resourceLine: "ResourceProfiles",
    scopeLine: "ScopeProfiles",
    resourceBlock: "ResourceProfiles",
    scopeBlock: "ScopeProfiles",
    itemBlock: "Profile",
  },
};
