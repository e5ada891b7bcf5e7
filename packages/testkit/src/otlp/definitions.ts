import { fileURLToPath } from "node:url";
import type { Signal } from "@inode-gateway/otlp";
import protobuf from "protobufjs";

/** The folder of our own definition files, at the root of the repository. */
export const protoFolder: string = fileURLToPath(new URL("../../../../proto/", import.meta.url));

const requestTypes: Readonly<Record<Signal, string>> = {
  traces: "opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest",
  metrics: "opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest",
  logs: "opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest",
  profiles: "opentelemetry.proto.collector.profiles.v1development.ExportProfilesServiceRequest",
};

const serviceFiles = [
  "opentelemetry/proto/collector/trace/v1/trace_service.proto",
  "opentelemetry/proto/collector/metrics/v1/metrics_service.proto",
  "opentelemetry/proto/collector/logs/v1/logs_service.proto",
  "opentelemetry/proto/collector/profiles/v1development/profiles_service.proto",
  "google/rpc/status.proto",
  "google/rpc/error_details.proto",
];

/**
 * Loads definition files of `proto/` with protobufjs, field names as they are written there.
 *
 * @param files paths below `proto/`, such as `google/rpc/status.proto`; what they import is loaded too
 * @throws Error when a file is missing or broken
 */
export function loadDefinitions(files: readonly string[]): protobuf.Root {
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) =>
    target.startsWith(protoFolder) ? target : `${protoFolder}${target}`;
  root.loadSync([...files], { keepCase: true });
  root.resolveAll();
  return root;
}

let cachedDefinitions: protobuf.Root | undefined;

/** OTLP with its four services, google.rpc.Status and its details; loaded once. */
export function otlpDefinitions(): protobuf.Root {
  cachedDefinitions ??= loadDefinitions(serviceFiles);
  return cachedDefinitions;
}

/** The export request of one signal, as protobufjs knows it. */
export function requestType(signal: Signal): protobuf.Type {
  return otlpDefinitions().lookupType(requestTypes[signal]);
}
