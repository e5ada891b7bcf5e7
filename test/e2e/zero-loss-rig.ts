import type { TestContext } from "node:test";
import {
  createUnaryServer,
  GrpcCode,
  GrpcStatusError,
  type UnaryServer,
} from "@inode-gateway/grpc";
import { jsonToProtobuf } from "@inode-gateway/otlp";
import { decodeRequest } from "@inode-gateway/testkit";
import { Agent } from "undici";
import { exportPaths, PlainGrpcClient } from "../conformance/otlp/grpc-client.js";
import { send } from "../conformance/otlp/http-client.js";

/** Spans of one request; each has a number of its own as its span id. */
const spansPerRequest = 5;
/** Pause of a sender between two requests. */
const pauseMs = 25;
const never = new Promise<never>(() => undefined);

interface DecodedTraces {
  readonly resource_spans?: readonly {
    readonly scope_spans?: readonly { readonly spans?: readonly { span_id: Uint8Array }[] }[];
  }[];
}

/** A backend that keeps the number of every span it takes, and can die and come back. */
export class NumberingBackend {
  /** How often each span was taken, by its number. */
  readonly taken = new Map<number, number>();
  /** Decides of each call whether it is taken or refused with UNAVAILABLE. */
  takes: () => boolean = () => true;
  refused = 0;
  #server: UnaryServer | undefined;
  #address = "127.0.0.1:0";
  #isDying = false;

  static async start(t: TestContext): Promise<NumberingBackend> {
    const backend = new NumberingBackend();
    await backend.listen();
    t.after(() => backend.die());
    return backend;
  }

  get address(): string {
    return this.#address;
  }

  /** Listens where it listened before. */
  async listen(): Promise<void> {
    this.#isDying = false;
    this.#server = createUnaryServer(
      {
        endpoint: this.#address,
        transport: "tcp",
        maxReceiveMessageBytes: 64 * 1_048_576,
        onHandlerBug: (error) => {
          throw error;
        },
      },
      new Map([[exportPaths.traces, async ({ message }) => this.#take(message)]]),
    );
    await this.#server.listen();
    this.#address = this.#server.address ?? "";
  }

  /** Ends every connection; what is on its way is not taken, as when a process dies. */
  async die(): Promise<void> {
    this.#isDying = true;
    await this.#server?.shutdown(performance.now());
    this.#server = undefined;
  }

  async #take(message: Uint8Array): Promise<Uint8Array> {
    if (this.#isDying) return never;
    if (!this.takes()) {
      this.refused++;
      throw new GrpcStatusError({ code: GrpcCode.UNAVAILABLE, message: "not now" });
    }
    const decoded = decodeRequest("traces", message) as DecodedTraces;
    for (const { scope_spans: scopes = [] } of decoded.resource_spans ?? []) {
      for (const span of scopes.flatMap(({ spans = [] }) => spans)) {
        const number = Number(Buffer.from(span.span_id).readBigUInt64BE());
        this.taken.set(number, (this.taken.get(number) ?? 0) + 1);
      }
    }
    return new Uint8Array(0);
  }
}

/** Where a load goes, and what its Resources say. */
export interface LoadOptions {
  readonly grpc: string;
  readonly http: string;
  /** Further attributes of the Resource of a request. */
  readonly attributes?: (request: number) => Readonly<Record<string, string | number>>;
}

/** Senders over both protocols that number their spans and never send one twice. */
export class NumberedLoad {
  /** Numbers of the spans whose request was answered with success. */
  readonly acknowledged = new Set<number>();
  readonly sent = new Set<number>();
  /** Requests that were refused, or got no answer. */
  readonly failures: string[] = [];
  readonly #options: LoadOptions;
  readonly #agent = new Agent({ connections: 4 });
  readonly #grpc: PlainGrpcClient;
  readonly #running: Promise<void>;
  #request = 0;
  #isOver = false;

  constructor(t: TestContext, options: LoadOptions) {
    this.#options = options;
    this.#grpc = new PlainGrpcClient(t, options.grpc);
    t.after(() => this.#agent.destroy());
    const senders = Array.from({ length: 6 }, (_, index) => this.#send(index % 2 === 0));
    this.#running = Promise.all(senders).then(() => undefined);
  }

  /** Sends nothing more; resolves when everything is answered. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#running;
  }

  async #send(isGrpc: boolean): Promise<void> {
    while (!this.#isOver) {
      const request = this.#request++;
      const first = 1 + request * spansPerRequest;
      const numbers = Array.from({ length: spansPerRequest }, (_, index) => first + index);
      for (const number of numbers) this.sent.add(number);
      const failure = await this.#sendOne(isGrpc, this.#body(request, numbers)).catch(String);
      if (failure !== undefined) this.failures.push(failure);
      else for (const number of numbers) this.acknowledged.add(number);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }

  /** What was wrong; undefined when it was acknowledged. */
  async #sendOne(isGrpc: boolean, body: Uint8Array): Promise<string | undefined> {
    if (isGrpc) {
      const { code, message } = await this.#grpc.call(exportPaths.traces, body);
      return code === 0 ? undefined : `gRPC ${code} ${message}`;
    }
    const url = `http://${this.#options.http}/v1/traces`;
    const { status } = await send(url, body, { dispatcher: this.#agent });
    return status === 200 ? undefined : `HTTP ${status}`;
  }

  #body(request: number, numbers: readonly number[]): Uint8Array {
    const own = { "service.name": "zero-loss", ...this.#options.attributes?.(request) };
    const attributes = Object.entries(own).map(([key, value]) => ({
      key,
      value: typeof value === "number" ? { intValue: String(value) } : { stringValue: value },
    }));
    const spans = numbers.map((number) => ({
      traceId: (request + 1).toString(16).padStart(32, "0"),
      spanId: number.toString(16).padStart(16, "0"),
      name: "numbered",
      kind: 2,
      startTimeUnixNano: "1767225600000000000",
      endTimeUnixNano: "1767225600001000000",
    }));
    const document = { resourceSpans: [{ resource: { attributes }, scopeSpans: [{ spans }] }] };
    return jsonToProtobuf("traces", Buffer.from(JSON.stringify(document)));
  }
}

/** What differs between the spans that should have arrived and those that did. */
export interface Difference {
  readonly lost: number[];
  readonly repeated: number[];
  /** Arrived without an acknowledgement; only right where an answer may have been cut off. */
  readonly unacknowledged: number[];
}

/** Compares the numbers, not their count: a lost span and a repeated one must not cancel out. */
export function difference(load: NumberedLoad, backend: NumberingBackend): Difference {
  const { acknowledged } = load;
  const { taken } = backend;
  return {
    lost: [...acknowledged].filter((number) => !taken.has(number)),
    repeated: [...taken].filter(([, times]) => times > 1).map(([number]) => number),
    unacknowledged: [...taken.keys()].filter((number) => !acknowledged.has(number)),
  };
}

/** No difference at all. */
export const none: Difference = { lost: [], repeated: [], unacknowledged: [] };
