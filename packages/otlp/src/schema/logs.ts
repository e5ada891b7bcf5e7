import { anyValue, instrumentationScope, keyValue } from "./common.js";
import { defineEnum, enumerated, nested, nestedList, scalar } from "./define.js";
import { MessageSchema } from "./message-schema.js";
import { resource } from "./resource.js";

const PACKAGE = "opentelemetry.proto.logs.v1";

/** The log records of one Resource. */
export const resourceLogs = new MessageSchema(`${PACKAGE}.ResourceLogs`, () => [
  nested(1, "resource", resource),
  nestedList(2, "scope_logs", scopeLogs),
  scalar(3, "schema_url", "string"),
]);

/** The log records of one instrumentation scope. */
const scopeLogs = new MessageSchema(`${PACKAGE}.ScopeLogs`, () => [
  nested(1, "scope", instrumentationScope),
  nestedList(2, "log_records", logRecord),
  scalar(3, "schema_url", "string"),
]);

const SEVERITIES = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];

/** How severe a log record is: six ranges of four numbers. */
const severityNumber = defineEnum(`${PACKAGE}.SeverityNumber`, {
  SEVERITY_NUMBER_UNSPECIFIED: 0,
  ...Object.fromEntries(
    SEVERITIES.flatMap((severity, range) =>
      ["", "2", "3", "4"].map((step, index) => [
        `SEVERITY_NUMBER_${severity}${step}`,
        range * 4 + index + 1,
      ]),
    ),
  ),
});

/** One log record. */
const logRecord = new MessageSchema(`${PACKAGE}.LogRecord`, () => [
  scalar(1, "time_unix_nano", "fixed64"),
  scalar(11, "observed_time_unix_nano", "fixed64"),
  enumerated(2, "severity_number", severityNumber),
  scalar(3, "severity_text", "string"),
  nested(5, "body", anyValue),
  nestedList(6, "attributes", keyValue),
  scalar(7, "dropped_attributes_count", "uint32"),
  scalar(8, "flags", "fixed32"),
  scalar(9, "trace_id", "bytes", { hexIdBytes: 16 }),
  scalar(10, "span_id", "bytes", { hexIdBytes: 8 }),
  scalar(12, "event_name", "string"),
]);
