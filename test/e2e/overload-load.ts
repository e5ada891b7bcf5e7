import type { TestContext } from "node:test";
import { gzipSync } from "node:zlib";
import { createUnaryServer, type UnaryServer } from "@inode-gateway/grpc";
import { Agent } from "undici";
import { exportPaths, PlainGrpcClient } from "../conformance/otlp/grpc-client.js";
import { send } from "../conformance/otlp/http-client.js";
import { spansOf } from "./spans.js";

/** Digits of a request's number, which stands in it as text. */
const numberDigits = 8;
const placeholder = "N".repeat(numberDigits);
/** A request is a span with an attribute of this many bytes. */
const payloadBytes = 100_000;
/** Bytes that a bomb becomes; more than the receiver takes. */
const bombBytes = 50_000_000;
/** How often requests are sent, whatever is answered. */
const tickMs = 10;
/** One bomb in so many ticks. */
const ticksPerBomb = 10;
/**
 * While more requests are unanswered, none are sent: on a busy machine they would wait here, and their
 * times would say nothing of the gateway.
 */
const unansweredMax = 100;

const template = Buffer.from(spansOf(placeholder, { payload: "x".repeat(payloadBytes) }));
const numberAt = template.indexOf(placeholder);
const bomb = gzipSync(Buffer.alloc(bombBytes));

/** Bytes of one request. */
export const requestBytes = template.byteLength;

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
      const number = Number(Buffer.from(message.subarray(numberAt, numberAt + numberDigits)));
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
  readonly tookMs: number;
  /** Seconds until the next try, as the answer says; undefined when it does not. */
  readonly retrySeconds: number | undefined;
  readonly kind: "grpc" | "http" | "bomb";
}

/** What came of a load. */
export interface LoadOutcome {
  readonly acknowledged: Set<number>;
  readonly refusals: Refusal[];
  /** Bombs that were taken apart and found to be too large. */
  bombsTooLarge: number;
  /** Anything else, by its description. */
  readonly unexpected: string[];
  sent: number;
}

/** Sends requests at a rate, half of them over each protocol, and bombs among them. */
export class OpenLoad {
  readonly outcome: LoadOutcome = {
    acknowledged: new Set(),
    refusals: [],
    bombsTooLarge: 0,
    unexpected: [],
    sent: 0,
  };
  readonly #http: string;
  readonly #grpc: PlainGrpcClient;
  readonly #agent = new Agent({ connections: 64, pipelining: 1 });
  readonly #perTick: number;
  #unanswered = 0;
  #ticks = 0;

  constructor(
    t: TestContext,
    addresses: { readonly grpc: string; readonly http: string },
    perSecond: number,
  ) {
    this.#http = `http://${addresses.http}/v1/traces`;
    this.#grpc = new PlainGrpcClient(t, addresses.grpc);
    this.#perTick = (perSecond * tickMs) / 1_000;
    t.after(() => this.#agent.close());
  }

  /** Sends for a time; resolves when all is answered. */
  async run(durationMs: number): Promise<LoadOutcome> {
    const startMs = performance.now();
    const pending: Promise<void>[] = [];
    let slot = 0;
    while (performance.now() - startMs < durationMs) {
      const due = Math.floor(((performance.now() - startMs) / tickMs) * this.#perTick);
      for (; slot < due; slot++) {
        if (this.#unanswered >= unansweredMax) continue;
        pending.push(this.#answered(this.#sendOne(this.outcome.sent++)));
      }
      const isBombTime = this.#ticks++ % ticksPerBomb === 0;
      if (isBombTime && this.#unanswered < unansweredMax) {
        pending.push(this.#answered(this.#sendBomb()));
      }
      await new Promise((resolve) => setTimeout(resolve, tickMs));
    }
    await Promise.all(pending);
    return this.outcome;
  }

  async #answered(request: Promise<void>): Promise<void> {
    this.#unanswered++;
    try {
      await request;
    } catch (error) {
      this.outcome.unexpected.push(String(error));
    } finally {
      this.#unanswered--;
    }
  }

  #sendOne(number: number): Promise<void> {
    const body = Buffer.from(template);
    body.write(String(number).padStart(numberDigits, "0"), numberAt, "latin1");
    return number % 2 === 0 ? this.#sendGrpc(number, body) : this.#sendHttp(number, body);
  }

  async #sendGrpc(number: number, body: Buffer): Promise<void> {
    const startMs = performance.now();
    const { code, message, retrySeconds } = await this.#grpc.call(exportPaths.traces, body);
    const tookMs = performance.now() - startMs;
    if (code === 0) this.outcome.acknowledged.add(number);
    else if (code === 14) this.outcome.refusals.push({ kind: "grpc", tookMs, retrySeconds });
    else this.outcome.unexpected.push(`gRPC ${code} ${message}`);
  }

  async #sendHttp(number: number, body: Buffer): Promise<void> {
    const startMs = performance.now();
    const answer = await send(this.#http, body, {
      headers: { "content-type": "application/x-protobuf" },
      dispatcher: this.#agent,
    });
    if (answer.status === 200) this.outcome.acknowledged.add(number);
    else this.#noteHttp("http", startMs, answer.status, answer.headers["retry-after"]);
  }

  async #sendBomb(): Promise<void> {
    const startMs = performance.now();
    const answer = await send(this.#http, bomb, {
      headers: { "content-type": "application/x-protobuf", "content-encoding": "gzip" },
      dispatcher: this.#agent,
    });
    if (answer.status === 413) this.outcome.bombsTooLarge++;
    else this.#noteHttp("bomb", startMs, answer.status, answer.headers["retry-after"]);
  }

  #noteHttp(
    kind: Refusal["kind"],
    startMs: number,
    status: number,
    retryAfter: string | string[] | undefined,
  ): void {
    if (status !== 503) {
      this.outcome.unexpected.push(`HTTP ${status} ${kind}`);
      return;
    }
    const retrySeconds = retryAfter === undefined ? undefined : Number(retryAfter);
    this.outcome.refusals.push({ kind, tookMs: performance.now() - startMs, retrySeconds });
  }
}

/** The value below which this share of the values is. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}
