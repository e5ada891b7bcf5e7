import type { Signal } from "../signal.js";
import { nested, nestedList } from "./define.js";
import { resourceLogs } from "./logs.js";
import { MessageSchema } from "./message-schema.js";
import { resourceMetrics } from "./metrics.js";
import { profilesDictionary, resourceProfiles } from "./profiles.js";
import { resourceSpans } from "./trace.js";

const PACKAGE = "opentelemetry.proto.collector";

/** The export request of each signal: what a batch holds the bytes of. */
export const requestSchemas: Readonly<Record<Signal, MessageSchema>> = {
  traces: new MessageSchema(`${PACKAGE}.trace.v1.ExportTraceServiceRequest`, () => [
    nestedList(1, "resource_spans", resourceSpans),
  ]),
  metrics: new MessageSchema(`${PACKAGE}.metrics.v1.ExportMetricsServiceRequest`, () => [
    nestedList(1, "resource_metrics", resourceMetrics),
  ]),
  logs: new MessageSchema(`${PACKAGE}.logs.v1.ExportLogsServiceRequest`, () => [
    nestedList(1, "resource_logs", resourceLogs),
  ]),
  profiles: new MessageSchema(
    `${PACKAGE}.profiles.v1development.ExportProfilesServiceRequest`,
    () => [
      nestedList(1, "resource_profiles", resourceProfiles),
      nested(2, "dictionary", profilesDictionary),
    ],
  ),
};
