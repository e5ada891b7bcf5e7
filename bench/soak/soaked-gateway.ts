import { type ChildProcess, fork } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { ActiveResources } from "./resource-probe.js";

/** What is soaked. */
export interface SoakedGatewayOptions {
  /** For its configuration and its queue; exists. */
  readonly folder: string;
  readonly mappingsPath: string;
  readonly sinkPort: number;
  /** Whether the queue is on disk. */
  readonly isPersistent: boolean;
}

/** The process at one moment. */
export interface Sample {
  readonly residentBytes: number;
  /** Open files of any kind, and those that are sockets. */
  readonly files: number;
  readonly sockets: number;
  readonly timers: number;
  /** Sums of metrics, by name. */
  readonly metrics: ReadonlyMap<string, number>;
}

/** Metrics that must not grow: what a queue, a cache or a map holds. */
const watchedMetrics = [
  "otelcol_exporter_queue_size",
  "inode_gateway_held_items",
  "inode_gateway_in_flight_items",
  "inode_gateway_receiver_in_flight_bytes",
  "inode_gateway_receiver_connections",
  "inode_gateway_resolver_hold_batches",
  "inode_gateway_resolver_cache_entries",
  "inode_gateway_resolver_cache_bytes",
  "inode_gateway_batch_pending_bytes",
  "inode_gateway_file_storage_records",
] as const;

const binary = "../../../packages/gateway/bin/inode-gateway.js";
const resourceCacheEntries = 500;
const startLimitMs = 30_000;
const stopLimitMs = 60_000;
const keptLogCharacters = 20_000;

/** The executable as it is soaked: resolver, batch, one exporter with a queue. */
export class SoakedGateway {
  readonly #child: ChildProcess;
  #log = "";
  #resources: ActiveResources = {};
  #ports: Readonly<Record<string, number>> = {};

  constructor(options: SoakedGatewayOptions) {
    const path = `${options.folder}/gateway.yaml`;
    writeFileSync(path, JSON.stringify(configuration(options)));
    const probe = new URL("resource-probe.js", import.meta.url).href;
    this.#child = fork(fileURLToPath(new URL(binary, import.meta.url)), ["--config", path], {
      execArgv: ["--import", probe],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    this.#child.stderr?.on("data", (text: Buffer) => {
      this.#log = (this.#log + text.toString()).slice(-keptLogCharacters);
    });
    this.#child.on("message", (counts) => {
      this.#resources = counts as ActiveResources;
    });
  }

  /** The end of its log. */
  get log(): string {
    return this.#log;
  }

  port(name: "grpc" | "http" | "metrics"): number {
    return this.#ports[name] ?? 0;
  }

  /** @throws Error with its log when it is not ready in time */
  async ready(): Promise<void> {
    const endMs = performance.now() + startLimitMs;
    while (!this.#log.includes("Everything is ready")) {
      if (performance.now() > endMs || this.#child.exitCode !== null) {
        throw new Error(`the gateway is not ready:\n${this.#log}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const ports: Record<string, number> = {};
    for (const line of this.#log.split("\n").filter((text) => text.startsWith("{"))) {
      const { endpoint, msg, transport } = JSON.parse(line) as Record<string, string | undefined>;
      const port = Number(endpoint?.slice(endpoint.lastIndexOf(":") + 1));
      if (msg === "Receiving OTLP") ports[transport ?? ""] = port;
      if (msg === "serving metrics") ports["metrics"] = port;
    }
    this.#ports = ports;
  }

  async sample(): Promise<Sample> {
    const pid = this.#child.pid ?? 0;
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const files = readdirSync(`/proc/${pid}/fd`);
    const page = await (await fetch(`http://127.0.0.1:${this.port("metrics")}/metrics`)).text();
    return {
      residentBytes: Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1_024,
      files: files.length,
      sockets: files.filter((name) => isSocket(`/proc/${pid}/fd/${name}`)).length,
      timers: this.#resources["Timeout"] ?? 0,
      metrics: new Map(watchedMetrics.map((name) => [name, metricSum(page, name)])),
    };
  }

  /** The sum of any metric of its page. */
  async metric(name: string): Promise<number> {
    const page = await (await fetch(`http://127.0.0.1:${this.port("metrics")}/metrics`)).text();
    return metricSum(page, name);
  }

  /** Its exit code; null when it had to be killed. */
  async stop(): Promise<number | null> {
    if (this.#child.exitCode !== null) return this.#child.exitCode;
    const exited = new Promise<number | null>((resolve) => this.#child.once("close", resolve));
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), stopLimitMs);
    const code = await exited;
    clearTimeout(timer);
    return code;
  }
}

function configuration({ folder, isPersistent, mappingsPath, sinkPort }: SoakedGatewayOptions) {
  const endpoint = "127.0.0.1:0";
  const extensions = {
    memory_registry: { file: mappingsPath },
    ...(isPersistent
      ? { file_storage: { directory: `${folder}/queue`, create_directory: true } }
      : {}),
  };
  const prometheus = { host: "127.0.0.1", port: 0 };
  const processors = ["memory_limiter", "inode_resolver", "batch"];
  return {
    extensions,
    receivers: { otlp: { protocols: { grpc: { endpoint }, http: { endpoint } } } },
    processors: {
      memory_limiter: { check_interval: "1s", limit_mib: 2_000 },
      // Small enough to be full before the first window: a cache that fills looks like a leak.
      inode_resolver: {
        registry: "memory_registry",
        resource_cache: { max_entries: resourceCacheEntries },
      },
      batch: {},
    },
    exporters: {
      otlp_grpc: {
        endpoint: `127.0.0.1:${sinkPort}`,
        tls: { insecure: true },
        compression: "none",
        sending_queue: isPersistent ? { storage: "file_storage" } : {},
      },
    },
    service: {
      extensions: Object.keys(extensions),
      telemetry: { metrics: { readers: [{ pull: { exporter: { prometheus } } }] } },
      pipelines: { traces: { receivers: ["otlp"], processors, exporters: ["otlp_grpc"] } },
    },
  };
}

function isSocket(path: string): boolean {
  try {
    return readlinkSync(path).startsWith("socket:");
  } catch {
    // Closed since the folder was read.
    return false;
  }
}

function metricSum(page: string, name: string): number {
  let sum = 0;
  for (const line of page.split("\n")) {
    const [, own, value] = /^([^#{ ]+)(?:\{.*\})? (\S+)$/.exec(line) ?? [];
    if (own === name) sum += Number(value);
  }
  return sum;
}
