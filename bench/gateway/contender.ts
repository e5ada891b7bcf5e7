import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import { cpuSeconds, peakResidentMib, pinToProcessor } from "./process-usage.js";

/** A program that is measured: ours or another one that reads the Collector's configuration. */
export interface ContenderOptions {
  readonly name: string;
  /** Words of the command; `{config}` stands for the path of its configuration file. */
  readonly command: string;
  readonly grpcPort: number;
  readonly httpPort: number;
  readonly sinkPort: number;
  /** Extensions and the processor that sets container.id: differs between ours and a peer. */
  readonly enrichment: Enrichment;
  readonly configPath: string;
  /** The processor it is pinned to. */
  readonly processor: number;
}

/** The part of a configuration that differs between contenders, as YAML. */
export interface Enrichment {
  readonly extensions: string;
  readonly extensionNames: string;
  readonly processors: string;
  readonly processorName: string;
}

const startTimeoutMs = 20_000;
const stopTimeoutMs = 15_000;

/** One running contender. */
export class Contender {
  readonly name: string;
  readonly #options: ContenderOptions;
  readonly #child: ChildProcess;
  #output = "";

  constructor(options: ContenderOptions) {
    this.name = options.name;
    this.#options = options;
    writeFileSync(options.configPath, configurationText(options));
    const words = options.command.replaceAll("{config}", options.configPath).split(/\s+/);
    // One processor for one runtime thread, as the other contender gets.
    const env = { ...process.env, GOMAXPROCS: "1" };
    const [program = "", ...args] = words;
    this.#child = spawn(program, args, { env, stdio: ["ignore", "pipe", "pipe"] });
    const keep = (text: Buffer) => {
      this.#output = (this.#output + text.toString()).slice(-4_000);
    };
    this.#child.stdout?.on("data", keep);
    this.#child.stderr?.on("data", keep);
    // A command that cannot be run at all: told by `waitUntilListening`.
    this.#child.on("error", (error) => {
      this.#output = error.message;
    });
  }

  get cpuSeconds(): number {
    return cpuSeconds(this.#child.pid ?? 0);
  }

  get peakResidentMib(): number {
    return peakResidentMib(this.#child.pid ?? 0);
  }

  port(protocol: "grpc" | "http"): number {
    return protocol === "grpc" ? this.#options.grpcPort : this.#options.httpPort;
  }

  /** @throws Error with the program's last output when it does not listen in time */
  async waitUntilListening(): Promise<void> {
    const endMs = performance.now() + startTimeoutMs;
    for (const port of [this.#options.grpcPort, this.#options.httpPort]) {
      while (!(await accepts(port))) {
        if (performance.now() > endMs || !this.#isRunning) throw this.#notListening(port);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
    pinToProcessor(this.#child.pid ?? 0, this.#options.processor);
  }

  get #isRunning(): boolean {
    return this.#child.pid !== undefined && this.#child.exitCode === null;
  }

  #notListening(port: number): Error {
    return new Error(`${this.name} does not listen on ${port}:\n${this.#output}`);
  }

  async stop(): Promise<void> {
    if (!this.#isRunning) return;
    const exited = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), stopTimeoutMs);
    await exited;
    clearTimeout(timer);
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

function configurationText({ grpcPort, httpPort, sinkPort, enrichment }: ContenderOptions): string {
  return `extensions:${enrichment.extensions}
receivers:
  otlp:
    protocols:
      grpc: { endpoint: "127.0.0.1:${grpcPort}", max_recv_msg_size_mib: 64 }
      http: { endpoint: "127.0.0.1:${httpPort}" }
processors:
${enrichment.processors}
  batch: { send_batch_size: 8192, timeout: 200ms }
exporters:
  otlp:
    endpoint: "127.0.0.1:${sinkPort}"
    compression: none
    tls: { insecure: true }
    sending_queue: { block_on_overflow: true }
service:
  extensions: ${enrichment.extensionNames}
  telemetry: { metrics: { level: none } }
  pipelines:
    traces:
      receivers: [otlp]
      processors: [${enrichment.processorName}, batch]
      exporters: [otlp]
`;
}
