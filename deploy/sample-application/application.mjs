// Sends one trace every two seconds. Nothing here knows about containers: the inode comes from
// OTEL_RESOURCE_ATTRIBUTES, which otel-inode.sh has set before this program started.
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { detectResources, envDetector } from "@opentelemetry/resources";
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";

const provider = new BasicTracerProvider({
  resource: detectResources({ detectors: [envDetector] }),
  spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
});
const tracer = provider.getTracer("sample-application");

const timer = setInterval(() => {
  const span = tracer.startSpan("work");
  span.setAttribute("answer", 42);
  span.end();
}, 2_000);

await new Promise((resolve) => process.once("SIGTERM", resolve));
clearInterval(timer);
await provider.shutdown();
