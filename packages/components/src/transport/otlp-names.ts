import type { Signal } from "@inode-gateway/contract";

/** What OTLP and the Collector's metrics call the things of one signal. */
export interface OtlpNames {
  /** Full gRPC method, as in the specification's service definitions. */
  readonly grpcPath: string;
  /** Default path of OTLP/HTTP; `/v1development/profiles` while profiles are unstable. */
  readonly httpPath: string;
  /** Suffix of item counters, such as `spans` in `otelcol_receiver_accepted_spans`. */
  readonly items: "spans" | "metric_points" | "log_records" | "profile_samples";
}

/** The names of every signal, by signal. */
export const otlpNames: Readonly<Record<Signal, OtlpNames>> = {
  traces: {
    grpcPath: "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    httpPath: "/v1/traces",
    items: "spans",
  },
  metrics: {
    grpcPath: "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    httpPath: "/v1/metrics",
    items: "metric_points",
  },
  logs: {
    grpcPath: "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
    httpPath: "/v1/logs",
    items: "log_records",
  },
  profiles: {
    grpcPath: "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export",
    httpPath: "/v1development/profiles",
    items: "profile_samples",
  },
};

/** Media type of OTLP/HTTP with protobuf bodies. */
export const protobufMediaType = "application/x-protobuf";
/** Media type of OTLP/HTTP with JSON bodies. */
export const jsonMediaType = "application/json";
