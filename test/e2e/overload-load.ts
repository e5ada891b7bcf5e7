import { type ChildProcess, fork, spawnSync } from "node:child_process";
import { availableParallelism, setPriority } from "node:os";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { createUnaryServer, type UnaryServer } from "@inode-gateway/grpc";
import { exportPaths } from "../conformance/otlp/grpc-client.js";
import { numberOf } from "./overload-request.js";

/** A backend that takes each request only after a time, and keeps the numbers of what it took. */
export class SlowBackend {
  readonly #server: UnaryServer;
  readonly numbers = new Set<number>();
  /** Requests that came a second time. */
  repeated = 0;
  delayMs: number;

  private constructor(delayMs: number) {
    this.delayMs = delayMs;
    const take = async ({ message }: { readonly message: Uint8Array }) => {
      const number = numberOf(message);
      if (this.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, this.delayMs));
      if (this.numbers.has(number)) this.repeated++;
      this.numbers.add(number);
      return new Uint8Array(0);
    };
    this.#server = createUnaryServer(
      {
        endpoint: "127.0.0.1:0",
        transport: "tcp",
        maxReceiveMessageBytes: 64 * 1024 * 1024,
        onHandlerBug: (error) => {
          throw error;
        },
      },
      new Map([[exportPaths.traces, take]]),
    );
  }

  /** Listens until the test ends. */
  static async start(t: TestContext, delayMs: number): Promise<SlowBackend> {
    const backend = new SlowBackend(delayMs);
    await backend.#server.listen();
    t.after(() => backend.#server.shutdown(performance.now() + 1_000));
    return backend;
  }

  get address(): string {
    return this.#server.address ?? "";
  }
}

/** How one request that was refused for overload was answered. */
export interface Refusal {
  /** From the last byte written to the answer; from the first one when the answer was earlier than that. */
  readonly tookMs: number;
  /**
   * How long the gateway and how long the sender had no processor to run on meanwhile, together: more
   * than was lost when they waited at the same time.
   */
  readonly waitedMs: number;
  /** Seconds until the next try, as the answer says; undefined when it does not. */
  readonly retrySeconds: number | undefined;
  readonly kind: "grpc" | "http" | "bomb";
}

/** What the generator is told to do. */
export interface LoadOrder {
  readonly grpc: string;
  readonly http: string;
  readonly gatewayPid: number;
  readonly perSecond: number;
  readonly durationMs: number;
}

/** What came of a load. */
export interface LoadReport {
  /** Numbers of the requests that were answered with success. */
  readonly acknowledged: number[];
  readonly refusals: Refusal[];
  /** Bombs that were taken apart and found to be too large. */
  bombsTooLarge: number;
  /** Anything else, by its description. */
  readonly unexpected: string[];
  sent: number;
  /** By how much the generator's own timers were late. */
  lateByMs: { readonly p99: number; readonly max: number };
}

/** A generator in a process of its own, so that its work takes no time from the backend's. */
export class OpenLoad {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Starts the process; it ends with the test. */
  static start(t: TestContext): OpenLoad {
    const path = fileURLToPath(new URL("overload-generator.js", import.meta.url));
    const child = fork(path, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    t.after(() => child.kill());
    return new OpenLoad(child);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Sends for a time; resolves when all is answered. */
  run(order: LoadOrder): Promise<LoadReport> {
    return new Promise((resolve, reject) => {
      this.#child.once("message", (report) => resolve(report as LoadReport));
      this.#child.once("exit", () => reject(new Error("the generator ended before its report")));
      this.#child.send(order);
    });
  }
}

/** Takes precedence over what else the machine does; only an administrator may. */
const preferredNiceness = -10;

/**
 * Gives the gateway a processor of its own beside that of the generator, and both precedence over
 * others, as far as the machine lets us.
 */
export function separate(gatewayPid: number, generatorPid: number): string {
  const said: string[] = [];
  for (const [processor, pid] of [gatewayPid, generatorPid].entries()) {
    if (availableParallelism() > 1) {
      const { status } = spawnSync("taskset", ["-a", "-p", "-c", `${processor}`, `${pid}`]);
      if (status === 0) said.push(`processor ${processor}`);
    }
    try {
      setPriority(pid, preferredNiceness);
      said.push(`niceness ${preferredNiceness}`);
    } catch {
      said.push("niceness as it was");
    }
  }
  return said.join(", ");
}

/** The value below which this share of the values is. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}
