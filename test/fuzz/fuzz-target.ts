import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createUnaryServer } from "@inode-gateway/grpc";
import { decodeRequest, waitUntil } from "@inode-gateway/testkit";
import { Agent } from "undici";
import { CertificateAuthority } from "../conformance/grpc/certificates.js";
import { corpus, httpPaths } from "../conformance/mutated-requests.js";
import { exportPaths, PlainGrpcClient } from "../conformance/otlp/grpc-client.js";
import { send } from "../conformance/otlp/http-client.js";
import { RunningGateway, temporaryFolder } from "../e2e/running-gateway.js";
import type { FuzzAddresses } from "./fuzz-case.js";

/** Where things are put that must go when the run is over; a test's context is one. */
export interface CleanUp {
  after(task: () => unknown): void;
}

const MIB = 1_048_576;
/** What the process may grow by while it is fed nonsense. */
export const GROWTH_BYTES_MAX = 200 * MIB;
/** Time in which everything that a client left behind must be gone. */
const REST_LIMIT_MS = 40_000;
const keptConnections = 8;

/** The real executable with everything in its pipelines that reads bytes, and a backend behind it. */
export class FuzzTarget {
  readonly addresses: FuzzAddresses;
  readonly gateway: RunningGateway;
  readonly #backend: CheckingBackend;
  #baseBytes = 0;
  #peakBytes = 0;
  #baseFiles = 0;

  private constructor(gateway: RunningGateway, addresses: FuzzAddresses, backend: CheckingBackend) {
    this.gateway = gateway;
    this.addresses = addresses;
    this.#backend = backend;
  }

  static async start(cleanUp: CleanUp): Promise<FuzzTarget> {
    const folder = temporaryFolder(cleanUp);
    const authority = await CertificateAuthority.create(folder, "ca");
    const { cert, key } = await authority.issue("server", "DNS:localhost,IP:127.0.0.1");
    const tls = { cert_file: join(folder, "cert.pem"), key_file: join(folder, "key.pem") };
    writeFileSync(tls.cert_file, cert);
    writeFileSync(tls.key_file, key);
    const backend = await CheckingBackend.start(cleanUp);
    const gateway = await RunningGateway.start(cleanUp, parts(backend.address, tls));
    const dispatcher = new Agent({ connections: keptConnections });
    cleanUp.after(() => dispatcher.destroy());
    const https = gateway.process
      .log()
      .filter(({ msg, transport }) => msg === "Receiving OTLP" && transport === "http")
      .map(({ endpoint }) => String(endpoint));
    const plain = await Promise.all(https.map(speaksPlainHttp));
    const addresses = {
      grpc: { address: gateway.grpc },
      http: { address: https[plain.indexOf(true)] ?? "" },
      https: {
        address: https[plain.indexOf(false)] ?? "",
        tls: { ca: Buffer.from(authority.cert), protocol: "h2" },
      },
      dispatcher,
      grpcClient: new PlainGrpcClient(cleanUp, gateway.grpc),
    };
    return new FuzzTarget(gateway, addresses, backend);
  }

  /** Looks at the process before anything is done to it. */
  measureBefore(): void {
    this.#baseBytes = residentBytes(this.gateway.process.pid);
    this.#baseFiles = openFiles(this.gateway.process.pid);
  }

  /** Looks at the process in between. */
  measure(): void {
    this.#peakBytes = Math.max(this.#peakBytes, residentBytes(this.gateway.process.pid));
  }

  /** Bytes by which resident memory has grown at most, as far as somebody looked. */
  get growthBytes(): number {
    return Math.max(0, this.#peakBytes - this.#baseBytes);
  }

  /** Sends valid requests over both protocols; gives what was wrong with the answers. */
  async validProblems(turn: number): Promise<string[]> {
    const problems: string[] = [];
    const { bytes, signal } = corpus[turn % corpus.length] ?? {};
    if (bytes === undefined || signal === undefined) return problems;
    const { dispatcher, grpcClient, http } = this.addresses;
    const { code, message } = await grpcClient.call(exportPaths[signal], bytes);
    if (code !== 0) problems.push(`a valid call: grpc-status ${code} ${message}`);
    const url = `http://${http.address}${httpPaths[signal]}`;
    const { status } = await send(url, bytes, { dispatcher });
    if (status !== 200) problems.push(`a valid request: HTTP ${status}`);
    return problems;
  }

  /** Waits until nothing is left of what was done, and stops; gives what is wrong at the end. */
  async finalProblems(): Promise<string[]> {
    const problems = [...this.#backend.problems];
    this.measure();
    const growth = this.growthBytes;
    if (growth > GROWTH_BYTES_MAX) problems.push(`memory grew by ${growth} bytes`);
    await this.addresses.dispatcher.close();
    for (const [name, isExpected] of restMetrics) {
      const value = await this.#restingValue(name, isExpected);
      if (!isExpected(value)) problems.push(`${name} is ${value} at the end`);
    }
    // One connection of the metrics reader may still be there, and the one of grpc-js.
    const files = openFiles(this.gateway.process.pid);
    const leaked = files - this.#baseFiles;
    if (leaked > 4) problems.push(`${leaked} more open files than at the beginning`);
    const code = await this.gateway.process.stop();
    if (code !== 0) problems.push(`exit code ${code}`);
    return [...problems, ...this.#logProblems()];
  }

  async #restingValue(name: string, isExpected: (value: number) => boolean): Promise<number> {
    let value = Number.NaN;
    const isThere = async () => {
      value = await this.gateway.metric(name);
      return isExpected(value);
    };
    await waitUntil(isThere, { limitMs: REST_LIMIT_MS }).catch(() => undefined);
    return value;
  }

  #logProblems(): string[] {
    const { process } = this.gateway;
    const problems = this.gateway.messages("error").map((message) => `logged: ${message}`);
    problems.push(...this.gateway.messages("fatal").map((message) => `logged: ${message}`));
    const trace = /^.*(?:"stack":|\\n {4}at |^\s+at ).*$/m.exec(process.stderr)?.[0];
    if (trace !== undefined) problems.push(`a stack in the log: ${trace.slice(0, 600)}`);
    const identities = process.log().filter(({ accepted }) => accepted !== undefined);
    if (identities.length === 0) problems.push("no accounting at the end");
    for (const { msg } of identities) {
      if (msg !== "every accepted item is accounted for") problems.push(`accounting: ${msg}`);
    }
    return [...new Set(problems)];
  }
}

/** What must be so when all clients are gone; the grpc-js client keeps its connection. */
const restMetrics: readonly (readonly [string, (value: number) => boolean])[] = [
  ["inode_gateway_component_bugs", (value) => value === 0],
  ["inode_gateway_receiver_in_flight_bytes", (value) => value === 0],
  ["inode_gateway_receiver_connections", (value) => value <= 1],
  ["inode_gateway_pipeline_in_flight_items", (value) => value === 0],
  ["inode_gateway_held_items", (value) => value === 0],
  ["inode_gateway_in_flight_items", (value) => value === 0],
  ["inode_gateway_unaccounted_items", (value) => value === 0],
];

function parts(backend: string, tls: Readonly<Record<string, string>>) {
  const endpoint = "127.0.0.1:0";
  const pipeline = {
    receivers: ["otlp", "otlp/tls"],
    processors: ["memory_limiter", "resource", "attributes", "filter", "inode_resolver", "batch"],
    exporters: ["otlp_grpc", "debug"],
  };
  const key = "fuzz.key";
  return {
    extensions: { memory_registry: {} },
    receivers: {
      otlp: { protocols: { grpc: { endpoint }, http: { endpoint } } },
      "otlp/tls": { protocols: { http: { endpoint, tls } } },
    },
    processors: {
      memory_limiter: { check_interval: "1s", limit_mib: 2_000 },
      resource: { attributes: [{ key, action: "upsert", from_attribute: "service.name" }] },
      attributes: { actions: [{ key, action: "insert", value: 1 }] },
      filter: {
        error_mode: "ignore",
        traces: {
          span: ['attributes["http.route"] == "/never"', 'IsMatch(name, "^never")'],
          spanevent: ['name == "never"'],
        },
        metrics: { datapoint: ['attributes["never"] != nil and metric.name == "never"'] },
        logs: { log_record: ["severity_number > 1000"] },
      },
      inode_resolver: { registry: "memory_registry", hold: { timeout: "20ms" } },
      batch: { timeout: "50ms" },
    },
    exporters: {
      otlp_grpc: { endpoint: backend, tls: { insecure: true } },
      debug: { verbosity: "detailed", sampling_initial: 1, sampling_thereafter: 50 },
    },
    pipelines: { traces: pipeline, metrics: pipeline, logs: pipeline },
  };
}

/** Decodes all that it gets with protobufjs: nothing broken may be passed on. */
class CheckingBackend {
  readonly problems: string[] = [];
  address = "";

  static async start(cleanUp: CleanUp): Promise<CheckingBackend> {
    const backend = new CheckingBackend();
    const signals = ["traces", "metrics", "logs"] as const;
    const server = createUnaryServer(
      {
        endpoint: "127.0.0.1:0",
        transport: "tcp",
        maxReceiveMessageBytes: 64 * MIB,
        onHandlerBug: (error) => backend.problems.push(String(error)),
      },
      new Map(
        signals.map((signal) => [
          exportPaths[signal],
          async ({ message }: { readonly message: Uint8Array }) => {
            try {
              decodeRequest(signal, message);
            } catch (error) {
              backend.problems.push(`broken ${signal} were exported: ${String(error)}`);
            }
            return new Uint8Array(0);
          },
        ]),
      ),
    );
    await server.listen();
    cleanUp.after(() => server.shutdown(performance.now() + 1_000));
    backend.address = server.address ?? "";
    return backend;
  }
}

async function speaksPlainHttp(address: string): Promise<boolean> {
  return fetch(`http://${address}/`).then(
    (response) => response.arrayBuffer().then(() => true),
    () => false,
  );
}

function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1_024;
}

function openFiles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}
