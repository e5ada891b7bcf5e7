// The generator, a process of its own: told over IPC which case to send to which port, and when.
import { benchCases, buildBodies } from "./bench-cases.js";
import { Http1Load, http1Request } from "./http1-load.js";
import { Http2Load } from "./http2-load.js";

/** What the bench tells its generator. */
export type LoadRequest =
  | {
      readonly action: "start";
      readonly caseName: string;
      readonly port: number;
      readonly connections: number;
      readonly concurrency: number;
    }
  | { readonly action: "stop" };

/** What the generator answers to `stop`. */
export interface LoadReply {
  readonly answers: number;
  readonly failures: number;
}

const grpcPath = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
let loads: (Http1Load | Http2Load)[] = [];

process.on("message", (request: LoadRequest) => {
  if (request.action === "start") {
    start(request);
    process.send?.({ answers: 0, failures: 0 } satisfies LoadReply);
  } else {
    stop().then(
      (reply) => process.send?.(reply),
      () => process.exit(1),
    );
  }
});
process.on("disconnect", () => process.exit(0));

function start(request: Extract<LoadRequest, { action: "start" }>): void {
  const benchCase = benchCases.find(({ name }) => name === request.caseName);
  if (benchCase === undefined) throw new Error(`no case is called "${request.caseName}"`);
  const bodies = buildBodies(benchCase);
  const { port, connections, concurrency } = request;
  for (let index = 0; index < connections; index++) {
    const offset = Math.floor((index * bodies.length) / connections);
    if (benchCase.protocol === "grpc") {
      const { isGzip } = benchCase;
      const messages = bodies.map((body) => grpcMessage(body, isGzip));
      loads.push(new Http2Load({ port, path: grpcPath, isGzip, concurrency, messages, offset }));
    } else {
      const requests = bodies.map((body) =>
        http1Request("/v1/traces", benchCase.contentType, body),
      );
      for (let each = 0; each < concurrency; each++) {
        loads.push(new Http1Load({ port, requests, offset: offset + each }));
      }
    }
  }
}

async function stop(): Promise<LoadReply> {
  const stopping = loads;
  loads = [];
  await Promise.all(stopping.map((load) => load.stop()));
  return {
    answers: stopping.reduce((sum, load) => sum + load.answers, 0),
    failures: stopping.reduce((sum, load) => sum + load.failures, 0),
  };
}

function grpcMessage(body: Uint8Array, isCompressed: boolean): Uint8Array {
  const head = Buffer.alloc(5);
  head[0] = isCompressed ? 1 : 0;
  head.writeUInt32BE(body.byteLength, 1);
  return Buffer.concat([head, body]);
}
