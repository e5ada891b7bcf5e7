// Runs inside a container: sends traces, metrics and logs with the OpenTelemetry SDK for JavaScript.
// Arguments: protocol (grpc or http), number of items of each signal.

import { inodeDetector } from "@inode-gateway/resource-detector";
import { logs as logsApi } from "@opentelemetry/api-logs";
import { OTLPLogExporter } from "@opentelemetry/exporter-logs-otlp-proto";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-proto";
import { OTLPTraceExporter as GrpcTraceExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { detectResources, envDetector } from "@opentelemetry/resources";
import { BatchLogRecordProcessor, LoggerProvider } from "@opentelemetry/sdk-logs";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";

const [protocol, count] = [process.argv[2], Number(process.argv[3])];
const resource = detectResources({ detectors: [envDetector, inodeDetector] });
const traceExporter =
  protocol === "grpc"
    ? new GrpcTraceExporter({ url: process.env.OTLP_GRPC_ENDPOINT })
    : new OTLPTraceExporter();

const tracerProvider = new BasicTracerProvider({
  resource,
  spanProcessors: [new BatchSpanProcessor(traceExporter)],
});
const meterProvider = new MeterProvider({
  resource,
  readers: [
    new PeriodicExportingMetricReader({
      exporter: new OTLPMetricExporter(),
      exportIntervalMillis: 60_000,
    }),
  ],
});
const loggerProvider = new LoggerProvider({
  resource,
  processors: [new BatchLogRecordProcessor({ exporter: new OTLPLogExporter() })],
});

const tracer = tracerProvider.getTracer("e2e");
const counter = meterProvider.getMeter("e2e").createCounter("e2e.counter");
const logger = loggerProvider.getLogger("e2e");
for (let index = 0; index < count; index++) {
  tracer.startSpan(`span ${index}`).end();
  counter.add(1, { index });
  logger.emit({ severityNumber: logsApi.SeverityNumber?.INFO ?? 9, body: `record ${index}` });
}
// A failing export must end this program with an exit code that the test sees.
const results = await Promise.allSettled([
  tracerProvider.shutdown(),
  meterProvider.shutdown(),
  loggerProvider.shutdown(),
]);
const failed = results.filter(({ status }) => status === "rejected");
for (const { reason } of failed) console.error(reason);
process.exitCode = failed.length > 0 ? 1 : 0;
