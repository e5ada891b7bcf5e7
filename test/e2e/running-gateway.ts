import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { Executable } from "./executable.js";

/** A section of a configuration, as data. */
export type Section = Readonly<Record<string, unknown>>;

/** What differs from a gateway that receives gRPC and HTTP on free ports of loopback. */
export interface GatewayParts {
  readonly extensions?: Section;
  /** Default: `otlp` with both protocols. */
  readonly receivers?: Section;
  readonly processors?: Section;
  readonly exporters: Section;
  /** Lists of component IDs by pipeline. */
  readonly pipelines: Readonly<Record<string, Section>>;
  readonly environment?: Readonly<Record<string, string>>;
}

const plainReceiver = {
  otlp: {
    protocols: { grpc: { endpoint: "127.0.0.1:0" }, http: { endpoint: "127.0.0.1:0" } },
  },
};

/** Traces from the receiver through a resolver that asks Redis to a backend. */
export function resolvingParts(
  redisEndpoint: string,
  backend: string,
  resolver: Section = {},
): GatewayParts {
  return {
    extensions: { redis_registry: { endpoint: redisEndpoint } },
    processors: { inode_resolver: { registry: "redis_registry", ...resolver } },
    exporters: { otlp_grpc: { endpoint: backend, tls: { insecure: true } } },
    pipelines: {
      traces: { receivers: ["otlp"], processors: ["inode_resolver"], exporters: ["otlp_grpc"] },
    },
  };
}

/** The real executable, started with a configuration and ready. */
export class RunningGateway {
  readonly process: Executable;
  /** `host:port` of the OTLP/gRPC receiver. */
  readonly grpc: string;
  /** `host:port` of the OTLP/HTTP receiver. */
  readonly http: string;
  /** `host:port` of the metrics page. */
  readonly metrics: string;

  private constructor(process: Executable, addresses: Readonly<Record<string, string>>) {
    this.process = process;
    this.grpc = addresses["grpc"] ?? "";
    this.http = addresses["http"] ?? "";
    this.metrics = addresses["metrics"] ?? "";
  }

  /** Starts it and waits until it is ready; it ends with the test. */
  static async start(t: Pick<TestContext, "after">, parts: GatewayParts): Promise<RunningGateway> {
    const { extensions = {}, receivers = plainReceiver, processors = {} } = parts;
    const folder = temporaryFolder(t);
    const path = join(folder, "gateway.yaml");
    const prometheus = { host: "127.0.0.1", port: 0 };
    const document = {
      extensions,
      receivers,
      processors,
      exporters: parts.exporters,
      service: {
        extensions: Object.keys(extensions),
        telemetry: { metrics: { readers: [{ pull: { exporter: { prometheus } } }] } },
        pipelines: parts.pipelines,
      },
    };
    // Every JSON document is a YAML document.
    writeFileSync(path, JSON.stringify(document));
    const process = new Executable("inode-gateway", ["--config", path], parts.environment);
    t.after(() => process.end());
    await process.logged(({ msg }) => msg.startsWith("Everything is ready"), "readiness");
    const addresses: Record<string, string> = {};
    for (const { msg, transport, endpoint } of process.log()) {
      if (msg === "Receiving OTLP") addresses[String(transport)] = String(endpoint);
      if (msg === "serving metrics") addresses["metrics"] = String(endpoint);
    }
    return new RunningGateway(process, addresses);
  }

  /** The sum of a metric over every set of labels that has these. */
  async metric(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
    const page = await (await fetch(`http://${this.metrics}/metrics`)).text();
    return metricSum(page, name, labels);
  }

  /** The messages it logged at one level. */
  messages(level: string): string[] {
    return this.process
      .log()
      .filter((line) => line.level === level)
      .map(({ msg }) => msg);
  }
}

/** The sum of a metric on a page in the Prometheus text format. */
export function metricSum(
  page: string,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number {
  const wanted = Object.entries(labels).map(([key, value]) => `${key}="${value}"`);
  let sum = 0;
  for (const line of page.split("\n")) {
    const [, own, written = "", value] = /^([^#{ ]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (own !== name || !wanted.every((label) => written.includes(label))) continue;
    sum += Number(value);
  }
  return sum;
}

/** A folder that goes with the test. */
export function temporaryFolder(t: Pick<TestContext, "after">): string {
  const folder = mkdtempSync(join(tmpdir(), "inode-gateway-e2e-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}
