import type { Meter, MetricDefinition } from "@inode-gateway/contract";

/** What the process says of itself, for the Collector's names start with `otelcol_`. */
export interface ProcessMetricsOptions {
  /** Begins every name: `otelcol` in the gateway, `inode_reporter` in the reporter. */
  readonly prefix: string;
}

/** The definitions {@link registerProcessMetrics} uses; the metrics table in the docs is made from it. */
export function processMetrics(options: ProcessMetricsOptions): readonly MetricDefinition[] {
  return Object.values(definitions(options.prefix));
}

/** Registers process metrics that are read when the page is asked for. */
export function registerProcessMetrics(meter: Meter, options: ProcessMetricsOptions): void {
  const metric = definitions(options.prefix);
  meter.observe(metric.uptime, {}, () => process.uptime());
  meter.observe(metric.cpuSeconds, {}, () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
  meter.observe(metric.memoryRss, {}, () => process.memoryUsage.rss());
  meter.observe(metric.heapAllocBytes, {}, () => process.memoryUsage().heapUsed);
  meter.observe(metric.totalSysMemoryBytes, {}, () => {
    const usage = process.memoryUsage();
    return usage.heapTotal + usage.external;
  });
}

function definitions(prefix: string) {
  const gauge = (name: string, help: string): MetricDefinition => ({
    name: `${prefix}_${name}`,
    help,
    kind: "gauge",
    labels: [],
  });
  const counter = (name: string, help: string): MetricDefinition => ({
    ...gauge(name, help),
    kind: "counter",
  });
  return {
    uptime: counter("process_uptime", "Seconds since the process started."),
    cpuSeconds: counter("process_cpu_seconds", "CPU seconds used, user and system."),
    memoryRss: gauge("process_memory_rss", "Resident memory in bytes."),
    heapAllocBytes: gauge(
      "process_runtime_heap_alloc_bytes",
      "Bytes of live and not yet collected objects on the JavaScript heap.",
    ),
    totalSysMemoryBytes: gauge(
      "process_runtime_total_sys_memory_bytes",
      "Bytes the runtime took from the system: JavaScript heap and buffers outside it.",
    ),
  };
}
